"""Which days the rows of a file are about, and how much of each month they hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import psycopg
from psycopg import sql

from ingest.declaration import Layout
from ingest.readers.faults import HEADER, NEXT, Fault, FaultyFile
from ingest.readers.numbers import PATTERN
from ingest.readers.times import day_of, is_timed


def sums(cursor: psycopg.Cursor, table: str, load_id: int, layout: Layout) -> dict[str, float]:
    """By month, the sum of the declared value column of a load; what is not a number is left out.

    Args:
        table: the raw table.
    """
    assert layout.value_column is not None  # noqa: S101 - the caller looked
    value = sql.Identifier(layout.value_column)
    time = sql.Identifier(layout.period.column) if layout.period else sql.Literal("")
    rows = cursor.execute(
        sql.SQL(
            "select {time}, sum({value}::numeric)::float8 from raw.{table} where _load_id = %s and {value} ~ %s group by 1"
        ).format(time=time, value=value, table=sql.Identifier(table)),
        [load_id, f"^{PATTERN}$"],
    ).fetchall()
    return _by_month(dict(rows), layout)


def _by_month(by_time: Mapping[str, float], layout: Layout) -> dict[str, float]:
    totals: dict[str, float] = {}
    for time, total in by_time.items():
        day = day_of(time, layout.period) if layout.period else None
        month = f"{day:%Y-%m}" if day else ""
        totals[month] = totals.get(month, 0) + total
    return totals


def span_of(times: Mapping[str, int], layout: Layout) -> tuple[dt.date | None, dt.date | None, dict[str, float]]:
    """First and last day of the times a file is about, and its rows by month.

    Raises:
        FaultyFile: naming a time that is written in none of the declared forms.
    """
    if layout.period is None or not times:
        return None, None, {}
    days = []
    totals: dict[str, float] = {}
    for time, count in times.items():
        if not is_timed(time, layout.period):
            continue
        day = day_of(time, layout.period)
        if day is None:
            fault = Fault(
                "TIME_INVALID", HEADER, layout.period.column, time, f"is not a time as declared ({layout.period.forms})"
            )
            raise FaultyFile([fault], 0, NEXT)
        days.append(day)
        month = f"{day:%Y-%m}"
        totals[month] = totals.get(month, 0) + count
    return (min(days), max(days), totals) if days else (None, None, {})


def are_days(times: Iterable[str], layout: Layout) -> bool:
    """Whether every published time is a day of the calendar, or about no time at all."""
    period = layout.period
    return period is None or all(day_of(time, period) for time in times if is_timed(time, period))
