"""MPS: a file has all 32 boroughs and all that its areas always have, says the same wherever it says a thing twice, and is of the crimes
its name says."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

from psycopg import sql

from ingest.delivery import NEXT_NAME, Delivery, Labels, area_names, borough_names, seed
from ingest.readers.code_lists import listed, vintage_list
from ingest.readers.faults import NEXT_DAMAGED
from ingest.readers.headers import month_of, months_between
from ingest.readers.month_columns import MonthFile
from ingest.readers.text import folded
from ingest.readers.times import day_of
from ingest.sources.mps.boroughs import faults_of

# A dashboard with rows of fewer is a piece that somebody cut out: it is loaded, and one of counts speaks for nothing
# (int_mps_dashboard_release).
BOROUGHS_OF_A_DASHBOARD = 16
KNIFE = "knife crime"
# Of what a file counts in two ways: in 48 months of knife crime 0.001 by borough and team, in 146 of the VAWG workbook nothing.
MAY_DIFFER = 0.05
# The commonest crime of a dashboard is in every borough in every month, where it is so common.
COMMON, IN_BOROUGH_MONTHS = 20, 0.95
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
# The whole history by borough begins in January 2008 once, in April 2010 since.
BEGINS_WITHIN = {"borough_historical": 36}  # months after the one that stands


def check_rows(delivery: Delivery) -> None:
    """See `ingest.checks`: a file by borough has all of them; the months of a file are those of its dataset, and none is left between
    it and the one it abuts."""
    if isinstance(delivery.opened.content, MonthFile) and delivery.name.startswith("borough"):
        categories = vintage_list(delivery.dataset.layout)
        assert categories is not None  # noqa: S101 - declared so
        if faults := faults_of(delivery.opened.content, listed(categories)):
            raise delivery.refuse_rows(faults)
    first, last, other = delivery.done.first, delivery.done.last, ABUTS.get(delivery.name)
    if other is None or first is None or last is None:
        return
    spans = delivery.cursor.execute(
        """select dataset, first_period, last_period, state = 'loaded' from ops.load
           where source = %s and dataset = any(%s) and state in ('loaded', 'superseded')""",
        [delivery.source.source, [delivery.name, other]],
    ).fetchall()
    not_this = f"see that it is not a file of {other}"
    begun = max((begin for name, begin, _, is_loaded in spans if name == delivery.name and is_loaded), default=first)
    later = (first.year - begun.year) * 12 + first.month - begun.month
    if later > BEGINS_WITHIN.get(delivery.name, later):
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
        return _check_dashboard(delivery)
    if kind in {"ward", "lsoa"}:
        _check_boroughs(delivery, "borough_name")
        _check_small_areas(delivery, f"{kind}_code")
    elif kind == "vawg":
        _check_boroughs(delivery, "borough_name", enough=BOROUGHS_OF_A_DASHBOARD)
        _check_vawg_sheets(delivery)
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
    code_of, names = _area_codes(), borough_names()
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


def _area_codes() -> dict[str, str]:
    """Code of an area by each label that the police have for it (folded)."""
    return {folded(row["published_name"]): row["area_code"] for row in seed("area_aliases") if row["source"] == "mps"}


def _check_boroughs(delivery: Delivery, column: str, enough: int = 0) -> None:
    """Refuse a file that lacks boroughs and has at least `enough` of them."""
    code_of = _area_codes()
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
    code_of, names = _area_codes(), borough_names()
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


def _check_vawg_sheets(delivery: Delivery) -> None:
    """Refuse a workbook whose sheets by place and by class do not count the same offences."""
    found = delivery.rows(
        """select left(recorded_month, 10),
               coalesce(sum(count::numeric) filter (where lower(btrim(sheet)) = 'offence count location'), 0)::integer,
               coalesce(sum(count::numeric) filter (where lower(btrim(sheet)) = 'offence count classification'), 0)::integer
           from delivered group by 1 order by 1"""
    )
    _check_twice(
        delivery, "the sheet by location", "that by classification", [((month,), a, b) for month, a, b in found]
    )


def _check_twice(
    delivery: Delivery, one: str, other: str, found: Sequence[tuple[tuple[str, ...], float, float]]
) -> None:
    """Refuse a file that counts the same in two ways and comes to different figures; one that counts in one way alone is free."""
    here, there = sum(a for _, a, _ in found), sum(b for _, _, b in found)
    differ = [(about, a, b) for about, a, b in found if a != b]
    if not here or not there or sum(abs(a - b) for _, a, b in differ) <= MAY_DIFFER * max(here, there):
        return
    about, a, b = max(differ, key=lambda row: abs(row[1] - row[2]))
    raise delivery.refuse(
        "FIGURES_DISAGREE",
        f"counts {here:,} in {one} and {there:,} in {other}, and differs in {len(differ):,} of {len(found):,} figures, most in "
        f"{' / '.join(about)} ({a:,} and {b:,}): rows are missing",
    )


@dataclasses.dataclass(frozen=True)
class _Figure:
    """A month's count of one crime in one area of a dashboard: a borough (empty where it is none), by itself or all its teams."""

    is_of_teams: bool
    borough: str
    month: str
    crime: str
    is_offences: bool  # or outcomes
    count: int


