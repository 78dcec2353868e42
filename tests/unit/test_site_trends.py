"""What the pages of trend and comparison draw, and say in their titles, of rows of the marts."""

from __future__ import annotations

import datetime as dt

from warehouse.site import overview
from warehouse.site.model import LONDON, Area
from warehouse.site.topics import findings, trends

HACKNEY = Area("E09000012", "Hackney", "hackney")


def month(day: str, rate: float | None, *, holds_break: bool = False, is_cut: bool = False) -> dict[str, object]:
    return {
        "month_start_date": dt.date.fromisoformat(day), "rolling_12_count": 7, "rate": rate, "rate_lower_95": 1.0, "rate_upper_95": 3.0,
        "london_rate": 4.0, "similar_areas_rate": None, "is_provisional": False, "holds_break": holds_break, "is_cut": is_cut,
        "break_labels": "another system" if is_cut else None,
    }  # fmt: skip


def test_windows_that_hold_a_break_are_drawn_in_no_line_and_the_cut_is_kept() -> None:
    rows = [
        month("2024-02-01", 2.0),
        month("2024-03-01", 2.1, holds_break=True, is_cut=True),
        month("2024-04-01", 2.2, holds_break=True),
        month("2025-02-01", 2.3),
    ]
    drawn = trends.lines(rows, HACKNEY)
    assert [
        (str(row["period_start_date"])[:7], row["value"], row["is_break"])
        for row in drawn
        if row["series"] == "Hackney"
    ] == [("2024-02", 2.0, False), ("2024-03", None, True), ("2025-02", 2.3, False)]
    assert [row["value"] for row in drawn if row["series"] == "London"] == [4.0, None, 4.0]
    assert {row["lower"] for row in drawn if row["value"] is None} == {None}


def test_bars_have_london_once_for_its_line() -> None:
    rows = [
        {"area_code": code, "area_name": name, "rate": rate, "rate_lower_95": 0, "rate_upper_95": 9, "london_rate": 5.0, "value_note": None, "residents_caveat": None}
        for code, name, rate in (("E09000002", "Barking and Dagenham", None), ("E09000012", "Hackney", 6.0))
    ]  # fmt: skip
    assert [(row["area_name"], row["value"], row["is_this"]) for row in trends.bars(rows, HACKNEY)] == [
        ("Hackney", 6.0, True),
        ("Barking and Dagenham", None, False),
        ("London", 5.0, False),
    ]


def test_a_chart_of_too_few_events_signals_nothing() -> None:
    def said(has_enough_events: bool | None, signal: str) -> str:
        row = {"month_start_date": dt.date(2026, 11, 1), "has_enough_events": has_enough_events, "chart_signal": signal}
        return findings.signal("Homicide")([row], HACKNEY)

    assert said(False, "above_upper_limit") == "Homicide: too few a month for its limits to tell in November 2026"
    assert said(True, "above_upper_limit") == "Homicide: above its limits in November 2026"
    assert said(None, "") == "Homicide: too few months for limits"


def test_figures_of_a_newer_period_are_not_called_changed() -> None:
    def said(*why: str) -> str:
        return overview._changed([{"why": one} for one in why], LONDON)

    assert said("newer period", "newer period", "new", "no longer given") == (
        "No headline figure of the same period changed; 2 moved to a newer period"
    )
    assert said("newer period", "[r] revised by the publisher", "corrected by us") == (
        "2 headline figures of the same period changed; 1 moved to a newer period"
    )
