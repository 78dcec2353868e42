"""Trend and comparison: what the police and the ambulance service record, along the months and across the boroughs."""

from __future__ import annotations

from typing import Any

from warehouse.site.model import HEADLINES, Area, Column, Figure, Rows, Topic, Words
from warehouse.site.topics import findings

# What stands below a figure of a measure that is not what its users may take it for.
PROXIES = {
    "sv_core_separable": " Homicide, violence with injury, rape and personal robbery added up: a proxy, and not serious violence as London defines it.",
}
CHARTED = ("sv_core_separable", "mps_violence_with_injury", "mps_robbery_personal", "mps_weapons_possession")
RANKED = (
    "sv_core_separable",
    "mps_violence_with_injury",
    "mps_robbery_personal",
    "mps_knife_crime",
    "safestats_las_assaults",
)
FUNNELS = ("mps_violence_with_injury", "mps_robbery_personal", "mps_knife_crime")
MAPPED = "mps_violence_with_injury"

PROVISIONAL = ("[p] provisional", "final")
TREND_COLUMNS = (
    Column("month_start_date", "12 months to", "month"),
    Column("rolling_12_count", "Count", "count"),
    Column("rate", "Rate", "rate"),
    Column("rate_lower_95", "Lower 95% limit", "rate"),
    Column("rate_upper_95", "Upper 95% limit", "rate"),
    Column("london_rate", "London's rate", "rate"),
    Column("similar_areas_rate", "Similar areas' rate", "rate"),
    Column("is_provisional", "State", "flag", PROVISIONAL),
    Column("holds_break", "Window", "flag", ("[b] holds a break: not drawn", "whole")),
    Column("break_labels", "[b] Break of the series", "long"),
)
CONTROL_COLUMNS = (
    Column("month_start_date", "Month", "month"),
    Column("month_count", "Count", "count"),
    Column("chart_centre", "Mean", "number"),
    Column("chart_lower", "Lower limit", "number"),
    Column("chart_warning_lower", "Lower warning limit", "number"),
    Column("chart_warning_upper", "Upper warning limit", "number"),
    Column("chart_upper", "Upper limit", "number"),
    Column("chart_signal", "Signal", "code"),
    Column("is_provisional", "State", "flag", PROVISIONAL),
    Column("break_labels", "[b] Break of the series", "long"),
)
COMPARED_COLUMNS = (
    Column("area_name", "Borough"),
    Column("rank_in_london", "Rank", "count"),
    Column("window_count", "Count", "count"),
    Column("rate", "Rate", "rate"),
    Column("rate_lower_95", "Lower 95% limit", "rate"),
    Column("rate_upper_95", "Upper 95% limit", "rate"),
    Column("denominator", "Residents", "count"),
    Column("london_rate", "London's rate", "rate"),
    Column("significance_against_london", "Against London"),
    Column("is_provisional", "State", "flag", PROVISIONAL),
)
FUNNEL_COLUMNS = (
    Column("area_name", "Borough"),
    Column("denominator", "Residents", "count"),
    Column("window_count", "Count", "count"),
    Column("rate", "Rate", "rate"),
    Column("london_rate", "London's rate", "rate"),
    Column("funnel_lower_998", "Lower 99.8% limit", "rate"),
    Column("funnel_lower_95", "Lower 95% limit", "rate"),
    Column("funnel_upper_95", "Upper 95% limit", "rate"),
    Column("funnel_upper_998", "Upper 99.8% limit", "rate"),
    Column("significance_against_london", "Against London"),
    Column("is_provisional", "State", "flag", PROVISIONAL),
)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def lines(rows: Rows, area: Area) -> list[dict[str, Any]]:
    """Three lines of one table: the area, London and its similar areas. Twelve months that hold a break are of both sides: no line has them."""
    counted = all(row["rate"] is None for row in rows)
    found = []
    for row in rows:
        shared = {
            "period_start_date": row["month_start_date"],
            "is_provisional": row["is_provisional"],
            "is_break": row["is_cut"],
            "break_label": row["break_labels"],
        }
        columns = ("rolling_12_count", None, None) if counted else ("rate", "rate_lower_95", "rate_upper_95")
        value, lower, upper = (None if row["holds_break"] or column is None else row[column] for column in columns)
        found.append({**shared, "series": area.name, "value": value, "lower": lower, "upper": upper})
        if not counted:
            for series, column in (("London", "london_rate"), ("Similar areas", "similar_areas_rate")):
                value = None if row["holds_break"] else row[column]
                found.append({**shared, "series": series, "value": value, "lower": None, "upper": None})
    return [row for row in found if row["value"] is not None or row["is_break"]]


