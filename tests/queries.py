"""What a warehouse answers, for tests that look at its tables."""

from __future__ import annotations

from typing import Any

from warehouse.platform.connection import ADMIN, ANALYST, connect
from warehouse.platform.settings import Settings


def ask(warehouse: Settings, query: str, role: str = ANALYST) -> list[tuple[Any, ...]]:
    """The rows of a query, asked as a role."""
    with connect(warehouse, role) as connection:
        return connection.execute(query.encode()).fetchall()


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, asked as the warehouse's owner."""
    return ask(settings, query, ADMIN)
