"""At a glance, and the profile: where the borough stands on every measure at once."""

from __future__ import annotations

from typing import Any

from warehouse.site import formats
from warehouse.site.model import Area, Column, Figure, Row, Rows, Topic
from warehouse.site.topics import findings

VARIANTS = {
    "all": "All",
    "under_25": "Under 25",
    "non_domestic": "Not domestic abuse",
    "non_domestic_under_25": "Under 25, not domestic abuse",
}
SUCCESS_COLUMNS = (
    Column("success_measure_name", "Measure"),
    Column("measure_name", "What is counted"),
    Column("availability", "Available", "code"),
    Column("period", "Period"),
    Column("numerator", "Count", "count"),
    Column("value", "Per 100,000 a year", "rate"),
    Column("lower_95", "Lower 95% limit", "rate"),
    Column("upper_95", "Upper 95% limit", "rate"),
    Column("change_in_words", "Against before", "long"),
    Column("reason", "How it is counted, or why it is missing", "long"),
    Column("feed_needed", "What would answer it", "long"),
)


def _available(rows: Rows, area: Area) -> str:
    names = ("homicide", "knife_enabled_violence", "sharp_object_admissions")
    exact = {row["success_measure_code"] for row in rows if row["availability"] == "exact"}
    return f"{len(exact)} of {len(names)} success measures can be given exactly"


def _significance(row: Row) -> str:
    return str(row["significance_against_london"] or "")


def _rug(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "measure_name": row["measure_name"], "column": f"{row['window_start_date']:%Y}/{row['window_end_date']:%y}",
            "significance": _significance(row), "value": row["rate"],
        }
        for row in rows
    ]  # fmt: skip


def _spine(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "measure_name": row["measure_name"], "value": row["rate"], "low": row["lowest_rate"], "q1": row["rate_ranked_24"],
            "median": row["rate_ranked_16"], "q3": row["rate_ranked_8"], "high": row["highest_rate"], "benchmark": row["london_rate"],
            "significance": _significance(row),
        }
        for row in rows
    ]  # fmt: skip


def standing(rows: Rows, area: Area) -> str:
    """Says on how many measures the mart finds the area above and below London."""
    above = sum(findings.against_london(row) == "above London" for row in rows)
    below = sum(findings.against_london(row) == "below London" for row in rows)
    return f"Of {len(rows)} measures, {above} are above London, {below} below"


def _years(rows: Rows, area: Area) -> str:
    first, last = min(row["window_start_date"] for row in rows), max(row["window_end_date"] for row in rows)
    return f"Each measure's rate against London's, financial years {first:%Y}/{(first.year + 1) % 100:02d} to {last.year - 1}/{last:%y}"


GLANCE = Topic(
    1,
    "index",
    "At a glance",
    "What should a partnership know first?",
    (
        Figure(
            "success-measures", "success_measures", _available, "The three success measures of the serious violence duty, and whether open data answer them",
            SUCCESS_COLUMNS, report="rpt_success_measures",
        ),
    ),
    questions=(32,),
)  # fmt: skip

PROFILE = Topic(
    2,
    "profile",
    "Profile",
    "On which measures does it differ from London, and for how long?",
    (
        Figure(
            "spine", "profile", standing,
            lambda rows, area: f"Rates of the {findings.twelve_months(rows)}: the borough (point), London (line), the 32 boroughs (bars: the middle half)",
            (
                Column("measure_name", "Measure"), Column("window_count", "Count", "count"), Column("rate_per", "Unit of the rate", "unit"),
                Column("rate", "Rate", "rate"), Column("rate_lower_95", "Lower 95% limit", "rate"), Column("rate_upper_95", "Upper 95% limit", "rate"),
                Column("london_rate", "London", "rate"), Column("similar_areas_rate", "Similar areas", "rate"),
                Column("rank_in_london", "Rank", "count"), Column("significance_against_london", "Against London"),
                Column("lowest_rate", "Lowest", "rate"), Column("rate_ranked_24", "24th", "rate"), Column("rate_ranked_16", "16th", "rate"),
                Column("rate_ranked_8", "8th", "rate"), Column("highest_rate", "Highest", "rate"),
            ),
            "spine", name="Measures beside London", shaped=_spine, report="rpt_borough_measure",
            note="The middle half runs from the 24th highest rate to the 8th highest; the middle is the 16th highest.",
        ),
        Figure(
            "rug", "years", _years, "Significance of the difference from London: High and Low at 0.1% and at 2.5%, as the mart tests it",
            (
                Column("measure_name", "Measure"), Column("window_start_date", "From", "month"), Column("window_end_date", "To", "month"),
                Column("window_count", "Count", "count"), Column("rate_per", "Unit of the rate", "unit"), Column("rate", "Rate", "rate"), Column("london_rate", "London", "rate"),
                Column("significance_against_london", "Against London"),
            ),
            "rug", name="Financial years beside London", shaped=_rug, report="rpt_borough_measure",
        ),
    ),
    chapters=("How much",),
    questions=(1, 6, 13, 14, 23),
)  # fmt: skip


def cards(rows: Rows) -> list[dict[str, Any]]:
    """The success measures as cards: of each measure and of whom it is, the first answer that the mart puts on a page."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        code = row["success_measure_code"]
        group = found.setdefault(
            code,
            {"name": row["success_measure_name"].partition(",")[0], "availability": row["availability"], "answers": []},
        )
        who = VARIANTS.get(row["variant"], row["variant"])
        if who in (answer["who"] for answer in group["answers"]):
            continue
        has_value = row["value"] is not None
        group["answers"].append({
            "who": who, "value": formats.rate(row["value"]) if has_value else "", "unit": "per 100,000 a year",
            "limits": f"95% limits {formats.rate(row['lower_95'])} to {formats.rate(row['upper_95'])}" if has_value and row["lower_95"] is not None else "no limits",
            "counted": f"{findings.measured(row)}: {formats.count(row['numerator']) if row['numerator'] is not None else 'count not published'}",
            "period": f"{formats.month(row['period_start_date'])} to {formats.month(row['period_end_date'])}" if row["period_start_date"] else "",
            "change": row["change_in_words"] or "", "reason": row["reason"] or "",
        })  # fmt: skip
    return list(found.values())


def with_period(row: Row) -> dict[str, Any]:
    """A success measure's row with its period in one column, and what its measure counts."""
    first, last = row["period_start_date"], row["period_end_date"]
    return {
        **row,
        "measure_name": findings.measured(row),
        "period": f"{formats.month(first)} to {formats.month(last)}" if first else None,
    }