def _check_dashboard(delivery: Delivery) -> Labels:
    """Refuse a dashboard of the wrong crimes, or not whole; returns the offences that one of all crimes counts by month."""
    if delivery.name != "dashboard_tno":
        _check_subject(delivery)
    figures = list(_figures(delivery))
    wanted = borough_names()
    has = {figure.borough for figure in figures if not figure.is_of_teams} & wanted.keys()
    if len(has) < BOROUGHS_OF_A_DASHBOARD:
        return {}
    if lacks := sorted(wanted.keys() - has):
        raise delivery.refuse(
            "AREAS_MISSING", f"has rows of {len(has)} of the 32 boroughs: it lacks {area_names(lacks)}", NEXT_DAMAGED
        )
    twice: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
    by_crime: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    offences: dict[str, int] = defaultdict(int)
    for figure in figures:
        if figure.is_offences and not figure.is_of_teams:
            offences[f"offences {figure.month}"] += figure.count
        if figure.borough not in wanted:
            continue
        measure = "offences" if figure.is_offences else "outcomes"
        twice[wanted[figure.borough], figure.month, figure.crime, measure][figure.is_of_teams] += figure.count
        if figure.is_offences and not figure.is_of_teams:
            by_crime[figure.crime][figure.borough, figure.month] = figure.count
    _check_twice(
        delivery, "rows of boroughs", "those of their teams", [(about, a, b) for about, (a, b) in twice.items()]
    )
    _check_commonest(delivery, by_crime, len({figure.month for figure in figures}))
    return offences if delivery.name == "dashboard_tno" else {}


def _figures(delivery: Delivery) -> Iterator[_Figure]:
    """What a dashboard counts, wards added up to teams of a borough: a team's label is its borough's, a space and its own."""
    code_of, period = _area_codes(), delivery.dataset.layout.period
    assert period is not None  # noqa: S101 - declared so
    boroughs = sorted((label for label, code in code_of.items() if code in borough_names()), key=len, reverse=True)
    offences = {folded(row["published_measure"]) for row in seed("mps_dashboard_count") if row["counted"] == "offences"}

    @cache
    def borough_of(label: str) -> str:
        return next((code_of[borough] for borough in boroughs if f"{label} ".startswith(f"{borough} ")), "")

    for is_borough, label, month, crime, measure, count in delivery.rows(
        """select lower(btrim(area_type)) like 'borough%', coalesce(nullif(btrim(borough_snt), ''), area_name, ''), month_year,
               crime_subtype, measure, sum(count::numeric)::integer
           from delivered group by 1, 2, 3, 4, 5"""
    ):
        borough = code_of.get(folded(label), "") if is_borough else borough_of(folded(label))
        day = day_of(month, period)
        yield _Figure(not is_borough, borough, f"{day:%Y-%m}", folded(crime), folded(measure) in offences, count)


def _check_commonest(delivery: Delivery, by_crime: dict[str, dict[tuple[str, str], int]], months: int) -> None:
    """Refuse a dashboard whose commonest crime lacks boroughs in some months."""
    crime, counts = max(by_crime.items(), key=lambda one: sum(one[1].values()), default=("", {}))
    cells = months * len(borough_names())
    if sum(counts.values()) >= COMMON * len(counts) and len(counts) < IN_BOROUGH_MONTHS * cells:
        raise delivery.refuse(
            "AREAS_MISSING",
            f"has its commonest crime ({crime}) in {len(counts):,} of the {cells:,} months of 32 boroughs: rows are missing",
        )


def _check_subject(delivery: Delivery) -> None:
    """Refuse the dashboard of knife crime under the published name of the other one, or the other way round."""
    named_for = delivery.file_name.casefold()
    subjects = {folded(subject) for (subject,) in delivery.rows("select distinct crime_type from delivered")}
    if "knifecrime" in named_for and KNIFE not in subjects:
        raise delivery.refuse(
            "NAME_DIFFERS_FROM_ROWS",
            f"is of knife crime by its name, and has rows of {', '.join(sorted(subjects))}",
            NEXT_NAME,
        )
    if "othercrime" in named_for and subjects == {KNIFE}:
        raise delivery.refuse(
            "NAME_DIFFERS_FROM_ROWS", "is of other crimes by its name, and has knife crime alone", NEXT_NAME
        )
