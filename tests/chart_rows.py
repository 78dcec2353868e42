"""Rows of every kind of chart, such as the marts have them: decimals, dates, nulls, long names, and names with markup in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from warehouse.site import charts
from warehouse.site.charts import Chart
from warehouse.site.geography.boroughs import CITY, TILES, names

Rows = list[dict[str, Any]]
NAMES = names()
BOROUGHS = [tile for tile in TILES if tile.code != CITY]


def month(place: int, first: int = 2022) -> dt.date:
    """The month so many after January of the year."""
    return dt.date(first + place // 12, place % 12 + 1, 1)


def trend_rows(months: int = 40, series: Sequence[str] = ("Hammersmith and Fulham", "London", "Similar areas")) -> Rows:
    """Months of several series, with limits of the first, the last six provisional, no break and nothing missing."""
    return [
        {
            "period_start_date": month(i), "value": Decimal(f"{9 - place + i % 5 / 10:.2f}"), "lower": Decimal("8.1") if place == 0 else None,
            "upper": Decimal("10.2") if place == 0 else None, "series": name, "is_provisional": i >= months - 6, "is_break": False, "break_label": None,
        }
        for place, name in enumerate(series)
        for i in range(months)
    ]  # fmt: skip


def control_rows() -> Rows:
    """Three years of months, of which one is above and one below the limits and two are part of a run."""
    signals = {
        10: "above_upper_limit",
        20: "below_lower_limit",
        30: "eight_above_centre",
        31: "eight_above_centre",
        5: "none",
    }
    values = {10: 260, 20: 120}
    return [
        {
            "period_start_date": month(i), "value": values.get(i, 190 + i % 7 * 5), "centre": 200.0, "lower_2": 160.0, "upper_2": 235.0,
            "lower_3": 145.0, "upper_3": 250.0, "signal": signals.get(i), "is_provisional": i > 33,
        }
        for i in range(36)
    ]  # fmt: skip


def ranked_rows() -> Rows:
    """The 32 boroughs, one of them this one, one without a figure, two with a note; and London."""
    rows: Rows = [
        {
            "area_name": NAMES[tile.code], "value": Decimal(f"{1 + i * 0.31:.2f}"), "lower": 0.9 + i * 0.29, "upper": 1.2 + i * 0.33, "is_this": NAMES[tile.code] == "Brent",
            "note": "Far more people are here by day than live here" if tile.short in ("Wst", "Cam") else None,
        }
        for i, tile in enumerate(BOROUGHS)
    ]  # fmt: skip
    rows[3] |= {"value": None, "lower": None, "upper": None, "note": "withheld: a month of the window has no count"}
    return [
        *rows,
        {
            "area_name": "London (32 boroughs)",
            "value": 5.2,
            "lower": None,
            "upper": None,
            "is_this": False,
            "note": None,
        },
    ]


def funnel_rows() -> Rows:
    """The 32 boroughs between limits that narrow with their residents, a few outside."""
    rows = []
    for i, tile in enumerate(BOROUGHS):
        people = 150_000 + i * 8_000
        half = 3.0 * (200_000 / people) ** 0.5
        value = 7 + (i * 7 % 11 - 5) * 0.45 + (6 if tile.short == "Wst" else 0)
        rows.append({
            "area_name": NAMES[tile.code], "denominator": people, "value": value, "centre": 7.0, "lower_2": 7 - half / 2, "upper_2": 7 + half / 2,
            "lower_3": 7 - half, "upper_3": 7 + half, "is_this": NAMES[tile.code] == "Kensington and Chelsea",
        })  # fmt: skip
    return rows


MEASURES = (
    "Violence with injury", "Robbery of personal property", "Separable core: homicide, violence with injury, rape and personal robbery",
    "Assaults attended by the ambulance service", "Homicide victims",
)  # fmt: skip
ANSWERS = ("High (0.001)", "High (0.025)", "Not significant", "Low (0.025)", "Low (0.001)", None)


def rug_rows() -> Rows:
    """Five measures in seven years, every answer once or more, one figure missing."""
    return [
        {
            "measure_name": measure, "column": f"{2018 + year}/{19 + year}", "significance": ANSWERS[(place + year) % 6],
            "value": None if (place, year) == (2, 3) else Decimal(f"{10 ** (place - 1) * (1 + year / 10):.3f}"),
        }
        for place, measure in enumerate(MEASURES)
        for year in range(7)
    ]  # fmt: skip


def spine_rows() -> Rows:
    """Five measures on scales of their own, one without a figure."""
    return [
        {
            "measure_name": measure, "value": None if place == 3 else 10.0**place * 1.3, "low": 10.0**place * 0.4, "q1": 10.0**place * 0.8,
            "median": 10.0**place, "q3": 10.0**place * 1.2, "high": 10.0**place * 3, "benchmark": 10.0**place * 1.1, "significance": ANSWERS[place],
        }
        for place, measure in enumerate(MEASURES)
    ]  # fmt: skip


def map_rows(
    classes: Sequence[str | None] = ("Lowest fifth", "Second fifth", "Middle fifth", "Fourth fifth", "Highest fifth"),
) -> Rows:
    """The 32 boroughs in classes by their value, one of them without a figure."""
    rows: Rows = [
        {
            "area_code": tile.code, "area_name": NAMES[tile.code], "value": 1 + i * 0.4, "class_label": classes[i * len(classes) // 32],
            "is_this": NAMES[tile.code] == "Brent",
        }
        for i, tile in enumerate(BOROUGHS)
    ]  # fmt: skip
    rows[7]["value"] = None
    return rows


def week_rows(classes: bool = True) -> Rows:
    """Every hour of a week but one."""
    return [
        {"weekday": f"{d} {name}", "hour": f"{hour:02d}", "value": (value := (d * hour) % 29), "class": ("few" if value < 15 else "many") if classes else None}
        for d, name in enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), 1)
        for hour in range(24)
        if (d, hour) != (3, 4)
    ]  # fmt: skip


def pyramid_rows() -> Rows:
    """Ages of two sexes and of nobody knows which."""
    bands = ("0-12", "13-19", "20-24", "25-34", "35-44", "45-54", "55-64", "65+", "unknown")
    return [
        {"age_band": band, "sex": sex, "share": Decimal(f"{(i * 3 + place * 5) % 13 + 0.5:.1f}"), "residents_share": None if band == "unknown" else 6.0 + i / 3}
        for place, sex in enumerate(("female", "male"))
        for i, band in enumerate(bands)
    ] + [{"age_band": "all", "sex": "unknown", "share": 3.2, "residents_share": None}]  # fmt: skip


def dots_rows() -> Rows:
    """Groups beside 1, one of them without a figure."""
    groups = ("Asian", "Black", "Mixed or multiple ethnic groups", "White", "Not known")
    return [
        {
            "label": group,
            "value": None if i == 4 else 0.6 + i * 0.7,
            "lower": 0.3 + i * 0.6,
            "upper": 1.1 + i * 0.9,
            "benchmark": 1,
        }
        for i, group in enumerate(groups)
    ]


def shares_rows() -> Rows:
    """Outcomes of offences."""
    outcomes = {
        "No suspect identified": 41.2,
        "Unable to prosecute": 33.0,
        "Charged": 12.4,
        "Not in the public interest": 1.1,
        "Withheld": None,
    }
    return [
        {"label": label, "share": share, "lower": share and share - 1, "upper": share and share + 1}
        for label, share in outcomes.items()
    ]


def quintile_rows() -> Rows:
    """Fifths of deprivation, one of them without a figure."""
    return [
        {"quintile": i, "value": None if i == 3 else 9.5 - i, "lower": 9.0 - i, "upper": 10.1 - i} for i in range(1, 6)
    ]


def grid_rows() -> Rows:
    """Three feeds in thirty months, in every state there is."""
    states = ("delivered", "delivered", "missing", "late", "held back", "provisional", "something else", None)
    return [
        {"label": label, "month": month(i, 2024), "state": states[(i + place) % len(states)]}
        for place, label in enumerate(
            (
                "Police recorded crime",
                "Ambulance dispatches to violence, handed over monthly",
                "Emergency department XYZ01",
            )
        )
        for i in range(30)
    ]


def index_rows() -> Rows:
    """Three series about 100, one with a month missing."""
    return [
        {
            "period_start_date": month(i),
            "series": name,
            "value": None if (place, i) == (1, 9) else 100 + place * 6 - i % 4,
        }
        for place, name in enumerate(
            ("Police: violence with injury", "Ambulance service: assaults attended", "Emergency departments")
        )
        for i in range(24)
    ]


def curve_rows() -> Rows:
    """Twenty wards from the one with most."""
    return [{"count_share": round(100 * (1 - (1 - (i + 1) / 20) ** 2), 1)} for i in range(20)]


def line_rows() -> Rows:
    """Two years of months."""
    return [{"period_start_date": month(i), "value": 50 + i % 7} for i in range(24)]


EVERY: dict[str, Callable[[], Rows]] = {
    "trend": trend_rows, "control": control_rows, "ranked": ranked_rows, "funnel": funnel_rows, "rug": rug_rows, "spine": spine_rows, "tiles": map_rows,
    "choropleth": map_rows, "heatmap": week_rows, "pyramid": pyramid_rows, "dots": dots_rows, "cumulative": curve_rows, "index_lines": index_rows,
    "shares": shares_rows, "quintiles": quintile_rows, "grid": grid_rows, "sparkline": line_rows,
}  # fmt: skip


def drawn(kind: str, rows: Rows, unit: str = "per 1,000 residents", **titles: str) -> Chart:
    """A chart of these rows."""
    given = {
        "title": "Violence with injury is not falling",
        "subtitle": "Offences per 1,000 residents in twelve months",
        **titles,
    }
    return getattr(charts, kind)(rows, **given, unit=unit)  # type: ignore[no-any-return] # every kind returns a Chart
