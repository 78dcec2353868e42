"""London: the 32 boroughs side by side, this month's signals, what the release changed."""

from __future__ import annotations

import json
from typing import Any

from ingest.errors import Refusal
from warehouse.site import charts, compacting, formats, open_topics
from warehouse.site.model import LONDON, Area, Column, Figure, Row, Rows
from warehouse.site.packs import status_lines
from warehouse.site.reading import Reader
from warehouse.site.rendering import Page
from warehouse.site.shown import failed, show
from warehouse.site.topics import HEADLINES, findings, trends
from warehouse.site.topics.glance import GLANCE
from warehouse.site.topics.trust import STATUS

SPARK_MONTHS = 36
BOARD = (
    ("Borough", "t"),
    ("Rank", "n"),
    ("Count", "n"),
    ("Residents", "n"),
    ("Rate", "n"),
    ("Lower", "n"),
    ("Upper", "n"),
    ("Change on year", "n"),
    ("3 years", "spark"),
    ("Against London", "t"),
    ("Signal in newest month", "t"),
)


def _signals(rows: Rows, area: Area) -> str:
    boroughs = {row["area_code"] for row in rows}
    return f"{len(rows)} signals in {len(boroughs)} boroughs"


SIGNALS = Figure(
    "signals", "signals", _signals,
    lambda rows, area: f"Measures whose {formats.month(rows[0]['month_start_date'])} is a signal on the control chart of the borough",
    (
        Column("measure_name", "Measure"), Column("area_name", "Borough"), Column("chart_signal", "Signal", "code"), Column("month_count", "Count", "count"),
        Column("chart_centre", "Mean", "number"), Column("chart_lower", "Lower limit", "number"), Column("chart_upper", "Upper limit", "number"),
        Column("is_provisional", "State", "flag", trends.PROVISIONAL),
    ),
    report="rpt_borough_measure",
    note="With ten measures and 32 boroughs some signals are chance: read each on the borough's trend page. Measures of fewer than five a month are left out.",
    name="This month's signals", nothing="No borough has a signal in the newest month.",
)  # fmt: skip
NEWS = ("newer period", "new", "no longer given")


def _changed(rows: Rows, area: Area) -> str:
    same = sum(row["why"] not in NEWS for row in rows)
    moved = sum(row["why"] == "newer period" for row in rows)
    told = (
        f"{same:,} headline figures of the same period changed"
        if same
        else "No headline figure of the same period changed"
    )
    return f"{told}; {moved:,} moved to a newer period"


CHANGED = Figure(
    "changed", "changed", _changed,
    "Figures of the fact pack, by why they differ",
    (
        Column("area_name", "Area"), Column("topic", "Topic"), Column("measure_name", "Measure"), Column("why", "Why"), Column("count_before", "Count before", "count"),
        Column("window_count", "Count now", "count"), Column("rate_before", "Rate before", "rate"), Column("rate", "Rate now", "rate"),
        Column("rate_unit", "Unit"), Column("period_end_before", "To, before", "month"), Column("period_end_date", "To, now", "month"),
    ),
    name="Headline figures that changed", nothing="No headline figure differs from the release before, or there is none before.",
)  # fmt: skip


def _differ(rows: Rows, area: Area) -> str:
    same = sum(row["figure_count"] for row in rows if row["why"] not in NEWS)
    return f"{same:,} figures of the same periods differ, of {sum(row['figure_count'] for row in rows):,} that are new or differ"


DIFFERENT = Figure(
    "figures", "figures_changed", _differ, "Figures of every measure, area, period and group, by measure and by why they differ",
    (
        Column("measure_name", "Measure"), Column("why", "Why"), Column("figure_count", "Figures", "count"), Column("area_count", "Areas", "count"),
        Column("first_period_date", "Periods from", "month"), Column("last_period_date", "To", "month"), Column("net_difference", "Net difference", "number"),
        Column("largest_difference", "Largest difference", "number"),
    ),
    name="Figures that differ", nothing="No figure differs from the release before, or there is none before.",
    note="Revised by the publisher: a newer edition gives another figure. Corrected by us: the same edition. Break found: a break in the period that the release before did not know.",
)  # fmt: skip
REVISED = Figure(
    "publishers", "publisher_revisions", "What publishers have revised since they first gave it", "Figures that differ between two editions of a publisher, all areas",
    (
        Column("measure_name", "Measure"), Column("source_release", "Edition"), Column("revised_count", "Revised", "count"),
        Column("raised_count", "Raised", "count"), Column("lowered_count", "Lowered", "count"), Column("first_period_start_date", "From", "month"),
        Column("last_period_start_date", "To", "month"), Column("net_difference", "Net difference", "number"),
        Column("largest_area_name", "Largest in"), Column("largest_difference", "Largest", "number"), Column("largest_difference_percent", "Per cent", "signed"),
    ),
)  # fmt: skip


