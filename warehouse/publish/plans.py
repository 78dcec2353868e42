"""Plans of statements whose tables the planner knows nothing of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg


@contextlib.contextmanager
def no_nested_loops(connection: psycopg.Connection) -> Iterator[None]:
    """Join by hash or merge for as long as the block, in a transaction: row by row, a misjudged join takes minutes or hours."""
    connection.execute("set local enable_nestloop = off")
    yield
    connection.execute("set local enable_nestloop = default")
