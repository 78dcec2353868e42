"""From a figure to the publishers' files behind it."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from ingest.errors import Refusal
from warehouse.platform.connection import ANALYST, connect
from warehouse.platform.settings import Settings

FACTS = "fct_measure"
# Where a row of a report says which area, measure and time it is of: the first of each that the report has.
_AREAS = ("small_area_code", "ward_code", "area_code")
_MEASURES = ("measure_code", "health_measure_code")
_STARTS = ("window_start_date", "period_start_date", "month_start_date", "year_start_date")
_ENDS = ("window_end_date", "period_end_date", "month_start_date", "year_start_date")


def trace(settings: Settings, measure: str, area: str, period: str, report: str) -> list[dict[str, Any]]:
    """The editions behind the figures of a report, as marts.trace gives them, of a measure, area and period.

    Args:
        measure: its code.
        area: code or name of an area, a ward or an LSOA.
        period: a month (2026-10), a calendar year (2025), a financial year (2025/26), or two days (2025-11-01:2026-10-31).
        report: a table or view of schema marts; of one with windows, those that end within the period.

    Returns:
        A row for each edition and what it is behind (counted, compared, benchmark, residents, component …).

    Raises:
        Refusal: there is no such report or figure, or the period is none.
    """
    first, last = days_of(period)
    with connect(settings, ANALYST) as connection:
        columns = _columns(connection, report)
        starts, ends = (_first(wanted, columns) for wanted in (_STARTS, _ENDS))
        areas, measures = ([name for name in wanted if name in columns] for wanted in (_AREAS, _MEASURES))
        if not (starts and ends and areas and measures):
            raise Refusal(
                "FIGURE_UNKNOWN",
                f"{report} has no figures of a measure, an area and a period",
                next_step="ask for a row of it in SQL, with marts.trace(report, to_jsonb(row)): docs/questions.md has an example",
            )
        # A month is within a period by its first day; a window belongs to the period in which it ends.
        is_window = starts == "window_start_date" or report == "bi_latest_12_months"
        within = ends if starts == ends or is_window else starts
        cells = sql.SQL(
            "select to_jsonb(r) as cell from {} as r where ({}) and ({}) and r.{} between %(first)s and %(last)s and r.{} <= %(last)s"
        ).format(
            sql.Identifier("marts", report),
            sql.SQL(" or ").join(sql.SQL("r.{} = %(measure)s").format(sql.Identifier(name)) for name in measures),
            sql.SQL(" or ").join(sql.SQL("r.{} = any(%(areas)s)").format(sql.Identifier(name)) for name in areas),
            sql.Identifier(within),
            sql.Identifier(ends),
        )
        asked = {
            "measure": measure,
            "areas": _areas_of(connection, area),
            "first": first,
            "last": last,
            "report": report,
        }
        with connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(
                sql.SQL(
                    """with cells as materialized ({})
                       select e.*, min(e.place) over () as nearest from (
                           select distinct on (e.behind, e.source, e.dataset, e.sha256) e.*, e.ordinality as place
                           from cells as c cross join lateral marts.trace(%(report)s, c.cell) with ordinality as e
                           order by e.behind, e.source, e.dataset, e.sha256, e.ordinality
                       ) as e order by e.place"""
                ).format(cells),
                asked,
            ).fetchall()
    if not found:
        raise Refusal(
            "FIGURE_UNKNOWN",
            f"{report} has no figure of {measure} in {area} within {first} to {last}",
            next_step="marts.dim_measure and marts.dim_area have the codes; --report names the report (fct_measure if nothing is said)",
        )
    return [
        {name: value for name, value in row.items() if name not in ("ordinality", "place", "nearest")} for row in found
    ]


def days_of(period: str) -> tuple[dt.date, dt.date]:
    """First and last day of a period as people write it.

    Raises:
        Refusal: it is none.
    """
    try:
        if found := re.fullmatch(r"(\d{4})-(\d\d)", period):
            year, month = int(found[1]), int(found[2])
            return dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])
        if re.fullmatch(r"\d{4}", period):
            return dt.date(int(period), 1, 1), dt.date(int(period), 12, 31)
        if (found := re.fullmatch(r"(\d{4})/(\d\d)", period)) and (int(found[1]) + 1) % 100 == int(found[2]):
            return dt.date(int(found[1]), 4, 1), dt.date(int(found[1]) + 1, 3, 31)
        first, _, last = period.partition(":")
        return dt.date.fromisoformat(first), dt.date.fromisoformat(last or first)
    except ValueError as error:
        raise Refusal(
            "OPTION_INVALID",
            f"{period!r} is no period",
            next_step="write a month (2026-10), a year (2025), a financial year (2025/26) or two days (2025-11-01:2026-10-31)",
        ) from error


def _columns(connection: psycopg.Connection, report: str) -> list[str]:
    found = connection.execute(
        """select attname from pg_attribute
           where attrelid = to_regclass(format('marts.%%I', %s::text)) and attnum > 0 and not attisdropped""",
        [report],
    ).fetchall()
    if not found:
        raise Refusal("TABLE_UNKNOWN", f"there is no report {report} in schema marts", next_step="README.md lists them")
    return [name for (name,) in found]


def _first(wanted: tuple[str, ...], there: list[str]) -> str:
    return next((name for name in wanted if name in there), "")


def _areas_of(connection: psycopg.Connection, area: str) -> list[str]:
    """The code itself, and that of an area of this name."""
    named = connection.execute("select area_code from marts.dim_area where lower(area_name) = lower(%s)", [area])
    return [area, *(code for (code,) in named)]
