"""The police's dashboards: whether one is whole, says the same wherever it says a thing twice, and is of the crimes its name says."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

from ingest.checks.labels_agree import check_code_and_name_agree
from ingest.delivery import NEXT_NAME, Delivery, Labels, area_names, borough_names, seed
from ingest.readers.faults import NEXT_DAMAGED
from ingest.readers.text import folded
from ingest.readers.times import day_of
from ingest.sources.mps.boroughs import area_codes
from ingest.sources.mps.revisions import BOROUGH_OF_A_DASHBOARD

# A dashboard with rows of fewer is a piece that somebody cut out: it is loaded, and one of counts speaks for nothing
# (int_mps_dashboard_release).
BOROUGHS_OF_A_DASHBOARD = 16
KNIFE = "knife crime"
# Of what a file counts in two ways: in 48 months of knife crime 0.001 by borough and team, in 146 of the VAWG workbook nothing.
MAY_DIFFER = 0.05
# So many in one of the two ways and none in the other: a row is missing.
MISSED = 20
# The commonest crime of a dashboard is in every borough in every month, where it is so common.
COMMON, IN_BOROUGH_MONTHS = 20, 0.95


def check_vawg_sheets(delivery: Delivery) -> None:
    """Refuse a workbook whose sheets by place and by class do not count the same offences."""
    found = delivery.rows(
        """select left(recorded_month, 10),
               coalesce(sum(count::numeric) filter (where lower(btrim(sheet)) = 'offence count location'), 0)::integer,
               coalesce(sum(count::numeric) filter (where lower(btrim(sheet)) = 'offence count classification'), 0)::integer
           from delivered group by 1 order by 1"""
    )
    _check_twice(
        delivery,
        "the sheet by location",
        "that by classification",
        [((month,), a, b) for month, a, b in found],
        each=True,
    )


def _check_twice(
    delivery: Delivery, one: str, other: str, found: Sequence[tuple[tuple[str, ...], float, float]], *, each: bool = False
) -> None:  # fmt: skip
    """Refuse a file that counts the same in two ways and comes to different figures, all in all or (each) in one of them or slightly in several; one
    that counts in one way alone is free."""
    here, there = sum(a for _, a, _ in found), sum(b for _, _, b in found)
    differ = [(about, a, b) for about, a, b in found if a != b]
    is_wrong = (
        sum(abs(a - b) for _, a, b in differ) > MAY_DIFFER * max(here, there)
        or (each and (len(differ) > 1 or any(abs(a - b) > MAY_DIFFER * max(a, b) for _, a, b in differ)))
        or any(min(a, b) == 0 and max(a, b) >= MISSED for _, a, b in differ)
    )
    if not here or not there or not is_wrong:
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


def check_dashboard(delivery: Delivery) -> Labels:
    """Refuse a dashboard of the wrong crimes, or not whole; returns the offences that one of all crimes counts by month."""
    if delivery.name != "dashboard_tno":
        _check_subject(delivery)
    check_code_and_name_agree(delivery, "area_code", BOROUGH_OF_A_DASHBOARD)
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
    code_of, period = area_codes(), delivery.dataset.layout.period
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
