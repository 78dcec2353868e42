"""Where and when: wards, days and hours."""

from __future__ import annotations

from typing import Any

from warehouse.site.model import Area, Column, Figure, Rows, Topic
from warehouse.site.topics import findings

WARD_COLUMNS = (
    Column("small_area_name", "Ward"),
    Column("rank_in_borough", "Rank", "count"),
    Column("count_12_months", "Count", "count"),
    Column("previous_count_12_months", "Year before", "count"),
    Column("rate_per_1000", "Per 1,000", "rate"),
    Column("rate_per_1000_lower_95", "Lower 95% limit", "rate"),
    Column("rate_per_1000_upper_95", "Upper 95% limit", "rate"),
    Column("share_of_borough_percent", "Share of borough", "percent"),
    Column("cumulative_share_of_borough_percent", "Cumulative share", "percent"),
    Column("class_in_borough", "Class", "code"),
    Column("change_in_words", "Change", "long"),
)
WARDS = {
    "mps_violence_with_injury": "violence with injury",
    "mps_robbery_personal": "personal robbery",
    "mps_weapons_possession": "possession of weapons",
}
TIMES = {
    "safestats_mps_violence_events": "police events of violence",
    "safestats_las_violence_dispatches": "ambulance dispatches to violence",
}
TIME_COLUMNS = (
    Column("event_count", "Events", "count"),
    Column("share_percent", "Share", "percent"),
    Column("share_lower_95_percent", "Lower 95% limit", "percent"),
    Column("share_upper_95_percent", "Upper 95% limit", "percent"),
    Column("expected_share_percent", "Share of all hours", "percent"),
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
QUALITY = {
    "exact": "To the minute",
    "hour": "To the hour",
    "date_only": "Day alone",
    "default_midnight": "Midnight by default",
}
DAYS = {
    "school_day": "School days",
    "school_holiday": "School holidays",
    "weekend": "Weekends",
    "bank_holiday": "Bank holidays",
}


def _first_ward(name: str) -> Any:
    def title(rows: Rows, area: Area) -> str:
        first = rows[0]
        if first["share_of_borough_percent"] is None:
            return f"{name.capitalize()} by ward"
        return f"{first['small_area_name']}: {first['share_of_borough_percent']:.0f}% of the borough's {name}"

    return title


def _curve(rows: Rows, area: Area) -> list[dict[str, Any]]:
    """Of wards of one rank the last has the point: the mart gives each of them the share of all."""
    after = [row["rank_in_borough"] for row in rows[1:]]
    return [
        {"count_share": None if row["rank_in_borough"] == next_rank else row["cumulative_share_of_borough_percent"]}
        for row, next_rank in zip(rows, [*after, None], strict=True)
    ]


def _window(name: str) -> Any:
    return lambda rows, area: (
        f"{name.capitalize()} by ward, {findings.period(rows[0], 'window_start_date', 'window_end_date')}"
    )


def _cells(rows: Rows, area: Area) -> list[dict[str, Any]]:
    """Day and hour out of the value "5 Friday 08-11" or "5 Friday 08"."""
    found = []
    for row in rows:
        weekday, _, hours = row["dimension_value"].rpartition(" ")
        found.append({"weekday": weekday[2:], "hour": hours, "value": row["event_count"], "class": None})
    return found


def _shares(names: dict[str, str] | None = None) -> Any:
    def shaped(rows: Rows, area: Area) -> list[dict[str, Any]]:
        return [
            {
                "label": (names or {}).get(row["dimension_value"], row["dimension_value"]), "share": row["share_percent"],
                "lower": row["share_lower_95_percent"], "upper": row["share_upper_95_percent"],
            }
            for row in rows
        ]  # fmt: skip

    return shaped


def _months(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "label": MONTHS[int(row["dimension_value"]) - 1], "value": row["index_to_expected"], "lower": None, "upper": None, "benchmark": 100.0,
        }
        for row in rows
        if row["index_to_expected"] is not None
    ]  # fmt: skip


def _known(name: str, known: str) -> Any:
    """Says how many events the shares are of: those of which the day, or the hour, is known."""

    def subtitle(rows: Rows, area: Area) -> str:
        whole = rows[0]["known_count"]
        said = rows[0]["value_note"] or "not given" if whole is None else findings.counted(whole, "event")
        return f"{name.capitalize()} {known}, {findings.period(rows[0])}: {said}"

    return subtitle


