"""A figure as it is shown: read, titled, shaped, with the evidence for it. Plain data, of which a page's hash is made."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from ingest.errors import Refusal
from warehouse.site import formats
from warehouse.site.model import Area, Column, Figure, Row, Rows, Words
from warehouse.site.reading import Reader
from warehouse.site.topics.findings import measured
from warehouse.site.topics.glance import with_period
from warehouse.site.topics.people import group

NOTHING = "The marts of this release have no rows for this figure."
# Columns that a query lacks and a table shows: two of its columns in one.
_JOINED = {"success_measures": with_period, "victims": group}
# What charts draw: of rows without any of these there is a table alone.
_DRAWN = ("value", "share", "count_share")
_EDITION = re.compile(r"\S+ \d{4}-\d\d-\d\d sha256:([0-9a-f]{8})")


@dataclasses.dataclass(frozen=True)
class Shown:
    """A figure with its rows.

    Attributes:
        rows: as the query gave them; none where nothing is to be shown.
        chart_rows: as the chart takes them.
        sql: the query, for somebody to ask it again.
        measures: definition, caveat, licence and attribution of each measure in it.
        editions: publishers' editions that its rows name, each with the first digits of its hash.
        trace: the command that finds the files of its newest row.
        missing: why nothing is shown; empty where something is.
        failure: the refusal of a figure that cannot be shown, with its code; None for one that can.
    """

    key: str
    title: str
    subtitle: str
    chart: str
    unit: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    chart_rows: tuple[dict[str, Any], ...]
    note: str
    sql: str
    measures: tuple[dict[str, Any], ...]
    editions: tuple[tuple[str, str], ...]
    trace: str
    missing: str
    failure: Refusal | None = None

    @property
    def licences(self) -> list[str]:
        """Attribution and licence of its measures, each once."""
        return list(dict.fromkeys(f"{one['attribution']} {one['licence']}." for one in self.measures))

    def without(self, failure: Refusal) -> Shown:
        """Its place, where it cannot be shown: the code, and no rows."""
        missing = f"This figure could not be drawn, by a fault of ours [{failure.code}]. The data team has been told."
        return dataclasses.replace(self, chart="", rows=(), chart_rows=(), missing=missing, failure=failure)


def show(reader: Reader, figure: Figure, area: Area) -> Shown:
    """A figure of an area; its place alone where the rows are not as its declaration wants them, by a fault of ours."""
    try:
        return _show(reader, figure, area)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        place = Shown(figure.key, _name(figure), "", "", "", figure.columns, (), (), "", "", (), (), "", "")
        return place.without(failed(figure.key, area, error))


def failed(key: str, area: Area, error: Exception) -> Refusal:
    """The refusal of a site of which a figure cannot be shown."""
    return Refusal(
        "SITE_PAGE_FAILED",
        f"the figure {key} of {area.name} cannot be drawn: {type(error).__name__}: {next(iter(str(error).splitlines()), '')}",
        kept="the site that stands, and the marts",
        next_step="read the log of the site's run; the next build tries again",
    )


def _show(reader: Reader, figure: Figure, area: Area) -> Shown:
    joined = _JOINED.get(figure.query, dict)
    rows = [
        joined(row)
        for row in reader.rows(figure.query, area)
        if all(row[name] == value for name, value in figure.only.items()) and (figure.keep is None or figure.keep(row))
    ]
    chart_rows = figure.shaped(rows, area) if rows and figure.shaped and figure.chart else []
    has_chart = any(row.get(name) is not None for row in chart_rows for name in _DRAWN)
    codes = dict.fromkeys(row["measure_code"] for row in rows if row.get("measure_code"))
    by_code = _measures(reader) if codes else {}
    return Shown(
        key=figure.key,
        title=_words(figure.title, rows, area) if rows else _name(figure),
        subtitle=_words(figure.subtitle, rows, area) if rows else "",
        chart=figure.chart if has_chart or (figure.chart in ("grid", "rug") and chart_rows) else "",
        unit=figure.unit,
        columns=figure.columns,
        rows=tuple(rows),
        chart_rows=tuple(chart_rows),
        note=figure.note,
        sql=_statement(reader, figure, area),
        measures=tuple({**by_code[code], "measure_name": measured(by_code[code])} for code in codes if code in by_code),
        editions=_editions(rows),
        trace=_trace(figure, rows, area),
        missing="" if rows else figure.nothing or NOTHING,
    )


def _name(figure: Figure) -> str:
    """Its heading where it has no finding to give."""
    return figure.name or (figure.title if isinstance(figure.title, str) else figure.key.replace("-", " ").capitalize())


def _measures(reader: Reader) -> dict[str, Row]:
    """What is known of measures, by code."""
    return {row["measure_code"]: row for row in reader.rows("measures")}


def _words(words: Words, rows: Rows, area: Area) -> str:
    return words if isinstance(words, str) else words(rows, area)


def _statement(reader: Reader, figure: Figure, area: Area) -> str:
    """The query, narrowed to the rows of this figure where it shares the query with others."""
    text = reader.shown(figure.query, area)
    if not figure.only:
        return f"{text};"
    narrowed = " and ".join(f"{name} = '{value}'" for name, value in figure.only.items())
    inner = "\n".join(f"    {line}" if line else "" for line in text.splitlines())
    return f"select * from (\n{inner}\n) as figure\nwhere {narrowed};"  # noqa: S608 - for people to read; its parts are constants of the topics


def _editions(rows: Rows) -> tuple[tuple[str, str], ...]:
    named: dict[str, str] = {}
    for row in rows:
        for column in ("source_release", "health_release", "earlier_release"):
            for found in _EDITION.finditer(row.get(column) or ""):
                named[found[0]] = found[1]
    return tuple(sorted(named.items()))


def _trace(figure: Figure, rows: Rows, area: Area) -> str:
    """The command that names the editions behind the figure's newest row."""
    dated = [
        (ends, _first(row, _STARTS) or ends, row["measure_code"])
        for row in rows
        if row.get("area_code") == area.code and row.get("measure_code") and (ends := _first(row, _ENDS))
    ]
    if not figure.report or not dated:
        return ""
    ends, starts, measure = max(dated, key=lambda one: one[0])
    period = f"{ends:%Y-%m}" if f"{starts:%Y-%m}" == f"{ends:%Y-%m}" else f"{starts}:{ends}"
    return f"vru trace {measure} {area.code} {period} --report {figure.report}"


# The days of a row: a window is traced by its last, what has a start of its own by both.
_ENDS = ("window_end_date", "period_end_date", "month_start_date", "period_start_date")
_STARTS = ("period_start_date",)


def _first(row: Row, names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name)), None)


def table(figure: Shown) -> list[list[str]]:
    """The cells of a figure's table, as they are written."""
    return [[formats.cell(column, row[column.name]) for column in figure.columns] for row in figure.rows]
