"""NOMIS: whether an answer is of the query its name says, and has all that the declared query asks for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from psycopg import sql

from ingest.checks import NEXT_NAME, Delivery, Labels, named, seed
from ingest.declaration import NomisQuery
from ingest.readers.faults import NEXT_DAMAGED, Fault, FaultyFile, some_of
from ingest.readers.text import folded


def check(delivery: Delivery) -> Labels:
    """As ingest.checks.check."""
    query, paged = delivery.dataset.location, delivery.dataset.layout.paged
    assert isinstance(query, NomisQuery) and paged is not None  # noqa: S101, PT018 - declared so
    columns = [column for columns in paged.dimensions for column in columns]
    (row,) = delivery.rows(
        "select bool_or({count} <> ''), {values} from delivered",
        count=sql.Identifier(paged.count),
        values=sql.SQL(", ").join(
            sql.SQL("array_agg(distinct {column}) filter (where {column} <> '')").format(column=sql.Identifier(column))
            for column in columns
        ),
    )
    says_how_many, found = row[0], {column: set(values or ()) for column, values in zip(columns, row[1:], strict=True)}
    _check_name(delivery, query, found.get("date") or set())
    _check_labels(delivery)
    areas = found["geography_code"]
    if len(areas) == 1:
        return {}  # an answer about one area is all that was asked for
    for dimension, asked in query.query.items():
        expected = set(_codes(asked))
        if dimension == "geography" and "TYPE" in asked:
            # All areas of a type are asked for by no code of theirs: only the number of records says that they are all there.
            if not says_how_many:
                raise delivery.refuse(
                    "RECORD_COUNT_MISSING",
                    "does not say how many records it has (RECORD_COUNT), and nothing else shows that no area is missing",
                    NEXT_DAMAGED,
                )
        elif dimension == "geography":
            lacks = expected - {*query.may_lack} - areas
            if lacks:
                whole = len(expected - {*query.may_lack})
                raise delivery.refuse(
                    "AREAS_MISSING",
                    f"has {whole - len(lacks)} of {whole} areas: it lacks {named(sorted(lacks))}",
                    NEXT_DAMAGED,
                )
        else:
            codes, names = found[dimension], found[f"{dimension}_name"]
            lacks = expected - codes if codes else set()
            has = len(expected) - len(lacks) if codes else len(names)
            if has < len(expected):
                raise delivery.refuse(
                    "CATEGORIES_MISSING",
                    f"has {has} of {len(expected)} values of {dimension}"
                    + (f": it lacks {some_of(sorted(lacks))}" if lacks else ""),
                    NEXT_DAMAGED,
                )
    return {}


def _check_labels(delivery: Delivery) -> None:
    """Refuse an answer with a label that is another code's, such as Male beside the code of women."""
    layout = delivery.dataset.layout
    code_of: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in seed("nomis_label"):
        if row["dataset"] == delivery.name:
            code_of[row["dimension"]][folded(row["published_name"])].add(row["code"])
    for dimension, codes in code_of.items():
        for number, found, name in delivery.rows(
            "select min(_row_number), {code}, {name} from delivered where {code} <> '' and {name} <> '' group by 2, 3 order by 1",
            code=sql.Identifier(dimension),
            name=sql.Identifier(f"{dimension}_name"),
        ):
            listed = codes.get(folded(name))
            if listed and found.strip() not in listed:
                header = next(column.headers[0] for column in layout.columns if column.name == f"{dimension}_name")
                reason = f"is the name of {some_of(sorted(listed))}, and the row is of {found}"
                raise FaultyFile(
                    [Fault("LABEL_OF_ANOTHER_CODE", number, header, name, reason)], delivery.done.rows, NEXT_DAMAGED
                )


def _check_name(delivery: Delivery, query: NomisQuery, periods: set[str]) -> None:
    """Refuse an answer under the name of another dataset's, or of other periods."""
    said = re.fullmatch(r"(NM_\d+_\d+)(?:_([\d-]+)_([\d-]+))?", delivery.part)
    if said is None:
        return
    if said[1] != query.dataset_id:
        raise delivery.refuse(
            "NAME_DIFFERS_FROM_ROWS",
            f"is an answer of {said[1]} by its name, and came as {query.dataset_id}",
            NEXT_NAME,
        )
    if said[2] and periods and (min(periods), max(periods)) != (said[2], said[3]):
        raise delivery.refuse(
            "NAME_DIFFERS_FROM_ROWS",
            f"has periods {said[2]} to {said[3]} by its name, and {min(periods)} to {max(periods)} in its rows",
            NEXT_NAME,
        )


def _codes(asked: str) -> Iterator[str]:
    """The codes that a query asks for, its ranges spelt out: `0,101...103`, `E09000001...E09000033`."""
    for part in asked.split(","):
        first, _, last = part.partition("...")
        digits = re.search(r"\d+$", first)
        if not last or digits is None:
            yield first
            continue
        prefix = first[: digits.start()]
        for number in range(int(digits[0]), int(last[len(prefix) :]) + 1):
            yield f"{prefix}{number:0{len(digits[0])}d}" if prefix else str(number)
