"""How soon the views that are explored answer: dropdowns, a series, a whole export, each asked of the marts as an analyst.

`VRU_HOME=… python -m bench.exploring` does this alone, of a home that has published.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import LiteralString

import psycopg
from psycopg import sql

from bench import limits
from warehouse.platform.connection import ANALYST, connect
from warehouse.platform.settings import Settings, settings

ROUNDS = 3
# Of each view: its dropdowns, and what a chart of one series reads.
DROPDOWNS = {
    "bi_month": ("measure_name", "area_name", "month_start_date"),
    "bi_rolling_12": ("measure_name", "area_name"),
    "bi_latest_12_months": ("measure_name", "area_name"),
    "fct_measure": ("measure_code", "area_code"),
    "rpt_ward_measure": ("window_kind", "measure_code", "area_code"),
    "rpt_borough_measure": ("window_kind", "measure_name", "area_name"),
}
SERIES: dict[str, LiteralString] = {
    "bi_month": """select month_start_date, rate, london_rate, similar_areas_rate from bi_month
        where measure_code = 'mps_all_offences' and area_code = 'E09000007'""",
    "bi_rolling_12": """select month_start_date, rate, london_rate, similar_areas_rate from bi_rolling_12
        where measure_code = 'mps_all_offences' and area_code = 'E09000007'""",
    "fct_measure": """select period_start_date, value from fct_measure
        where measure_code = 'mps_all_offences' and area_code = 'E09000007'""",
    "rpt_borough_measure": """select month_start_date, rate, london_rate, similar_areas_rate from rpt_borough_measure
        where measure_code = 'mps_all_offences' and area_code = 'E09000007' and window_kind = 'rolling_12'
        and sex = 'all' and age_band = 'all'""",
}
# Of the widest view one measure: all of its windows are seven times the table.
EXPORTS: dict[str, LiteralString] = {
    "bi_month": "select * from bi_month",
    "fct_measure": "select * from fct_measure",
    "rpt_borough_measure": "select * from rpt_borough_measure where measure_code = 'mps_all_offences'",
}


def run(settings: Settings) -> None:
    """Measure and print.

    Args:
        settings: of a home that has published.
    """
    print("\nExploring the marts, as an analyst (medians)")
    with connect(settings, ANALYST, autocommit=True) as connection:
        connection.execute("set search_path to marts")
        for view, columns in DROPDOWNS.items():
            for column in columns:
                limits.at_most(
                    f"{view}: values of {column}", _milliseconds(connection, _values(view, column)), 100, "ms"
                )
        for view, query in SERIES.items():
            limits.at_most(f"{view}: a series", _milliseconds(connection, sql.SQL(query)), 10, "ms")
        for view, query in EXPORTS.items():
            limits.at_least(f"{view}: COPY", _rows_a_second(connection, query), 100_000, "rows a second")


def _values(view: str, column: str) -> sql.Composed:
    return sql.SQL("select distinct {} from {}").format(sql.Identifier(column), sql.Identifier(view))


def _milliseconds(connection: psycopg.Connection, query: sql.SQL | sql.Composed) -> int:
    return round(1000 * _median(lambda: connection.execute(query).fetchall()))


def _median(ask: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _rows_a_second(connection: psycopg.Connection, query: LiteralString) -> int:
    started = time.perf_counter()
    cursor = connection.cursor()
    with cursor.copy(sql.SQL("copy ({}) to stdout").format(sql.SQL(query))) as copy:
        for _ in copy:
            pass
    return round(cursor.rowcount / (time.perf_counter() - started))


if __name__ == "__main__":
    run(settings())
