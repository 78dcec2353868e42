"""Status, and whether the figures may be trusted: feeds, revisions, breaks, and what nobody can answer."""

from __future__ import annotations

from typing import Any

from warehouse.site import formats
from warehouse.site.model import Area, Column, Figure, Row, Rows, Topic
from warehouse.site.topics import findings

STATES = {"fresh": "fresh", "stale": "stale", "held": "held", "missing": "never loaded"}


def _fresh(rows: Rows, area: Area) -> str:
    fresh = sum(row["state"] == "fresh" for row in rows)
    return f"{fresh} of {len(rows)} datasets are up to date"


def _grid(rows: Rows, area: Area) -> list[dict[str, Any]]:
    found = []
    for row in rows:
        site = "" if row["site_code"] in (None, "", "all") else f" {row['site_code']}"
        state = "missing" if row["quality_code"] == "submitted" and not row["value"] else "received"
        found.append(
            {
                "label": f"{formats.coded('_'.join((row['source'], row['dataset'])))}{site}",
                "month": row["month_start_date"],
                "state": state,
            }
        )
    return found


def _one_a_month(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return list({(row["label"], row["month"]): row for row in _grid(rows, area)}.values())


def _is_grid(row: Row) -> bool:
    return bool(row["month_start_date"])


def _revised(rows: Rows, area: Area) -> str:
    months = {row["period_start_date"] for row in rows}
    figures = "1 figure was" if len(rows) == 1 else f"{len(rows)} figures were"
    return f"{figures} revised by their publisher, in {findings.counted(len(months), 'month')}"


def _months_revised(rows: Rows, area: Area) -> str:
    months = sorted(row["period_start_date"] for row in rows)
    when = f" of {formats.month(months[0])} to {formats.month(months[-1])}" if months else ""
    return f"Counts{when} that differ from what the publisher gave before: the newest 24 months with a revision"


STATUS = Topic(
    0,
    "status",
    "Status",
    "Which release is this, how fresh is it, and whom can I ask?",
    (
        Figure(
            "freshness", "status", _fresh, "Each dataset: the newest month that is published, and whether the publisher has a newer one",
            (
                Column("title", "Dataset"), Column("source", "Source"), Column("newest_period_start_date", "Newest month", "month"),
                Column("fetched_at", "Fetched", "moment"), Column("state", "State", "code"), Column("why", "Why", "long"),
            ),
        ),
    ),
)  # fmt: skip

TRUST = Topic(
    12,
    "trust",
    "May I trust it?",
    "What is missing, revised, broken or late?",
    (
        Figure(
            "feeds", "feeds", "Which months of each feed were received", "Feed by month, newest two years; London",
            (
                Column("dataset", "Dataset"), Column("source", "Source"), Column("site_code", "Force or site", "code"), Column("month_start_date", "Month", "month"),
                Column("quality_code", "What is measured", "code"), Column("value", "Value", "number"), Column("unit", "Unit"),
            ),
            "grid", keep=_is_grid, shaped=_one_a_month,
        ),
        Figure(
            "revisions", "revisions", _revised, _months_revised,
            (
                Column("measure_name", "Measure"), Column("period_start_date", "Period from", "month"), Column("earlier_value", "Before", "number"),
                Column("value", "[r] Now", "number"), Column("difference", "Difference", "number"), Column("difference_percent", "Per cent", "signed"),
                Column("earlier_release", "Edition before"), Column("source_release", "Edition now"),
            ),
            report="rpt_revision", name="Figures that were revised", nothing="No figure of this area differs from what its publisher gave before.",
        ),
        Figure(
            "breaks", "breaks", "Where the series break", "Breaks of recording of the headline measures in this area, newest first",
            (
                Column("measure_name", "Measure"), Column("break_month", "Month", "month"), Column("break_kind", "Kind", "code"),
                Column("break_label", "[b] What changed", "long"), Column("reason", "Why", "long"), Column("size_percent", "Size", "signed"),
            ),
        ),
    ),
    questions=tuple(range(1, 36)),
)  # fmt: skip
