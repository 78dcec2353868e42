"""The titles of the site's figures claim what the marts have found, and no more."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from warehouse.site import formats
from warehouse.site.model import Area, Column
from warehouse.site.topics import drivers, findings, glance, people, places
from warehouse.site.topics.health import charged

HACKNEY = Area("E09000012", "Hackney", "hackney")


def of_a_time(value: str, share: float, lower: float, *, index: float | None, known: int) -> dict[str, Any]:
    return {
        "dimension_value": value, "known_count": known, "share_percent": share, "share_lower_95_percent": lower,
        "expected_share_percent": 2.4, "index_to_expected": index,
    }  # fmt: skip


def test_no_peak_is_named_of_a_few_events_however_far_apart_their_limits_lie() -> None:
    rows = [of_a_time("3 Wednesday 00-03", 25.0, 4.6, index=None, known=4)]
    assert (
        places.peak("police events of violence")(rows, HACKNEY) == "Police events of violence: too few to name a peak"
    )
    indexed = [of_a_time("3 Wednesday 00-03", 25.0, 4.6, index=1042.0, known=29)]
    assert places.peak("calls")(indexed, HACKNEY) == "Calls: too few to name a peak"


def test_no_peak_is_named_where_the_mart_has_no_index_of_any_time() -> None:
    rows = [of_a_time("5 Friday 20-23", 9.0, 5.0, index=None, known=90)]
    assert places.peak("calls")(rows, HACKNEY) == "Calls: too few to name a peak"


def test_a_peak_is_each_time_whose_lower_limit_is_above_what_is_expected_the_highest_first() -> None:
    rows = [
        of_a_time("1 Monday 04-07", 1.0, 0.4, index=42.0, known=300),
        of_a_time("5 Friday 20-23", 6.0, 4.1, index=250.0, known=300),
        of_a_time("6 Saturday 00-03", 7.0, 5.0, index=292.0, known=300),
    ]
    assert (
        places.peak("calls")(rows, HACKNEY)
        == "Calls: more than expected on Saturday 00:00 to 03:59 and Friday 20:00 to 23:59"
    )
    assert places.peak("calls")(rows[:1], HACKNEY) == "Calls: no time stands out"


def test_hours_that_the_mart_withholds_are_not_given() -> None:
    rows = [{**of_a_time("5 Friday 20-23", 0, 0, index=None, known=0), "known_count": None}]
    assert places.peak("calls")(rows, HACKNEY) == "Calls: weekdays and hours are not given"


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (4, "December 2025 to November 2026 (4 of 12 months held)"),
        (12, "December 2025 to November 2026"),
        (None, "December 2025 to November 2026"),
    ],
)
def test_a_period_says_how_many_of_its_months_are_held_where_some_are_not(held: int | None, said: str) -> None:
    row = {"period_start_date": dt.date(2025, 12, 1), "period_end_date": dt.date(2026, 11, 30), "months_held": held}
    assert findings.period(row) == said


@pytest.mark.parametrize(
    ("names", "said"),
    [(["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C"), (["A", "B", "C", "D"], "A, B, C and others")],
)  # fmt: skip
def test_names_are_listed_to_the_third(names: list[str], said: str) -> None:
    assert findings.listed(names) == said


def of_a_group(name: str, lower: float | None) -> dict[str, Any]:
    return {"group": name, "disproportionality_lower_95": lower}


def test_a_group_is_above_its_share_where_its_interval_lies_above_1() -> None:
    searched = people.apart("People searched (ethnicity seen)")
    rows = [of_a_group("Asian", 0.17), of_a_group("Black", 1.71), of_a_group("Unknown", None)]
    assert searched(rows, HACKNEY) == "People searched (ethnicity seen): Black above their share"
    assert searched(rows[:1], HACKNEY) == "People searched (ethnicity seen): none clearly above its share"
    assert searched(rows[2:], HACKNEY) == "People searched (ethnicity seen): too few to compare"


def test_an_age_of_which_one_sex_has_nobody_keeps_its_place_in_the_pyramid() -> None:
    shares = {"share_of_known_percent": 12.5, "residents_share_percent": 3.1}
    rows = [
        {"age_band": "25-29", "sex": "male", **shares},
        {
            "age_band": "35-39",
            "sex": "unknown",
            "share_percent": 8.3,
            "share_of_known_percent": None,
            "residents_share_percent": None,
        },
    ]
    assert people.pyramid(rows, HACKNEY) == [
        {"age_band": "25-29", "sex": "female", "share": None, "residents_share": None},
        {"age_band": "25-29", "sex": "male", "share": 12.5, "residents_share": 3.1},
        {"age_band": "35-39", "sex": "female", "share": None, "residents_share": None},
        {"age_band": "35-39", "sex": "male", "share": None, "residents_share": None},
    ]


def of_an_outcome(code: str, count: int, share: float, *, cohort: int, months: int = 8) -> dict[str, Any]:
    return {
        "outcome_code": code, "crime_count": count, "share_percent": share, "cohort_count": cohort, "months_followed": months,
    }  # fmt: skip


def test_below_thirty_crimes_a_title_gives_counts_and_no_percentage() -> None:
    title = charged("Robbery")
    one = [of_an_outcome("charged", 0, 0.0, cohort=1), of_an_outcome("court_result", 0, 0.0, cohort=1)]
    assert title(one, HACKNEY) == "Robbery: none charged so far"
    two = [of_an_outcome("charged", 1, 50.0, cohort=2, months=1), of_an_outcome("court_result", 0, 0.0, cohort=2)]
    assert title(two, HACKNEY) == "Robbery: 1 charged"
    at_court = [of_an_outcome("charged", 0, 0.0, cohort=29), of_an_outcome("court_result", 3, 10.3, cohort=29)]
    assert title(at_court, HACKNEY) == "Robbery: 3 with court result"


def test_from_thirty_crimes_a_title_gives_shares_of_them() -> None:
    rows = [of_an_outcome("charged", 3, 10.0, cohort=30), of_an_outcome("court_result", 6, 20.0, cohort=30)]
    assert charged("Robbery")(rows, HACKNEY) == "Robbery: 10.0% charged, 20.0% with court result"


def test_outcomes_that_the_mart_does_not_have_are_not_known() -> None:
    assert charged("Robbery")([of_an_outcome("open", 1, 100.0, cohort=1)], HACKNEY) == "Robbery: outcomes are not known"


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        ("mps_homicide", "Homicide", "Homicide offences"),
        ("mps_homicide_victims", "Homicide victims", "Homicide victims"),
        (None, None, ""),
    ],
)
def test_offences_of_homicide_are_told_apart_from_its_victims(code: str | None, name: str | None, said: str) -> None:
    assert findings.measured({"measure_code": code, "measure_name": name}) == said


def test_a_card_says_what_is_counted_and_that_its_rate_is_a_years() -> None:
    row = {
        "success_measure_code": "homicide", "success_measure_name": "Homicide", "availability": "exact", "variant": "all",
        "measure_code": "mps_homicide_victims", "measure_name": "Homicide victims", "value": 1.634, "lower_95": 0.6, "upper_95": 3.56,
        "numerator": 6, "period_start_date": dt.date(2025, 10, 1), "period_end_date": dt.date(2026, 9, 30), "change_in_words": None,
        "reason": None,
    }  # fmt: skip
    (card,) = glance.cards([row])
    (answer,) = card["answers"]
    assert (answer["value"], answer["unit"], answer["counted"]) == ("1.63", "per 100,000 a year", "Homicide victims: 6")


def test_a_table_of_rates_of_several_units_says_each() -> None:
    column = Column("rate_per", "Unit of the rate", "unit")
    assert [formats.cell(column, per) for per in (1000, 100000)] == [
        "per 1,000 residents a year",
        "per 100,000 residents a year",
    ]


def test_a_driver_is_worse_or_better_by_which_side_its_measure_calls_better() -> None:
    rows = [
        {"polarity": polarity, "compared_to_london": compared}
        for polarity, compared in (
            ("lower_is_better", "higher"), ("higher_is_better", "lower"), ("higher_is_better", "higher"), ("lower_is_better", "similar"),
            ("neutral", "higher"), ("lower_is_better", None),
        )
    ]  # fmt: skip
    title = next(figure.title for figure in drivers.DRIVERS.figures if figure.key == "drivers")
    assert callable(title)
    assert title(rows, HACKNEY) == "Of 4 drivers, 2 are worse than London's, 1 better"
    assert title(rows[:1], HACKNEY) == "Of 1 driver, 1 is worse than London's, 0 better"


def test_the_curve_of_wards_has_its_point_at_the_last_of_those_of_one_rank() -> None:
    rows = [
        {"rank_in_borough": rank, "cumulative_share_of_borough_percent": share}
        for rank, share in ((1, 40.0), (2, 80.0), (2, 80.0), (4, 100.0), (5, 100.0))
    ]
    drawn = places.WHERE.figures[0].shaped
    assert drawn
    assert [row["count_share"] for row in drawn(rows, HACKNEY)] == [40.0, None, 80.0, 100.0, 100.0]
