"""NOMIS: whether an answer is of the query its name says, and has all that the declared query asks for."""

from __future__ import annotations

import math
import re
from collections import defaultdict

from psycopg import sql

from ingest.checks.labels_agree import check_labels_kept
from ingest.checks.periods import doubt_new_periods
from ingest.checks.values_kept import MAY_MOVE, check_values_kept
from ingest.delivery import NEXT_NAME, Delivery, Labels, area_names, seed
from ingest.editions import Edition
from ingest.errors import Wrong
from ingest.readers.faults import NEXT_DAMAGED, Fault, FaultyFile, some_of
from ingest.readers.records import records_wrong
from ingest.readers.text import folded
from ingest.readers.times import day_of
from ingest.sources.nomis.queries import QUERIES, Query, codes_of

# The columns by which each record says which it is (from 0), and of how many.
OFFSET, COUNT = "record_offset", "record_count"
# Estimates of small places were rebased on the Census of 2021 by more than half; a twentieth of all figures never were.
MAY_DIFFER = 0.05
# An area with so few large figures, of some years of jobs, is another one where all of them differ by more than half.
FEW = 3
# Rates and the half width of their intervals, by code and by name; the other measures are people.
PERCENTAGES = ("20599", "21003"), ("Variable", "Confidence")

# What is no count but a ratio is judged by its own past; what says how sure a figure is, not at all.
RATIOS = {
    "claimant_count": ("measure", ("2", "Claimants as a proportion of residents aged 16-64")),
    "annual_population_survey": ("measures", ("20599", "Variable")),
    "jobs_density": ("item", ("3", "Jobs density")),
}
NEWS = (*RATIOS, "earnings_residents", "earnings_workplace")
CONFIDENCE = ("20701", "21003", "Confidence", "Conf", "Conf.")


def check_rows(delivery: Delivery) -> None:
    """See `ingest.checks`: every label and figure as it can be; every record once, by what it is about and, where records say so, by
    their number and count."""
    _check_labels_are_known(delivery)
    _check_percentages(delivery)
    _check_records(delivery)
    identity = [column for columns in _dimensions(delivery) for column in columns]
    check_values_kept(
        delivery, identity, "obs_value", area="geography_code", may_differ=MAY_DIFFER, may_move=MAY_MOVE, few=FEW
    )


def check_against(delivery: Delivery, edition: Edition) -> list[str]:
    """See `ingest.checks`: areas and periods keep their names."""
    for dimension in ("geography", "date"):
        code = "geography_code" if dimension == "geography" else "date"
        if delivery.has_column(code) and delivery.has_column(f"{dimension}_name"):
            check_labels_kept(delivery, edition, f"{dimension}_name", code)
    return []


def doubt(delivery: Delivery, _: Edition | None) -> Wrong | None:
    """See `ingest.checks`. Not of population by single years of age, which takes a minute, and of a census, which has one period."""
    if delivery.name not in NEWS:
        return None
    period = delivery.dataset.layout.period
    assert period is not None  # noqa: S101 - declared so
    dimensions = [name for name in QUERIES[delivery.name].parameters if name != "geography"]
    column, ratios = RATIOS.get(delivery.name, ("measures", ()))
    is_ratio = f"{_code(column)} = any(array[{', '.join(map(_quoted, ratios))}]::text[])"
    confidence = ", ".join(map(_quoted, CONFIDENCE))
    return doubt_new_periods(
        delivery,
        {name: rf"{_code(name)} || E'\t' || btrim({name}_name)" for name in dimensions},
        area="geography_code",
        area_name="geography_name",
        period="btrim(date_name)",
        order=lambda text: f"{day_of(text, period) or text}",
        value="nullif(btrim(obs_value), '')",
        size=f"case when {is_ratio} then null else nullif(btrim(obs_value), '') end",
        split=[name for name in dimensions if name in {"gender", "sex"}],
        where=f"{_code('measures')} <> all(array[{confidence}])",
    )


def _code(column: str) -> str:
    return f"coalesce(nullif(btrim({column}), ''), btrim({column}_name), '')"


def _quoted(text: str) -> str:
    return f"'{text}'"


