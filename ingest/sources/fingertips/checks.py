"""Fingertips: whether a file is of the indicator its name says, and has every borough where its publisher gives boroughs."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict

from psycopg import sql

from ingest.checks.labels_agree import check_labels_kept
from ingest.checks.periods import doubt_new_periods
from ingest.checks.values_kept import check_values_kept
from ingest.delivery import NEXT_NAME, Delivery, Labels, area_names, borough_names, seed
from ingest.editions import Edition
from ingest.errors import Wrong
from ingest.readers.faults import NEXT_DAMAGED, Fault
from ingest.readers.text import folded

NO_VALUE = -1  # the API's word for it
# Numbers that never fall from the first to the last.
ASCENDING = (
    ("lower_ci_95_0_limit", "value", "upper_ci_95_0_limit"),
    ("lower_ci_99_8_limit", "value", "upper_ci_99_8_limit"),
)
# The marts hold none below 0 of an indicator in the catalogue; others may have one.
NEVER_NEGATIVE = (
    "value", "lower_ci_95_0_limit", "upper_ci_95_0_limit", "lower_ci_99_8_limit", "upper_ci_99_8_limit", "count", "denominator",
)  # fmt: skip
# The API says no row count, and a body cut at the end of a line looks whole: of the rows that an indicator had, from the new file's first
# period on, a new edition may lack so many. Areas outside London come and go with the vintages of the area types, categories with their labels.
AT_MOST_LOST = 0.02
# Codes carry a stray n before them.
AREA = "ltrim(btrim(area_code), 'n')"
KEY = ("indicator_id", "area_name", "sex", "age", "time_period_sortable")
# Of the periods that an indicator had, fewer than so many may go: the first of a series are let go, half of it was cut.
PERIODS_CUT = 0.5
# Of the figures of 1 and more that two uploads of an indicator share, rates are worked out again with other residents, and few move by half.
MAY_DIFFER = 0.05
KEPT_AREAS = "^(?:n?E09[0-9]{6}|E12000007|E92000001)$"

# Of a group with fewer boroughs nobody asked for all of them: a file of a few areas is one by hand.
BOROUGHS_OF_A_WHOLE_GROUP = 16


def check_rows(delivery: Delivery) -> None:
    """See `ingest.checks`: rows that are well formed and cannot be true."""
    if delivery.name != "data":
        return
    faults = [*_areas_under_another_name(delivery), *_limits_that_contradict(delivery), *_negative(delivery)]
    if faults:
        raise delivery.refuse_rows(faults)


def _areas_under_another_name(delivery: Delivery) -> list[Fault]:
    """Rows with the code of a borough or the City and the name of another area."""
    names: dict[str, set[str]] = defaultdict(set)
    for row in seed("area_aliases"):
        if row["area_code"].startswith("E09"):
            names[row["area_code"]].add(folded(row["published_name"]))
    faults = []
    for code, name in delivery.rows("select distinct area_code, area_name from delivered where btrim(area_name) <> ''"):
        # Codes of this publisher carry a stray n before them.
        known = names.get(code.strip().removeprefix("n"))
        if known and folded(name) not in known:
            condition = sql.SQL("area_code = {} and area_name = {}").format(sql.Literal(code), sql.Literal(name))
            reason = "are not one area: the code is that of another"
            faults += [
                Fault(fault.code, fault.row, "Area Code and Area Name", f"{code.strip()} / {name.strip()}", reason)
                for fault in delivery.faults_where(condition, "area_code", "LABEL_OF_ANOTHER_CODE", reason)
            ]
    return faults


def _number(column: str) -> sql.Composed:
    """A column as a number; null where it has none."""
    return sql.SQL("nullif(nullif({}, '')::numeric, {})").format(sql.Identifier(column), sql.Literal(NO_VALUE))


def _limits_that_contradict(delivery: Delivery) -> list[Fault]:
    """Values outside their own limits. A value that is not there is passed over: then its limits are compared."""
    header = {column.name: column.headers[0] for column in delivery.dataset.layout.columns if column.headers}
    faults = []
    for columns in ASCENDING:
        first, middle, last = columns
        for lower, upper in [*itertools.pairwise(columns), (first, last)]:
            low, high = _number(lower), _number(upper)
            # Both are printed from floating point.
            is_above = sql.SQL(
                "{low} > {high} and {low} - {high} > greatest(1e-9, 1e-9 * greatest(abs({low}), abs({high})))"
            ).format(low=low, high=high)
            if (lower, upper) == (first, last):
                is_above = sql.SQL("{} is null and {}").format(_number(middle), is_above)
            faults += [
                Fault("VALUES_CONTRADICT", number, header[lower], below, f"is above {header[upper]}, {above}")
                for number, below, above in delivery.rows(
                    "select _row_number, btrim({lower}), btrim({upper}) from delivered where {is_above} order by 1 limit 1001",
                    lower=sql.Identifier(lower),
                    upper=sql.Identifier(upper),
                    is_above=is_above,
                )
            ]
    return faults


def _negative(delivery: Delivery) -> list[Fault]:
    listed = sql.Literal([row["indicator_id"] for row in seed("fingertips_indicator")])
    return [
        fault
        for column in NEVER_NEGATIVE
        for fault in delivery.faults_where(
            sql.SQL("btrim(indicator_id) = any({}) and {} < 0").format(listed, _number(column)),
            column,
            "VALUE_OUT_OF_RANGE",
            "is below 0, the least that it can be",
        )
    ]


def check_against(delivery: Delivery, edition: Edition) -> list[str]:
    """See `ingest.checks`: the rows of London, its boroughs and England go on being there."""
    if delivery.name != "data":
        return []
    identity = [*KEY, "category_type", "category", "time_period_range"]
    check_values_kept(
        delivery, identity, "value", area="area_code", may_differ=MAY_DIFFER, least=1, against=edition.load_id
    )
    check_labels_kept(delivery, edition, AREA, f"case when {AREA} ~ '{KEPT_AREAS}' then area_name else '' end")
    # The first year alone: what comes after it is written in many ways.
    check_labels_kept(
        delivery, edition, "substring(time_period from '[0-9][0-9][0-9][0-9]')", "time_period_sortable", enough=1
    )
    columns = [sql.Identifier(column) for column in KEY]
    ((periods, kept),) = delivery.rows(
        """select (select count(distinct time_period_sortable) from {table} where _load_id = {before}),
               (select count(*) from (
                   select time_period_sortable from {table} where _load_id = {before}
                   intersect select time_period_sortable from delivered
               ) as p)""",
        table=delivery.table,
        before=sql.Literal(edition.load_id),
    )
    # Of two periods one goes as the next comes.
    if periods > 2 and periods - kept >= PERIODS_CUT * periods:
        raise delivery.refuse(
            "LESS_THAN_BEFORE", f"has {kept:,} of the {periods:,} periods that load {edition.load_id} had", NEXT_DAMAGED
        )
    ((had, lost, words),) = delivery.rows(
        """, earlier as (
               select distinct {columns}, {area} as area from {table} where _load_id = {before}
                   and time_period_sortable >= (select min(time_period_sortable) from delivered)
                   and area_code ~ {areas} and category_type = ''
           ),
           gone as (select * from earlier except select {columns}, {area} from delivered),
           first as (select concat_ws(' / ', {words}) as words from gone order by 1 limit 5)
           select (select count(*) from earlier), (select count(*) from gone), (select array_agg(words) from first)""",
        columns=sql.SQL(", ").join(columns),
        table=delivery.table,
        before=sql.Literal(edition.load_id),
        areas=sql.Literal(KEPT_AREAS),
        area=sql.SQL(AREA),
        words=sql.SQL(", ").join(sql.SQL("nullif({}, '')").format(column) for column in columns),
    )
    if not lost:
        return []
    lacking = [*words, *([f"and {lost - len(words):,} more"] if lost > len(words) else [])]
    if lost > had * AT_MOST_LOST:
        raise delivery.refuse(
            "LESS_THAN_BEFORE",
            f"lacks {lost:,} of {had:,} rows that load {edition.load_id} had: {', '.join(lacking)}",
            "fetch it again; if the publisher has really taken so much back, raise AT_MOST_LOST in ingest/sources/fingertips/checks.py",
        )
    return lacking


def doubt(delivery: Delivery, edition: Edition | None) -> Wrong | None:
    """See `ingest.checks`."""
    if delivery.name != "data":
        return _units_changed(delivery, edition) if edition else None
    series = {
        "indicator_id": r"indicator_id || E'\t' || btrim(indicator_name, E' \n')",
        **{
            name: rf"coalesce({name}, '') || E'\t' || btrim(coalesce({name}, ''))"
            for name in ("sex", "age", "category_type", "category")
        },
        "time_period_range": r"coalesce(time_period_range, '') || E'\t'",
    }
    return doubt_new_periods(
        delivery,
        series,
        area=AREA,
        area_name="btrim(area_name)",
        period=r"time_period_sortable || E'\t' || btrim(time_period)",
        order=lambda text: text.partition("\t")[0],
        value=f"nullif(nullif(btrim(value), '')::float8, {NO_VALUE})",
        size=f"nullif(nullif(btrim(count), '')::float8, {NO_VALUE})",
        split=["sex"],
        where=f"area_code ~ '{KEPT_AREAS}'",
    )


def _units_changed(delivery: Delivery, edition: Edition) -> Wrong | None:
    """Why definitions are of other figures than those that stand: a unit, a type of value or a polarity is another."""
    found = delivery.rows(
        r""", earlier as (select * from {table} where _load_id = {before})
            select indicator_id, btrim(delivered.indicator_name, E' \n'), what, btrim(now), btrim(was)
            from delivered inner join earlier using (indicator_id)
            cross join lateral (values
                ('unit', delivered.unit, earlier.unit), ('type of value', delivered.value_type, earlier.value_type),
                ('polarity', delivered.polarity, earlier.polarity)
            ) as both_say (what, now, was)
            where lower(btrim(now)) <> lower(btrim(was)) and btrim(was) <> '' order by 1, 3""",
        table=delivery.table,
        before=sql.Literal(edition.load_id),
    )
    if not found:
        return None
    said = [f"the {what} of {number} ({name}) is {now!r} and was {was!r}" for number, name, what, now, was in found[:5]]
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    return Wrong("UNIT_CHANGED", f"is of other figures than load {edition.load_id}: {'; '.join(said)}{more}")


def check(delivery: Delivery) -> Labels:
    """See `ingest.checks`."""
    if delivery.name != "data":
        return {}
    said = re.match(r"indicator_(\d+)(.*)", delivery.part)
    if said and said[2]:
        raise delivery.refuse(
            "NAME_DIFFERS_FROM_ROWS", f"has a name that says more than its indicator ({said[2]})", NEXT_NAME
        )
    groups = delivery.rows(
        """select indicator_id, sex, age, time_period, array_agg(distinct ltrim(area_code, 'n')) filter (where area_code ~ '^n?E09')
           from delivered where category_type = '' group by 1, 2, 3, 4, time_period_sortable order by 1, 2, 3, time_period_sortable"""
    )
    if said:
        others = sorted({indicator for indicator, *_ in groups} - {said[1]})
        if others:
            raise delivery.refuse(
                "NAME_DIFFERS_FROM_ROWS",
                f"is of indicator {said[1]} by its name, and has rows of {', '.join(others[:5])}",
                NEXT_NAME,
            )
    wanted = set(borough_names())
    newest = {tuple(group[:3]): group[3] for *group, _ in groups}
    lacking = [(group, wanted - set(areas or ())) for *group, areas in groups]
    lacking = [(group, lacks) for group, lacks in lacking if len(wanted - lacks) >= BOROUGHS_OF_A_WHOLE_GROUP]
    whole: dict[tuple[str, ...], set[str]] = {}
    for group, lacks in lacking:
        series = tuple(group[:3])
        newly = lacks & whole.get(series, set())
        if newly and group[3] == newest[series]:
            raise delivery.refuse(
                "AREAS_MISSING",
                f"lacks {area_names(sorted(newly))} in {group[3]}, the newest period of indicator {' / '.join(series)}, and has them in the one before",
                NEXT_DAMAGED,
            )
        whole[series] = set() if lacks else wanted
    gone = sum(len(lacks) for _, lacks in lacking)
    if gone > AT_MOST_LOST * len(wanted) * len(lacking):
        (indicator, sex, age, period), lacks = next(one for one in lacking if one[1])
        raise delivery.refuse(
            "AREAS_MISSING",
            f"lacks {gone:,} of the {len(wanted) * len(lacking):,} rows that {len(lacking)} groups of 32 boroughs have: indicator "
            f"{indicator}, {sex}, {age}, {period} lacks {area_names(sorted(lacks))}",
            NEXT_DAMAGED,
        )
    return {}
