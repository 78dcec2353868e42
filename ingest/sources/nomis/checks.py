"""NOMIS: whether an answer is of the query its name says, and has all that the declared query asks for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from psycopg import sql

from ingest.checks import NEXT_NAME, Delivery, Labels, named, seed
from ingest.declaration import NomisQuery
from ingest.readers.faults import NEXT_DAMAGED, Fault, Faulty, some_of
from ingest.readers.text import folded

# Codes of NM_2002_1 and its kin: all ages, and ages 0 to 90 and over.
ALL_AGES, SINGLE_YEARS = "200", (101, 191)


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
    if delivery.name == "population" and not delivery.is_synthetic:
        _check_parts(delivery)
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
    for row in seed("boroughs"):
        code_of["geography_code"][folded(row["borough_name"])].add(row["borough_code"])
    for dimension, codes in code_of.items():
        column = "geography_name" if dimension == "geography_code" else f"{dimension}_name"
        for number, found, name in delivery.rows(
            "select min(_row_number), {code}, {name} from delivered where {code} <> '' and {name} <> '' group by 2, 3 order by 1",
            code=sql.Identifier(dimension),
            name=sql.Identifier(column),
        ):
            if dimension == "geography_code" and not found.startswith("E09"):
                continue  # a ward may have a borough's name
            listed = codes.get(folded(name))
            if listed and found.strip() not in listed:
                header = next(one.headers[0] for one in layout.columns if one.name == column)
                reason = f"is the name of {some_of(sorted(listed))}, and the row is of {found}"
                raise Faulty(
                    [Fault("LABEL_OF_ANOTHER_CODE", number, header, name, reason)], delivery.done.rows, NEXT_DAMAGED
                )


def _check_parts(delivery: Delivery) -> None:
    """Refuse residents that are not the sum of their single years of age, or of women and men: one of the figures is wrong."""
    for area, year, what, total, parts in delivery.rows(
        """, counted as (
               select geography_name, date_name, gender, c_age, sum(obs_value::numeric) as people
               from delivered where measures in ('', '20100') and obs_value <> '' group by 1, 2, 3, 4
           )
           select geography_name, date_name, gender_name, total, parts from (
               select geography_name, date_name, 'all ages of gender ' || gender as gender_name,
                   max(people) filter (where c_age = {all_ages}) as total,
                   sum(people) filter (where c_age::integer between {first_age} and {last_age}) as parts,
                   count(*) filter (where c_age::integer between {first_age} and {last_age}) as ages
               from counted where c_age <> '' group by 1, 2, gender
           ) as by_age where ages = 1 + {last_age} - {first_age} and total <> parts
           union all
           select geography_name, date_name, 'both genders of age ' || c_age, max(people) filter (where gender = '0'),
               sum(people) filter (where gender in ('1', '2'))
           from counted where gender <> '' group by 1, 2, c_age
           having count(*) = 3 and max(people) filter (where gender = '0') <> sum(people) filter (where gender in ('1', '2'))
           order by 1, 2, 3 limit 1""",
        all_ages=sql.Literal(ALL_AGES),
        first_age=sql.Literal(SINGLE_YEARS[0]),
        last_age=sql.Literal(SINGLE_YEARS[1]),
    ):
        raise delivery.refuse(
            "FIGURES_DISAGREE",
            f"has {total:,} residents of {what} in {area}, {year}, and its parts add up to {parts:,}: one of them is wrong",
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