def limits(rows: Rows, area: Area) -> list[dict[str, Any]]:
    """A control chart of months, with limits at three standard deviations and warning limits at two."""
    return [
        {
            "period_start_date": row["month_start_date"], "value": row["month_count"], "centre": row["chart_centre"],
            "lower_2": row["chart_warning_lower"], "upper_2": row["chart_warning_upper"], "lower_3": row["chart_lower"], "upper_3": row["chart_upper"], "signal": row["chart_signal"],
            "is_provisional": row["is_provisional"], "is_break": row["is_cut"], "break_label": row["break_labels"],
        }
        for row in rows
    ]  # fmt: skip


def bars(rows: Rows, area: Area) -> list[dict[str, Any]]:
    """The boroughs in the order of the mart's rank, and London, which the chart draws as a line."""
    boroughs = [
        {
            "area_name": row["area_name"], "value": row["rate"], "lower": row["rate_lower_95"], "upper": row["rate_upper_95"],
            "is_this": row["area_code"] == area.code, "note": row["value_note"] or row["residents_caveat"] or "",
        }
        for row in sorted(rows, key=lambda row: (row["rate"] is None, -(row["rate"] or 0), row["area_name"]))
    ]  # fmt: skip
    london = next((row["london_rate"] for row in rows if row["london_rate"] is not None), None)
    line = {"area_name": "London", "value": london, "lower": None, "upper": None, "is_this": False, "note": ""}
    return boroughs if london is None else [*boroughs, line]


def funnels(rows: Rows, area: Area) -> list[dict[str, Any]]:
    """Each borough between the limits that the mart draws round London's rate at its residents."""
    return [
        {
            "area_name": row["area_name"], "denominator": row["denominator"], "value": row["rate"], "centre": row["london_rate"],
            "lower_2": row["funnel_lower_95"], "upper_2": row["funnel_upper_95"], "lower_3": row["funnel_lower_998"],
            "upper_3": row["funnel_upper_998"], "is_this": row["area_code"] == area.code,
        }
        for row in rows
        if row["rate"] is not None and row["denominator"] is not None
    ]  # fmt: skip


def outside(name: str) -> Words:
    """Says how many boroughs the mart finds beyond its 99.8 % limits, to which chance leads one in five hundred; the subtitle says which limits."""

    def title(rows: Rows, area: Area) -> str:
        far = [str(row["significance_against_london"] or "") for row in rows]
        high, low = far.count("High (0.001)"), far.count("Low (0.001)")
        return f"{_capital(name)}: {high} boroughs above the limits, {low} below"

    return title


def classes(rows: Rows, area: Area) -> list[dict[str, Any]]:
    """Each borough's class: what the mart's test against London says."""
    return [
        {
            "area_code": row["area_code"], "area_name": row["area_name"], "value": row["rate"],
            "class_label": findings.against_london(row).capitalize().replace("london", "London") or None,
        }
        for row in rows
    ]  # fmt: skip


def rate_of(rows: Rows, area: Area) -> str:
    """What a rate counts, per what and when."""
    last = findings.newest(rows, "window_end_date")
    residents = f"{findings.per(last)} residents, " if last["rate_per"] else ""
    return f"{last['measure_name']}, {residents}{findings.twelve_months(rows)}, with 95% limits"


