"""The rows a chart is given, read column by column: what is there is drawn, and nothing is worked out from it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

Row = Mapping[str, object]


def check(kind: str, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """See that there are rows and that each has the columns.

    Raises:
        ValueError: no row, or one without a column.
    """
    if not rows:
        raise ValueError(f"a {kind} chart needs rows, and there are none")
    for place, row in enumerate(rows, 1):
        if missing := [column for column in columns if column not in row]:
            raise ValueError(f"a {kind} chart needs the column {missing[0]}, and row {place} has only {', '.join(row)}")


def number(row: Row, column: str) -> float | None:
    """The number in a column, None where there is none (or no such column).

    Raises:
        ValueError: it is something else.
    """
    value = row.get(column)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not math.isfinite(value):
        raise ValueError(f"{column} is no number: {value!r}")
    return float(value)


def words(row: Row, column: str) -> str:
    """The text in a column, on one line; empty where there is none."""
    value = row.get(column)
    return "" if value is None else " ".join(str(value).split())


def day(row: Row, column: str) -> dt.date:
    """The day in a column.

    Raises:
        ValueError: it is no day.
    """
    value = row.get(column)
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise ValueError(f"{column} is no day: {value!r}")  # noqa: TRY004 - one kind of refusal for all rows
    return value


def truth(row: Row, column: str) -> bool:
    """Whether a column is true; null is not."""
    return row.get(column) is True


def numbers(rows: Sequence[Row], *columns: str) -> list[float]:
    """Every number in the columns of the rows."""
    return [value for row in rows for column in columns if (value := number(row, column)) is not None]


def some_number(kind: str, rows: Sequence[Row], *columns: str) -> list[float]:
    """Every number in the columns of the rows.

    Raises:
        ValueError: there is none to draw.
    """
    if not (found := numbers(rows, *columns)):
        raise ValueError(f"a {kind} chart needs a number in {' or '.join(columns)}, and no row has one")
    return found