def _maps(code: str, name: str) -> tuple[Figure, ...]:
    return tuple(
        Figure(
            f"{kind}-{code.replace('_', '-')}", "compared", title, trends.rate_of, trends.COMPARED_COLUMNS, chart, only={"measure_code": code},
            shaped=trends.classes, report="rpt_borough_measure", note=note,
        )
        for kind, chart, title, note in (
            ("map", "choropleth", f"Which boroughs differ from London for {name}", ""),
            ("tiles", "tiles", f"{name[:1].upper()}{name[1:]}, a square for each borough", ""),
        )
    )  # fmt: skip


def overview_page(reader: Reader, boroughs: list[Area], given: dict[str, Any]) -> Page:
    """The London overview of an edition."""
    context = {
        **given,
        "heading": "London and its 32 boroughs",
        "area_label": "",
        "asks": "Where is violence high, what has changed, and how far can the figures be trusted?",
        "packs": [{"slug": area.slug, "name": area.name} for area in boroughs],
        "status_lines": status_lines(reader, is_short=True),
        "facts": [],
        "boards": [],
        "sparks": {},
    }
    boards, sparks, failures = _boards(reader, boroughs)
    context |= {"boards": boards, "sparks": sparks}
    kept = {board["measure_code"] for board in boards}
    figures = [one for code, name in HEADLINES.items() if code in kept for one in _maps(code, name)]
    controls = [figure for figure in trends.TREND.figures if figure.query == "control"]
    if reader.edition == "partner":
        facts = [dict(row) for row in reader.rows("sentences", LONDON)]
        context["facts"] = [row for row in facts if row["importance"] == 1][:8]
        figures += [SIGNALS, *GLANCE.figures, *controls, CHANGED, *STATUS.figures]
    else:
        figures += [SIGNALS, *controls, *open_topics.STATUS]
    shown = tuple(show(reader, figure, LONDON) for figure in figures)
    return Page("index.html", "overview.html.j2", LONDON, context, shown, tuple(failures))


def compare_page(reader: Reader, given: dict[str, Any]) -> Page:
    """What this release changed against the one before: figures, rows of each mart, and what publishers revised."""
    releases = reader.rows("releases")
    before = next((row for row in releases if row["release_id"] < reader.release.release_id), None)
    now = next(row for row in releases if row["release_id"] == reader.release.release_id)
    heading = "Compare releases"
    asks = (
        f"What differs between release {before['release_id']} ({formats.moment(before['published_at'])}) and release {now['release_id']} ({formats.moment(now['published_at'])})?"
        if before
        else f"Release {now['release_id']} is the first: there is none to compare it with."
    )
    tables = [
        {
            "title": "Rows of each mart that the release changed", "subtitle": "Against the release before it",
            "columns": ["Mart", "Inserted", "Updated", "Deleted"], "rows": _row_changes(now["row_changes"]), "nothing": "no row of any mart was changed",
        },
        {
            "title": "Releases", "subtitle": "Newest first", "columns": ["Release", "Published", "Verdict", "Data", "Went back to", "Code"],
            "rows": [
                {"id": "", "cells": [
                    str(row["release_id"]), formats.moment(row["published_at"]), row["verdict"], row["data_kind"],
                    str(row["rolled_back_to_release_id"] or "no"), row["code_version"],
                ]}
                for row in releases[:30]
            ],
            "nothing": "none",
        },
    ]  # fmt: skip
    context = {
        **given, "heading": heading, "area_label": "", "asks": asks,
        "paragraphs": ["Any two releases, figure by figure: vru compare 3 5 (with --area, --measure or --json), or in SQL select * from marts.compare_releases(3, 5)."],
        "tables": tables,
    }  # fmt: skip
    return Page(
        "compare.html",
        "plain.html.j2",
        LONDON,
        context,
        tuple(show(reader, figure, LONDON) for figure in (CHANGED, DIFFERENT, REVISED)),
    )