def _funnel_of(rows: Rows, area: Area) -> str:
    last = findings.newest(rows, "window_end_date")
    return f"{last['measure_name']}, {findings.per(last)} residents by residents, {findings.twelve_months(rows)}, with 95% limits round London's rate and, farther out, of 99.8%"


def _rolling(rows: Rows, area: Area) -> str:
    last = findings.newest(rows)
    what = f"{findings.per(last)} residents" if last["rate_per"] else "count"
    return f"{last['measure_name']}, {what}, rolling 12 months, with 95% limits"


TREND = Topic(
    3,
    "trend",
    "Trend",
    "Is it rising or falling, and is that more than chance?",
    (
        *(
            Figure(
                f"control-{code.replace('_', '-')}", "control", findings.signal(_capital(HEADLINES[code])),
                "Recorded each month, with the mean and limits of its own months before", CONTROL_COLUMNS, "control",
                unit="offences a month", name=_capital(HEADLINES[code]), only={"measure_code": code}, shaped=limits, report="rpt_borough_measure",
                note="A month beyond an outer limit, or eight on one side of the mean, is unlikely to be chance; one beyond a warning limit alone is not. There are no limits in the months after a break of the series, until enough have passed." + PROXIES.get(code, ""),
            )
            for code in CHARTED
        ),
        *(
            Figure(
                f"rolling-{code.replace('_', '-')}", "trend", findings.level(_capital(name)), _rolling, TREND_COLUMNS, "trend", name=_capital(name),
                only={"measure_code": code}, shaped=lines, report="rpt_borough_measure",
                note="A line is cut where what is recorded, or how, has changed: what lies on either side does not compare, and the eleven windows that hold months of both are left out." + PROXIES.get(code, ""),
            )
            for code, name in HEADLINES.items()
        ),
    ),
    chapters=("Trend",),
    questions=(1, 2, 3, 4, 5, 7, 8, 16, 18),
)  # fmt: skip

COMPARED = Topic(
    4,
    "compared",
    "Compared",
    "How does it stand beside the other boroughs, London and similar areas?",
    (
        *(
            Figure(
                f"ranked-{code.replace('_', '-')}", "compared", findings.compared(HEADLINES[code]), rate_of, COMPARED_COLUMNS, "ranked", name=_capital(HEADLINES[code]),
                only={"measure_code": code}, shaped=bars, report="rpt_borough_measure",
                note="Rank 1 is the highest rate. Ranks of boroughs whose limits overlap tell little." + PROXIES.get(code, ""),
            )
            for code in RANKED
        ),
        *(
            Figure(
                f"funnel-{code.replace('_', '-')}", "compared", outside(HEADLINES[code]), _funnel_of, FUNNEL_COLUMNS, "funnel", name=f"{_capital(HEADLINES[code])}: funnel plot",
                only={"measure_code": code}, shaped=funnels, report="rpt_borough_measure",
                note="The lines are where a borough of that many residents would lie by chance alone, were its rate London's: 95% and 99.8% (exact Poisson, from ten events Byar's). Boroughs differ by more than chance, so that many lie outside; the farther outside, the less likely chance is." + PROXIES.get(code, ""),
            )
            for code in FUNNELS
        ),
        Figure(
            "map", "compared", "Which boroughs differ from London for violence with injury", rate_of, COMPARED_COLUMNS, "choropleth",
            only={"measure_code": MAPPED}, shaped=classes, report="rpt_borough_measure",
        ),
        Figure(
            "tiles", "compared", "The same, a square for each borough", rate_of, COMPARED_COLUMNS, "tiles",
            only={"measure_code": MAPPED}, shaped=classes, report="rpt_borough_measure",
        ),
    ),
    chapters=("How much", "Compared"),
    questions=(19, 20, 21),
)  # fmt: skip
