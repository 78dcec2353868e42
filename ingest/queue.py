"""Who may change the warehouse, and who waits for whom: one queue, with one order of locks.

Loads stand in it side by side, one of a source at a time; a build, a rebuild, a backup and a restore stand in it alone. Whoever changes raw
or its ledger takes a place first and touches rows afterwards, so nobody holds rows that the one ahead waits for.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import psycopg

from ingest.errors import Refusal

PIPELINE_LOCK = "vru pipeline"
# Longer than a build or a backup of a real home takes; a night's task may take as long.
PATIENCE = "1h"


def lock_shared(connection: psycopg.Connection, source: str) -> None:
    """Take a load's place, to the end of the transaction: no build, no backup and no other load of the source is at work meanwhile.

    Args:
        connection: in a transaction that has touched nothing yet.
        source: whose files are to be loaded, or taken out of raw.

    Raises:
        Refusal: whoever is ahead goes on for longer than PATIENCE.
    """
    take(connection, PIPELINE_LOCK, "share")
    take(connection, f"load {source}", "transaction")


@contextlib.contextmanager
def lock_exclusive(connection: psycopg.Connection) -> Iterator[None]:
    """Take the place of one who changes or copies all of the warehouse, to the end of the block or of the session.

    Args:
        connection: not in a transaction. Loads within the block go by it, and by no other.

    Raises:
        Refusal: whoever is ahead goes on for longer than PATIENCE.
    """
    take(connection, PIPELINE_LOCK, "session")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtext(%s))", [PIPELINE_LOCK])


_HOW = {
    "share": "advisory_xact_lock_shared",
    "transaction": "advisory_xact_lock",
    "session": "advisory_lock",
}


def take(connection: psycopg.Connection, key: str, how: str, patience: str = PATIENCE) -> None:
    """Take a lock; where others have it, say who they are and wait.

    Args:
        key: the lock's name.
        how: share or transaction (both to the end of the transaction), or session.
        patience: how long to wait, as PostgreSQL writes it.

    Raises:
        Refusal: they keep it for longer than that.
    """
    function = _HOW[how]
    if connection.execute(f"select pg_try_{function}(hashtext(%s))".encode(), [key]).fetchone() == (True,):
        return
    ahead = holders(connection, key)
    if ahead:
        print(f"waiting for {ahead}", file=sys.stderr, flush=True)
    before = connection.execute("select current_setting('lock_timeout')").fetchone()
    is_local = how != "session"
    connection.execute("select set_config('lock_timeout', %s, %s)", [patience, is_local])
    try:
        connection.execute(f"select pg_{function}(hashtext(%s))".encode(), [key])
    except psycopg.errors.LockNotAvailable as error:
        raise Refusal(
            "LOCK_HELD_TOO_LONG",
            f"{ahead or 'another command'} has kept the warehouse for {patience}",
            kept="nothing changed",
            next_step="see that it goes on, or end it, and run the same again",
        ) from error
    connection.execute("select set_config('lock_timeout', %s, %s)", [*(before or ("0",)), is_local])


def holders(connection: psycopg.Connection, key: str) -> str:
    """Who has a lock: command, process and since when, as its session is named, and its role. Empty where nobody has it."""
    rows = connection.execute(
        """select distinct coalesce(nullif(a.application_name, ''), 'a session of process ' || a.pid) || ', ' || a.usename
           from pg_locks as l inner join pg_stat_activity as a on a.pid = l.pid
           where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.pid <> pg_backend_pid() and a.usename is not null
               and l.database = (select oid from pg_database where datname = current_database())
               and ((l.classid::bigint << 32) | l.objid::bigint) = hashtext(%s)::bigint
           order by 1""",
        [key],
    ).fetchall()
    return "; ".join(
        f"`{name.split(', ', 1)[0]}` ({name.split(', ', 1)[1]})" if ", " in name else name for (name,) in rows
    )