def _row_changes(text: str | None) -> list[dict[str, Any]]:
    found = []
    for mart, counts in sorted(json.loads(text or "{}").items()):
        if any(counts.values()):
            found.append(
                {
                    "id": "",
                    "cells": [
                        mart,
                        *(formats.count(counts.get(kind, 0)) for kind in ("inserted", "updated", "deleted")),
                    ],
                }
            )
    return found


def _boards(reader: Reader, boroughs: list[Area]) -> tuple[list[dict[str, Any]], dict[str, str], list[Refusal]]:
    """A table a measure, its sparklines by name, and a refusal of each that could not be drawn."""
    by_measure: dict[str, list[Row]] = {}
    for row in reader.rows("compared"):
        by_measure.setdefault(row["measure_code"], []).append(row)
    slugs = {area.code: area.slug for area in boroughs}
    boards, sparks, failures = [], {}, []
    for code, name in HEADLINES.items():
        rows = [row for row in by_measure.get(code, []) if row["area_code"] in slugs]
        if not rows:
            continue
        lines = []
        caveats: set[str] = set()
        for row in rows:
            area = Area(row["area_code"], row["area_name"], slugs[row["area_code"]])
            spark = f"{code} {row['area_code']}"
            try:
                if drawn := _spark(reader, area, code, name):
                    sparks[spark] = drawn
            except Refusal as refusal:
                sparks[spark] = f"not drawn [{refusal.code}]"
                failures.append(refusal)
            caveats |= {row["residents_caveat"]} - {None}
            lines.append({
                "slug": area.slug, "name": area.name, "spark": spark, "against": findings.against_london(row) or formats.MISSING,
                "signal": _signal(reader, area, code), "cells": _cells(row),
            })  # fmt: skip
        shown = name[:1].upper() + name[1:]
        key = code.replace("_", "-")
        boards.append({
            "code": key, "measure_code": code, "name": shown, "subtitle": trends.rate_of(rows, LONDON), "columns": BOARD, "rows": lines,
            "notes": [*(f"[a] {text}" for text in sorted(caveats)), *_notes(rows, code)],
            "figures": [f"map-{key}", f"tiles-{key}"],
        })  # fmt: skip
    return boards, sparks, failures


def _notes(rows: list[Row], code: str) -> list[str]:
    found = [trends.PROXIES[code].strip()] if code in trends.PROXIES else []
    if any(row["is_provisional"] for row in rows):
        found.append("[p] Provisional: the publisher still revises the newest months.")
    return [*found, "A line has no window that holds a break of the series."]


def _cells(row: Row) -> list[str]:
    change = (
        formats.MISSING
        if row["change_on_year_before_percent"] is None
        else formats.signed(row["change_on_year_before_percent"])
    )
    if row["is_comparable_on_year_before"] is False:
        change = f"{change} [b]"
    texts = (
        ("rank_in_london", "count"),
        ("window_count", "count"),
        ("denominator", "count"),
        ("rate", "rate"),
        ("rate_lower_95", "rate"),
        ("rate_upper_95", "rate"),
    )
    found = {name: formats.cell(Column(name, "", kind), row[name]) for name, kind in texts}
    if row["residents_caveat"]:
        found["rate"] += " [a]"
    if row["is_provisional"]:
        found["window_count"] += " [p]"
    return [*found.values(), change]


def _signal(reader: Reader, area: Area, code: str) -> str:
    rows = [row for row in reader.rows("control", area) if row["measure_code"] == code]
    return (rows and findings.signal_of(findings.newest(rows))) or formats.MISSING


def _spark(reader: Reader, area: Area, code: str, name: str) -> str:
    rows = [row for row in reader.rows("trend", area) if row["measure_code"] == code][-SPARK_MONTHS:]
    points = [
        {
            "period_start_date": row["month_start_date"],
            "value": None if row["holds_break"] else row["rolling_12_count"] if row["rate"] is None else row["rate"],
        }
        for row in rows
    ]
    if sum(point["value"] is not None for point in points) < 2:
        return ""
    try:
        drawn = charts.sparkline(points, title=f"{area.name}, {name}", subtitle="Rolling 12 months, newest 3 years")
        return compacting.compact(drawn.svg)
    except Exception as error:  # whatever goes wrong in a drawing, the rest of the page stands
        raise failed(f"sparkline of {code}", area, error) from error
