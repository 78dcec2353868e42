"""MPS: a file has all 32 boroughs and all that its areas always have, says the same wherever it says a thing twice, and is of the crimes
its name says."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence

from psycopg import sql

from ingest.checks.labels_agree import check_code_and_name_agree
from ingest.delivery import Delivery, Labels, area_names, borough_names, seed
from ingest.readers.code_lists import listed, vintage_list
from ingest.readers.faults import NEXT_DAMAGED
from ingest.readers.headers import month_of, months_between
from ingest.readers.month_columns import MonthFile
from ingest.readers.text import folded
from ingest.sources.mps.boroughs import area_codes, faults_of
from ingest.sources.mps.dashboards import BOROUGHS_OF_A_DASHBOARD, check_dashboard, check_vawg_sheets
from ingest.sources.mps.revisions import check_against

__all__ = ["check", "check_against", "check_rows"]

# In each borough the commonest crime is in every ward, and in 99 of 100 LSOAs.
AREAS_TO_JUDGE_BY, IN_AREAS = 10, 0.9
LSOAS_OF_A_WHOLE_FILE = 2_400  # half of London's
# Of these London has hundreds a month, in every edition since they have been counted.
IN_EVERY_MONTH = ("mps_violence_with_injury", "mps_robbery_personal")
YEARS_WITH_EVERY_BOROUGH = 10  # of homicides: the least of the boroughs has 29 in 22 years


# A file of the whole history and one of the newest months, which together leave no month out.
ABUTS = {
    f"{area}_{this}": f"{area}_{other}"
    for area in ("borough", "ward", "lsoa")
    for this, other in (("historical", "recent"), ("recent", "historical"))
}
MONTHS_OF_A_RECENT_FILE = 30  # at most; it has 24
# By so many months a whole history may begin later than the one that stands: that by borough began in January 2008 once, in April 2010
# since; one of homicides is cut back by whole years alone.
MAY_BEGIN_LATER = {"borough_historical": {*range(1, 37)}, "homicide_victims": {12}, "homicide_accused": {12}}


def check_rows(delivery: Delivery) -> None:
    """See `ingest.checks`: a file by borough has all of them; the months of a file are those of its dataset, and none is left between
    it and the one it abuts."""
    if isinstance(delivery.opened.content, MonthFile) and delivery.name.startswith("borough"):
        categories = vintage_list(delivery.dataset.layout)
        assert categories is not None  # noqa: S101 - declared so
        if faults := faults_of(delivery.opened.content, listed(categories)):
            raise delivery.refuse_rows(faults)
    first, last = delivery.done.first, delivery.done.last
    if first is not None and last is not None:
        _check_span(delivery, first, last)


def _check_span(delivery: Delivery, first: dt.date, last: dt.date) -> None:
    """Refuse a file that begins later than its dataset does, leaves months between it and the one it abuts, or has too many."""
    other = ABUTS.get(delivery.name, "")
    spans = delivery.cursor.execute(
        """select dataset, first_period, last_period, state = 'loaded' from ops.load
           where source = %s and dataset = any(%s) and state in ('loaded', 'superseded')""",
        [delivery.source.source, [delivery.name, other]],
    ).fetchall()
    not_this = f"see that it is not a file of {other or 'another dataset'}"
    begun = max((begin for name, begin, _, is_loaded in spans if name == delivery.name and is_loaded), default=first)
    later = (first.year - begun.year) * 12 + first.month - begun.month
    if later > 0 and later not in MAY_BEGIN_LATER.get(delivery.name, {later}):
        reason = f"begins in {first:%Y-%m}, and the file of this dataset that is loaded begins in {begun:%Y-%m}"
        raise delivery.refuse("SPAN_OF_ANOTHER_DATASET", reason, not_this)
    if any(name == other for name, *_ in spans):
        covered = [(begin, end) for _, begin, end, _ in spans]
        holes = sorted(_uncovered([*covered, (first, last)]) - _uncovered(covered))
        if holes:
            raise delivery.refuse(
                "MONTHS_MISSING",
                f"{', '.join(f'{month[:4]}-{month[4:]}' for month in holes)} would be in neither this file nor {other}",
                f"land the {other} file that reaches these months first, then this one again",
            )
    months = len(months_between(f"{first:%Y%m}", f"{last:%Y%m}"))
    if delivery.name.endswith("_recent") and months > MONTHS_OF_A_RECENT_FILE:
        reason = f"has {months} months, and one of this dataset has {MONTHS_OF_A_RECENT_FILE} at most"
        raise delivery.refuse("SPAN_OF_ANOTHER_DATASET", reason, not_this)


def _uncovered(spans: Sequence[tuple[dt.date, dt.date]]) -> set[str]:
    """The months (YYYYMM) between the first and the last of some spans that none of them has."""
    covered = {month for first, last in spans for month in months_between(f"{first:%Y%m}", f"{last:%Y%m}")}
    return set(months_between(min(covered), max(covered))) - covered


def check(delivery: Delivery) -> Labels:
    """See `ingest.checks`."""
    kind = delivery.name.partition("_")[0]
    if kind == "borough":
        _check_no_zeros(delivery)
        return {f"homicide {month}": count for month, count in _homicides(delivery)}
    if kind == "dashboard":
        return check_dashboard(delivery)
    if kind in {"ward", "lsoa"}:
        _check_boroughs(delivery, "borough_name")
        check_code_and_name_agree(delivery, f"{kind}_code", "borough_name")
        _check_small_areas(delivery, f"{kind}_code")
    elif kind == "vawg":
        _check_boroughs(delivery, "borough_name", enough=BOROUGHS_OF_A_DASHBOARD)
        check_vawg_sheets(delivery)
    elif delivery.done.first and delivery.done.last:
        years = (delivery.done.last - delivery.done.first).days / 365.25
        if years >= YEARS_WITH_EVERY_BOROUGH:
            _check_boroughs(delivery, "borough")
    return {}


def _check_no_zeros(delivery: Delivery) -> None:
    """Refuse a file by borough in which a borough has a month without any offence, a category none at all, or a month none of a category that
    every month has: in no edition since 2008 was that so."""
    every = {
        folded(row["published_minor"]): row["published_minor"]
        for row in seed("mps_category")
        if row["measure_code"] in IN_EVERY_MONTH
    }
    code_of, names = area_codes(), borough_names()
    for kind, label, month in delivery.rows(
        """, counted as (
               select lower(regexp_replace(btrim(minor_text), '\\s+', ' ', 'g')) as category, borough_name, month_header,
                   sum(cell::numeric) as count
               from delivered group by 1, 2, 3
           )
           select 'borough', borough_name, month_header from counted group by 2, 3 having sum(count) = 0
           union all select 'category', category, '' from counted group by 2 having sum(count) = 0
           union all select 'category', category, month_header from counted where category = any({every}) group by 2, 3 having sum(count) = 0
           order by 1, 2, 3""",
        every=sql.Literal(sorted(every)),
    ):
        when = f" in {month}" if month else ""
        borough = names.get(code_of.get(folded(label), ""))
        if kind == "borough" and borough:
            raise delivery.refuse(
                "NOTHING_COUNTED", f"has 0 offences of every category in {borough}{when}, where there always are some"
            )
        if kind == "category":
            raise delivery.refuse(
                "NOTHING_COUNTED",
                f"has 0 offences of {every.get(label, label)} in every borough{when}, where there always are some",
            )


def _homicides(delivery: Delivery) -> Iterator[tuple[str, int]]:
    """Homicides by month (YYYY-MM) of a file by borough."""
    labels = {folded(row["published_minor"]) for row in seed("mps_category") if row["measure_code"] == "mps_homicide"}
    columns = delivery.dataset.layout.month_columns
    assert columns is not None  # noqa: S101 - declared so
    for header, count in delivery.rows(
        """select month_header, sum(cell::numeric)::integer from delivered
           where lower(regexp_replace(btrim(minor_text), '\\s+', ' ', 'g')) = any({labels}) group by 1 order by 1""",
        labels=sql.Literal(sorted(labels)),
    ):
        if month := month_of(header, columns):
            yield f"{month[:4]}-{month[4:]}", count


def _check_boroughs(delivery: Delivery, column: str, enough: int = 0) -> None:
    """Refuse a file that lacks boroughs and has at least `enough` of them."""
    code_of = area_codes()
    labels = delivery.rows("select distinct {column} from delivered", column=sql.Identifier(column))
    wanted = borough_names().keys()
    lacks = sorted(wanted - {code_of.get(folded(label or "")) for (label,) in labels})
    has = len(wanted) - len(lacks)
    if lacks and has >= enough:
        raise delivery.refuse(
            "AREAS_MISSING", f"has rows of {has} of the 32 boroughs: it lacks {area_names(lacks)}", NEXT_DAMAGED
        )


def _check_small_areas(delivery: Delivery, code: str) -> None:
    """Refuse a file that lacks rows within a borough: its commonest crime is in nearly all of the borough's areas, and so are they."""
    found = delivery.rows(
        """, listed as (select borough_name, {code} as area, concat_ws(' / ', major_text, minor_text) as category from delivered),
           commonest as (
               select borough_name, category, count(distinct area) as areas,
                   row_number() over (partition by borough_name order by count(distinct area) desc, category) as place
               from listed group by 1, 2
           )
           select listed.borough_name, array_agg(distinct listed.area), min(commonest.areas), min(commonest.category)
           from listed inner join commonest on commonest.borough_name = listed.borough_name and commonest.place = 1
           group by 1 order by 1""",
        code=sql.Identifier(code),
    )
    code_of, names = area_codes(), borough_names()
    there: dict[str, set[str]] = defaultdict(set)
    for label, areas, most, category in found:
        borough = code_of.get(folded(label), "")
        there[borough].update(areas)
        if borough in names and len(areas) >= AREAS_TO_JUDGE_BY and most < IN_AREAS * len(areas):
            raise delivery.refuse(
                "AREAS_MISSING",
                f"has rows of {len(areas):,} areas in {names[borough]}, and its commonest crime there ({category}) in {most:,} of them: "
                "rows are missing",
            )
    if code != "lsoa_code" or sum(map(len, there.values())) < LSOAS_OF_A_WHOLE_FILE:
        return
    wanted: dict[str, dict[str, set[str]]] = {"is_lsoa_2011": defaultdict(set), "is_lsoa_2021": defaultdict(set)}
    for row in seed("lsoa_borough"):
        for census, boroughs in wanted.items():
            if row[census] == "true":
                boroughs[row["area_code"]].add(row["lsoa_code"])
    for borough, name in names.items():
        has, of = max(
            ((len(there[borough] & boroughs[borough]), len(boroughs[borough])) for boroughs in wanted.values()),
            key=lambda one: one[0] / one[1],
        )
        if has < IN_AREAS * of:
            raise delivery.refuse("AREAS_MISSING", f"has {has:,} of the {of:,} LSOAs of {name}: rows are missing")