def peak(what: str) -> Any:
    """Says at which times there are more events than expected, where the mart has an index for them and its limits leave chance out."""

    def title(rows: Rows, area: Area) -> str:
        name = what.capitalize()
        if rows[0]["known_count"] is None:
            return f"{name}: weekdays and hours are not given"
        tested = [row for row in rows if row["index_to_expected"] is not None]
        if rows[0]["known_count"] < findings.LEAST or not tested:
            return f"{name}: too few to name a peak"
        above = [row for row in tested if row["share_lower_95_percent"] > row["expected_share_percent"]]
        if not above:
            return f"{name}: no time stands out"
        above.sort(key=lambda row: row["share_percent"], reverse=True)
        return f"{name}: more than expected on {findings.listed([_time(row['dimension_value']) for row in above])}"

    return title


def _time(value: str) -> str:
    """Friday 20:00 to 23:59, of "5 Friday 20-23"."""
    weekday, _, hours = value[2:].rpartition(" ")
    first, _, last = hours.partition("-")
    return f"{weekday} {first}:00 to {last}:59"


WHERE = Topic(
    5,
    "where",
    "Where",
    "Which wards carry most of it, and do they stay the same?",
    (
        *(
            Figure(
                f"wards-{code.replace('_', '-')}", "wards", _first_ward(name), _window(name), WARD_COLUMNS,
                "cumulative" if code == "mps_violence_with_injury" else "", name=f"{name.capitalize()} by ward", only={"measure_code": code}, shaped=_curve, report="rpt_hotspots",
                note="Share of the offences that the wards with most have together. There is no map: no outlines of wards are held.",
            )
            for code, name in WARDS.items()
        ),
    ),
    chapters=("Where",),
    questions=(24, 16),
)  # fmt: skip

WHEN = Topic(
    6,
    "when",
    "When",
    "On which days and at which hours does it happen?",
    (
        *(
            Figure(
                f"week-{code.replace('_', '-')}", "hours", peak(name), _known(name, "with a known hour"), (Column("dimension_value", "Day and hours", "code"), *TIME_COLUMNS),
                "heatmap", name=f"{name.capitalize()} by weekday and hour", only={"measure_code": code, "dimension": "weekday_4_hours"}, shaped=_cells, report="rpt_temporal_profile",
                note="Events whose hour is unknown or a midnight by default are left out of it, and counted below. A cell without a number had none.",
            )
            for code, name in TIMES.items()
        ),
        *(
            Figure(
                f"school-{code.replace('_', '-')}", "hours", f"{name.capitalize()} on school days, by hour",
                _known(name, "on school days, with a known hour"), (Column("dimension_value", "Hour from", "code"), *TIME_COLUMNS), "shares",
                only={"measure_code": code, "dimension": "school_day_hour"}, shaped=_shares(), report="rpt_temporal_profile",
            )
            for code, name in TIMES.items()
        ),
        *(
            Figure(
                f"days-{code.replace('_', '-')}", "hours", f"{name.capitalize()} by kind of day", _known(name, "with a known day"),
                (Column("dimension_value", "Kind of day", "code"), *TIME_COLUMNS), "shares", only={"measure_code": code, "dimension": "day_kind"},
                shaped=_shares(DAYS), report="rpt_temporal_profile",
            )
            for code, name in TIMES.items()
        ),
        *(
            Figure(
                f"clock-{code.replace('_', '-')}", "hours", f"{name.capitalize()}: how well the hour is known",
                lambda rows, area: f"Events by how their time was recorded, {findings.period(rows[0])}; a midnight by default is no time", (Column("dimension_value", "Time", "code"), *TIME_COLUMNS[:4]),
                only={"measure_code": code, "dimension": "time_quality"}, report="rpt_temporal_profile",
            )
            for code, name in TIMES.items()
        ),
        Figure(
            "season", "seasons", "Violence with injury by month of the year",
            lambda rows, area: f"Share of the month against its share of days (100), {findings.period(rows[0])}",
            (
                Column("dimension_value", "Month", "code"), *TIME_COLUMNS[:4], Column("expected_share_percent", "Share of days", "percent"),
                Column("index_to_expected", "Index", "number"),
            ),
            "dots", shaped=_months, report="rpt_temporal_profile",
        ),
    ),
    chapters=("When",),
    questions=(15,),
)  # fmt: skip