def check(delivery: Delivery) -> Labels:
    """See `ingest.checks`."""
    query = QUERIES[delivery.name]
    columns = [column for columns in _dimensions(delivery) for column in columns]
    (row,) = delivery.rows(
        "select bool_or({count} <> ''), {values} from delivered",
        count=sql.Identifier(COUNT),
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
    for dimension, asked in query.parameters.items():
        expected = set(codes_of(asked))
        if dimension == "geography" and query.asks_for_a_type:
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
                    f"has {whole - len(lacks)} of {whole} areas: it lacks {area_names(sorted(lacks))}",
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


def _check_name(delivery: Delivery, query: Query, periods: set[str]) -> None:
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


def _dimensions(delivery: Delivery) -> list[tuple[str, ...]]:
    """What the query was by, each with the columns that tell it: its code, its name. A column that a file lacks tells nothing."""
    asked = [name for name in QUERIES[delivery.name].parameters if name != "geography"]
    return [("date", "date_name"), ("geography_code",), *((name, f"{name}_name") for name in asked)]


def _check_records(delivery: Delivery) -> None:
    """Refuse an answer that does not hold every record once. Without the columns that count (somebody left them out) nothing says so."""
    ((rows, numbered, distinct, totals),) = delivery.rows(
        """select count(*), count(*) filter (where btrim({offset}) ~ '^[0-9]{{1,9}}$'), count(distinct {offset}),
               array_agg(distinct btrim({count})) from delivered where btrim({count}) <> ''""",
        offset=sql.Identifier(OFFSET),
        count=sql.Identifier(COUNT),
    )
    wrong = records_wrong(rows, numbered, distinct, totals) if rows else None
    if wrong is not None:
        raise delivery.refuse(wrong.code, wrong.reason, NEXT_DAMAGED)
    key = sql.SQL(", ").join(sql.Identifier(column) for columns in _dimensions(delivery) for column in columns)
    again = delivery.rows(
        """select array_agg(_row_number order by _row_number), concat_ws(' / ', {key}) from delivered
           group by {key} having count(*) > 1 order by min(_row_number)""",
        key=key,
    )
    faults = [
        Fault("ROW_REPEATED", number, "the row", about, f"stands already in row {numbers[0]}")
        for numbers, about in again
        for number in numbers[1:]
    ]
    if faults:
        raise FaultyFile(faults, len(faults), NEXT_DAMAGED)
    _check_combinations(delivery)


def _check_combinations(delivery: Delivery) -> None:
    """Refuse an answer that does not have one record for each combination of what it is by."""
    # By its code, or where an answer has names alone by its name: which name goes with which code is asked later.
    sizes = [
        sql.SQL("count(distinct coalesce({}))").format(
            sql.SQL(", ").join(sql.SQL("nullif(btrim({}), '')").format(sql.Identifier(column)) for column in columns)
        )
        for columns in _dimensions(delivery)
    ]
    ((rows, *there),) = delivery.rows("select count(*), {sizes} from delivered", sizes=sql.SQL(", ").join(sizes))
    if math.prod(there) != rows:
        by = " × ".join(f"{count} {columns[0]}" for count, columns in zip(there, _dimensions(delivery), strict=True))
        raise delivery.refuse(
            "ROWS_FEWER_THAN_STATED",
            f"has {rows:,} records and not {math.prod(there):,}, one for each of {by}: some are missing or of another area",
            NEXT_DAMAGED,
        )


def _check_labels_are_known(delivery: Delivery) -> None:
    """Refuse an answer with an area that was not asked for, or a code or, in a file without codes, a name that nobody listed.

    An answer about other areas (LSOAs, another region) is an answer to another question, whatever else it says.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for row in seed("nomis_label"):
        if row["dataset"] == delivery.name:
            known[row["dimension"]].add(row["code"])
            known[f"{row['dimension']}_name"].add(folded(row["published_name"]))
    has_code = {dimension for dimension in known if f"{dimension}_name" in known and delivery.has_column(dimension)}
    faults: list[Fault] = []
    if not QUERIES[delivery.name].asks_for_a_type:
        areas = {row["published_name"] for row in seed("area_aliases") if row["source"] == "nomis"}
        reason = "is none of the areas that are asked for (in the list dbt_project/seeds/area_aliases.csv)"
        faults += _unknown(delivery, "geography_code", areas, reason)
    for column, labels in known.items():
        if column.removesuffix("_name") in has_code - {column} or not delivery.has_column(column):
            continue
        faults += _unknown(delivery, column, labels, "is not in the list dbt_project/seeds/nomis_label.csv")
    if faults:
        raise delivery.refuse_rows(faults)


def _unknown(delivery: Delivery, column: str, labels: set[str], reason: str) -> list[Fault]:
    values = [value for (value,) in delivery.rows("select distinct {c} from delivered", c=sql.Identifier(column))]
    wrong = [value for value in values if folded(value) not in {folded(label) for label in labels}]
    condition = sql.SQL("{} = any({})").format(sql.Identifier(column), sql.Literal(wrong))
    return delivery.faults_where(condition, column, "LABEL_UNKNOWN", reason) if wrong else []


def _check_percentages(delivery: Delivery) -> None:
    """Refuse an answer with a percentage that cannot be one."""
    if delivery.name != "annual_population_survey":
        return
    codes, names = (sql.Literal(list(values)) for values in PERCENTAGES)
    is_percentage = sql.SQL("obs_value <> '' and (btrim(measures) = any({}) or btrim(measures_name) = any({}))").format(
        codes, names
    )
    faults = [
        *delivery.faults_where(
            sql.SQL("{} and nullif(obs_value, '')::numeric > 100").format(is_percentage),
            "obs_value", "VALUE_OUT_OF_RANGE", "is above 100, the most that it can be",
        ),
        *delivery.faults_where(
            sql.SQL("{} and nullif(obs_value, '')::numeric < 0").format(is_percentage),
            "obs_value", "VALUE_OUT_OF_RANGE", "is below 0, the least that it can be",
        ),
    ]  # fmt: skip
    if faults:
        raise delivery.refuse_rows(faults)
