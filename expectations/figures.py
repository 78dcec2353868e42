"""Figures: what a suite puts side by side, asked of the database once and judged by native expectations in memory.

A definition that a check is `of` is one. It holds areas, months, measures, codes of ours and numbers: any other text would leave the
database, and may be personal, so a figure with such a column is no figure.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import psycopg

from expectations.naming import MEASURE, PLACES
from expectations.suite import Check, Suite

ROWS_MOST = 300_000
NUMBERS = ("int2", "int4", "int8", "numeric", "float4", "float8")
FLAG = "bool"

# Errors whose text names tables, columns and functions only. The text of any other may quote a value.
SAYABLE = ("UndefinedTable", "UndefinedColumn", "UndefinedFunction", "SyntaxError", "InsufficientPrivilege")

Key = tuple[str, str]  # a suite, and a definition of it


class NoFigure(Exception):
    """Why something is no figure; its text holds no value."""


@dataclasses.dataclass(frozen=True)
class Figure:
    """A few columns of areas, months, measures and numbers.

    Attributes:
        numbers, flags: the names of its columns that hold numbers, and true or false.
        rows: by name of column.
    """

    columns: tuple[str, ...]
    numbers: frozenset[str]
    flags: frozenset[str]
    rows: tuple[dict[str, Any], ...]


def ask(connection: psycopg.Connection, query: str) -> Figure:
    """The figure of a query.

    Raises:
        NoFigure: it has a column of other text, too many rows, or a number that is none.
        psycopg.Error: the database cannot answer.
    """
    # A suite is ours, versioned and read strictly; nothing of a publisher's is in its text.
    cursor = connection.execute(f"select * from ({query}) as figure limit {ROWS_MOST + 1}".encode())  # noqa: S608 - as the line above says
    of_type: dict[str, str] = {}
    for column in cursor.description or ():
        known = connection.adapters.types.get(column.type_code)
        of_type[column.name] = known.name if known else "unknown"
    numbers = frozenset(name for name, kind in of_type.items() if kind in NUMBERS)
    flags = frozenset(name for name, kind in of_type.items() if kind == FLAG)
    if other := [name for name in of_type if name not in {*PLACES, MEASURE, *numbers, *flags}]:
        raise NoFigure(f"a figure holds areas, months, measures and numbers, and {', '.join(other)} is none of these")
    found = cursor.fetchall()
    if len(found) > ROWS_MOST:
        raise NoFigure(f"a figure has at most {ROWS_MOST} rows, and this has more")
    rows = tuple(dict(zip(of_type, row, strict=True)) for row in found)
    if any(_is_none(row[name]) for row in rows for name in numbers):
        raise NoFigure("it holds a figure that is not a number")
    return Figure(tuple(of_type), numbers, flags, rows)


def ask_all(
    connection: psycopg.Connection, work: Iterable[tuple[Suite, tuple[Check, ...]]]
) -> dict[Key, Figure | Exception]:
    """The figures that checks are of, each asked once; the error in the place of one that cannot be."""
    found: dict[Key, Figure | Exception] = {}
    for suite, checks in work:
        for name in dict.fromkeys(check.of for check in checks if check.of is not None):
            try:
                found[suite.name, name] = ask(connection, suite.query(f"select * from {name}"))  # noqa: S608 - as above
            except (psycopg.Error, NoFigure) as error:
                found[suite.name, name] = error
    return found


def said_of(error: BaseException) -> str:
    """What may be said of an error: its kind, and its text where that cannot hold a value from a row."""
    if isinstance(error, NoFigure):
        return str(error)
    kind = type(error).__name__
    if isinstance(error, psycopg.Error):
        return f"{kind}: {error.diag.message_primary}" if kind in SAYABLE else kind
    return kind


def _is_none(value: object) -> bool:
    return isinstance(value, (float, Decimal)) and not math.isfinite(value)


def in_months(value: object) -> object:
    """A value as it stands in memory: a day as text."""
    return value.isoformat() if isinstance(value, dt.date) else value
