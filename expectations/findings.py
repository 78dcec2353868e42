"""What the rows of a check are about: the areas and months that are named where it fails, or mentions what is known."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import psycopg
from psycopg.rows import dict_row

from expectations import figures
from expectations.naming import PLACES, Row, entries
from expectations.suite import Check, Suite

ROWS_READ_FOR_NAMES = 5000


def known_rows_of(suite: Suite, check: Check, figure: figures.Figure) -> list[Row]:
    """The rows of a figure that a check mentions, whether it passes or not."""
    known = [row for row in figure.rows if check.mentions_where is not None and row.get(check.mentions_where)]
    return as_named(suite, check, known)


def as_named(suite: Suite, check: Check, rows: Sequence[Row]) -> list[Row]:
    """Rows of a figure as they are named: without what other checks of the figure look at, and without a share where its parts stand."""
    others = {column for other in suite.checks if other.of == check.of for column in other.columns} - check.columns
    kept: list[Row] = [{column: value for column, value in row.items() if column not in others} for row in rows]
    share = check.arguments.get("column")
    parts: list[Row] = [{column: value for column, value in row.items() if column != share} for row in kept]
    return parts if any(_holds_a_number(row) for row in parts) else kept


def _holds_a_number(row: Row) -> bool:
    return any(
        isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
        for column, value in row.items()
        if column not in PLACES
    )


def names_of(connection: psycopg.Connection, suite: Suite, query: str, names: dict[str, str]) -> tuple[str, ...]:
    """What the rows of a query are about, in words, one entry an area and month with its measures."""
    with connection.cursor(row_factory=dict_row) as cursor:
        # A suite is ours, versioned and read strictly; nothing of a publisher's is in its text.
        cursor.execute(f"select * from ({suite.query(query)}) as found limit {ROWS_READ_FOR_NAMES}")  # noqa: S608
        return entries(cursor.fetchall(), names)


def area_names(connection: psycopg.Connection) -> dict[str, str]:
    """Names of areas by code; none where the candidate has no dim_area, and codes stand in their place."""
    try:
        return dict(connection.execute("select area_code, area_name from candidate.dim_area").fetchall())
    except psycopg.Error:
        return {}
