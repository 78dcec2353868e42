"""Drivers and deprivation: what is known to go with violence."""

from __future__ import annotations

from typing import Any

from warehouse.site import formats
from warehouse.site.model import Area, Column, Figure, Rows, Topic
from warehouse.site.topics import findings

DEPRIVED = {
    "mps_violence_with_injury": "Violence with injury",
    "mps_robbery_personal": "Personal robbery",
    "mps_weapons_possession": "Possession of weapons",
}


APART = ("higher", "lower")
# What is worse of a measure, by its polarity; of one that has no better side nothing is.
_WORSE = {"lower_is_better": "higher", "higher_is_better": "lower"}


def _z_scores(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "measure_name": row["measure_name"], "value": row["z_score"], "low": row["lowest_z_score"], "q1": row["z_score_ranked_24"],
            "median": row["z_score_ranked_16"], "q3": row["z_score_ranked_8"], "high": row["highest_z_score"], "benchmark": 0.0,
            "significance": None,  # the table's: it is against London's value, and the position against the mean of the boroughs
        }
        for row in rows
        if row["z_score"] is not None and row["lowest_z_score"] is not None
    ]  # fmt: skip


def _apart(rows: Rows, area: Area) -> str:
    judged = [
        _WORSE[row["polarity"]] == row["compared_to_london"]
        for row in rows
        if row["polarity"] in _WORSE and row["compared_to_london"] in APART
    ]
    told = findings.counted(
        sum(row["polarity"] in _WORSE and bool(row["compared_to_london"]) for row in rows), "driver"
    )
    return f"Of {told}, {sum(judged)} {'is' if sum(judged) == 1 else 'are'} worse than London's, {len(judged) - sum(judged)} better"


def _rank(rows: Rows, area: Area) -> str:
    return f"Ranks {formats.ordinal(rows[0]['priority_rank'])} of 32 on the index of drivers"


def _without(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "label": f"without {row['measure_name']}", "value": row["priority_index_without"], "lower": None, "upper": None,
            "benchmark": row["priority_index"],
        }
        for row in rows
        if row["priority_index_without"] is not None
    ]  # fmt: skip


def _quintiles(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "quintile": row["quintile"], "value": row["rate_per_1000"], "lower": row["rate_per_1000_lower_95"],
            "upper": row["rate_per_1000_upper_95"],
        }
        for row in rows
    ]  # fmt: skip


def _slope(name: str) -> Any:
    def title(rows: Rows, area: Area) -> str:
        first = rows[0]
        if first["slope_index_per_1000"] is None:
            return f"{name} by deprivation of the place"
        return f"{name}: slope of {formats.number(first['slope_index_per_1000'])} per 1,000 by deprivation"

    return title


def _fifths(rows: Rows, area: Area) -> str:
    return (
        f"Rate per 1,000 residents by fifth of London's small areas (1: most deprived), "
        f"{findings.period(rows[0], 'window_start_date', 'window_end_date')}, with 95% limits"
    )


DRIVERS = Topic(
    10,
    "drivers",
    "Drivers",
    "Which drivers of violence are worse here than in London, and which are better?",
    (
        Figure(
            "drivers", "drivers", _apart, "Newest period of each that is tested and has a better side, beside London's; drawn in standard deviations from the mean of the boroughs (0)",
            (
                Column("measure_name", "Driver"), Column("theme", "Theme", "code"), Column("period_start_date", "From", "month"),
                Column("period_end_date", "To", "month"), Column("value", "Value", "number"), Column("lower_95_limit", "Lower 95% limit", "number"),
                Column("upper_95_limit", "Upper 95% limit", "number"), Column("london_value", "London", "number"),
                Column("england_value", "England", "number"), Column("z_score", "z-score", "number"), Column("rank_in_london", "Rank", "count"),
                Column("compared_to_london", "Against London", "code"), Column("polarity", "Which is better", "code"), Column("trend", "Trend"), Column("note", "Note", "long"),
            ),
            "spine", shaped=_z_scores, report="rpt_drivers",
            note="The marks across are the figures of the boroughs with the lowest, the 24th, the 16th, the 8th and the highest value.",
        ),
        Figure(
            "index", "priority_index", _rank, "Index of drivers (London = 100), and what it would be with each component removed",
            (
                Column("measure_name", "Component"), Column("theme", "Theme", "code"), Column("weight", "Weight", "number"),
                Column("value", "Value", "number"), Column("london_value", "London", "number"), Column("component_index", "Component (London = 100)", "number"),
                Column("priority_index_without", "Index without it", "number"), Column("priority_rank_without", "Rank without it", "count"),
                Column("priority_index", "Index", "number"), Column("priority_rank", "Rank", "count"),
            ),
            "dots", name="Index of drivers", shaped=_without, note="The line is the index with every component. An index that moves far without one component rests on it.",
        ),
    ),
    chapters=("Drivers",),
    questions=(26, 27),
)  # fmt: skip

DEPRIVATION = Topic(
    11,
    "deprivation",
    "Deprivation",
    "Is it worse where people are poorer?",
    tuple(
        Figure(
            f"deprivation-{code.replace('_', '-')}", "deprivation", _slope(name), _fifths,
            (
                Column("quintile", "Fifth", "count"), Column("place_count", "Small areas", "count"), Column("numerator", "Count", "count"),
                Column("denominator", "Residents", "count"), Column("rate_per_1000", "Per 1,000", "rate"),
                Column("rate_per_1000_lower_95", "Lower 95% limit", "rate"), Column("rate_per_1000_upper_95", "Upper 95% limit", "rate"),
                Column("share_of_count_percent", "Share of count", "percent"), Column("share_of_residents_percent", "Share of residents", "percent"),
                Column("slope_index_per_1000", "Slope index", "number"), Column("relative_index_of_inequality", "Relative index", "number"),
                Column("located_share_percent", "Placed", "percent"), Column("note", "Note", "long"),
            ),
            "quintiles", name=f"{name} by deprivation of the place", only={"measure_code": code}, shaped=_quintiles, report="rpt_deprivation",
            note="A fifth that the borough has no small areas in is missing.",
        )
        for code, name in DEPRIVED.items()
    ),
    chapters=("Deprivation",),
    questions=(25,),
)  # fmt: skip
