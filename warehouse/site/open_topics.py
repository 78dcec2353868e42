"""The pages of the open edition: each figure whose rows the open layer lets out, and counts of health as their owners' rule has them."""

from __future__ import annotations

import dataclasses
from typing import Any

from warehouse.site import formats
from warehouse.site.model import HEADLINES, Area, Column, Figure, Rows, Topic
from warehouse.site.reading import is_open
from warehouse.site.topics import TOPICS, findings, glance
from warehouse.site.topics.findings import newest

# What the open layer lacks of a page that it has nothing for, and who holds it.
_LACKS = {
    "where": "counts by ward and LSOA. The Metropolitan Police publishes them on the London Datastore (MPS Recorded Crime: Geographic Breakdown).",
    "when": "hours and days. They come from event feeds that SafeStats (Greater London Authority) holds for the police and ambulance services, under an agreement.",
    "who": "victims and people searched by age, sex and ethnicity. The Metropolitan Police publishes homicide victims, police.uk searches; ambulance patients are held by SafeStats.",
    "outcomes": "outcomes of crimes. Police.uk publishes them by crime, each month.",
}


def nothing(slug: str) -> str:
    """What a page says that the open layer has no figure for."""
    lacks = _LACKS.get(slug, "what this page asks for.")
    return f"The open layer does not hold {lacks} Partners of the duty find this page in the partner edition."


# Of these the open layer has counts by their owner's rule, and nothing that is worked out of them.
RULED = ("safestats_las_assaults",)


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
HEALTH = tuple(
    Figure(
        f"months-{code.replace('_', '-')}", "open_month", _newest(HEADLINES[code]), lambda rows, area: f"{rows[0]['measure_name']}, recorded each month", MONTHS,
        "trend", only={"measure_code": code}, shaped=_line,
        note="Counts under their owner's rule: 1 to 7 are suppressed, others rounded to the nearest 5. A month that is suppressed is a hole in the line. Breaks of the series are not marked.",
    )
    for code in RULED
)  # fmt: skip
DRIVERS = (
    Figure(
        "published", "open_indicators", "Published figures of health, work and deprivation", "As their publishers give them, every period that is held",
        (
            Column("measure_name", "Measure"), Column("period_start_date", "From", "month"), Column("period_end_date", "To", "month"),
            Column("value", "Value", "number"), Column("unit", "Unit"), Column("is_suppressed", "Suppressed", "flag", ("[c] suppressed", "no")),
            Column("value_note", "Note", "long"),
        ),
    ),
)  # fmt: skip
STATUS = (
    Figure(
        "freshness", "status", lambda rows, area: f"{sum(row['state'] == 'fresh' for row in rows)} of {len(rows)} datasets are up to date",
        "Each dataset: the newest month that is published, and whether it is as new as its publisher's rhythm lets expect",
        (
            Column("title", "Dataset"), Column("source", "Source"), Column("newest_period_start_date", "Newest month", "month"),
            Column("state", "State", "code"),
        ),
    ),
)  # fmt: skip
# The success measures rest on health and on what is no open data: at a glance stand the headline measures.
GLANCE = (
    Figure(
        "headlines", "profile", glance.standing,
        lambda rows, area: f"Recorded by the police, {findings.twelve_months(rows)}; rank 1 is the highest rate",
        (
            Column("measure_name", "Measure"), Column("window_count", "Count", "count"), Column("rate_per", "Unit of the rate", "unit"),
            Column("rate", "Rate", "rate"), Column("rate_lower_95", "Lower 95% limit", "rate"), Column("rate_upper_95", "Upper 95% limit", "rate"),
            Column("london_rate", "London", "rate"), Column("rank_in_london", "Rank", "count"),
            Column("significance_against_london", "Against London"),
        ),
    ),
)  # fmt: skip
_OWN = {"status": STATUS, "index": GLANCE, "health": HEALTH, "drivers": DRIVERS}


def _figures(topic: Topic) -> tuple[Figure, ...]:
    own = _OWN.get(topic.slug, ())
    keys = {figure.key for figure in own}
    shared = (figure for figure in topic.figures if is_open(figure.query) and figure.key not in keys)
    return (*shared, *own)


def _is_let_out(figure: Figure) -> bool:
    return figure.only.get("measure_code") not in RULED or figure in HEALTH


OPEN_TOPICS: tuple[Topic, ...] = tuple(
    dataclasses.replace(topic, figures=tuple(filter(_is_let_out, _figures(topic))), chapters=()) for topic in TOPICS
)
