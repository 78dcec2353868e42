"""The pages of the open edition: what the open layer lets out, which is counts and published figures; pages that it has nothing for say so."""

from __future__ import annotations

import dataclasses
from typing import Any

from warehouse.site import formats
from warehouse.site.model import Area, Column, Figure, Rows, Topic
from warehouse.site.topics import HEADLINES, TOPICS
from warehouse.site.topics.findings import newest

NOTHING = (
    "The open layer has nothing for this page: it gives out counts and published figures alone, each as its owner's rule allows. "
    "Partners of the duty find this page in the partner edition."
)


def _line(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "period_start_date": row["period_start_date"], "value": row["value"], "lower": None, "upper": None, "series": area.name,
            "is_provisional": row["is_provisional"], "is_break": False, "break_label": None,
        }
        for row in rows
        if row["value"] is not None
    ]  # fmt: skip


def _newest(name: str) -> Any:
    def title(rows: Rows, area: Area) -> str:
        last = newest(rows, "period_start_date")
        value = "suppressed" if last["is_suppressed"] else formats.cell(COUNT, last["value"])
        return f"{name[:1].upper()}{name[1:]}: {value} in {formats.month(last['period_start_date'])}"

    return title


COUNT = Column("value", "Count", "count")
MONTHS = (
    Column("period_start_date", "Month", "month"),
    COUNT,
    Column("is_suppressed", "Suppressed", "flag", ("[c] suppressed", "no")),
    Column("is_provisional", "State", "flag", ("[p] provisional", "final")),
    Column("value_note", "Note", "long"),
)
TREND = tuple(
    Figure(
        f"months-{code.replace('_', '-')}", "open_month", _newest(name), lambda rows, area: f"{rows[0]['measure_name']}, recorded each month", MONTHS,
        "trend", only={"measure_code": code}, shaped=_line,
        note="Counts under their owner's rule: of health, 1 to 7 are suppressed and others rounded to the nearest 5. Breaks of a series are not marked in this edition.",
    )
    for code, name in HEADLINES.items()
)  # fmt: skip
DRIVERS = (
    Figure(
        "published", "open_drivers", "Published figures of health, work and deprivation", "As their publishers give them, every period that is held",
        (
            Column("measure_name", "Measure"), Column("period_start_date", "From", "month"), Column("period_end_date", "To", "month"),
            Column("value", "Value", "number"), Column("unit", "Unit"), Column("is_suppressed", "Suppressed", "flag", ("[c] suppressed", "no")),
            Column("value_note", "Note", "long"),
        ),
    ),
)  # fmt: skip
_FIGURES = {"trend": TREND, "drivers": DRIVERS}
OPEN_TOPICS: tuple[Topic, ...] = tuple(
    dataclasses.replace(topic, figures=_FIGURES.get(topic.slug, ()), chapters=(), questions=()) for topic in TOPICS
)
