"""Readers' transactions, as far as they can hold up our own steps."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from collections.abc import Iterable

import psycopg


@dataclasses.dataclass(frozen=True)
class Session:
    """A reader's transaction: its role, when it began (UTC), and whether it is older than the role may hold one."""

    role: str
    since: dt.datetime
    is_overdue: bool


def sessions(connection: psycopg.Connection) -> list[Session]:
    """The readers' transactions of this database that wait for, or hold, a lock on one of our tables, the oldest first."""
    if not _is_set_up(connection):
        return []
    rows = connection.execute(
        """select s.role_name, s.since, s.is_overdue from ops.reader_sessions() as s
           where exists (select from pg_locks as l join pg_class as c on c.oid = l.relation
                         where l.pid = s.pid and c.relnamespace in ('marts'::regnamespace, 'marts_history'::regnamespace, 'marts_past'::regnamespace,
                                                                    'marts_open'::regnamespace, 'ops'::regnamespace))
           order by s.since"""
    ).fetchall()
    return [Session(*row) for row in rows]


def end_overdue(connection: psycopg.Connection) -> list[str]:
    """End the transactions of readers that are older than their role may hold one.

    Returns:
        Each, by role and the time it began.
    """
    if not _is_set_up(connection):
        return []
    return [name for (name,) in connection.execute("select ops.end_overdue_readers()").fetchall()]


def end_overdue_and_say_so(connection: psycopg.Connection) -> None:
    """As `end_overdue`, each named on standard error."""
    for ended in end_overdue(connection):
        print(
            f"ended a reader's transaction that went on for longer than its role may: {ended}",
            file=sys.stderr,
            flush=True,
        )


def _is_set_up(connection: psycopg.Connection) -> bool:
    """Whether the database has the functions: set-up itself may have to wait before it has made them."""
    return connection.execute("select to_regprocedure('ops.end_overdue_readers()')").fetchone() != (None,)


def describe(found: Iterable[Session]) -> str:
    """Sessions by role and the time they began, as a message names them."""
    names = [f"{s.role} (in a transaction since {s.since:%Y-%m-%d %H:%M} UTC)" for s in found]
    return ", ".join(names) or "a session that has ended since"
