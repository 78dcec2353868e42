"""Changing what readers use: in tries so short that no reader waits long, for as long as readers may hold it."""

from __future__ import annotations

import contextlib
import random
import sys
import time
from collections.abc import Callable

import psycopg
from psycopg import sql

from warehouse.platform import readers

# A shorter wait than deadlock_timeout (1 s): readers queue behind us for less than that, and none is ever chosen as
# the victim of a deadlock.
DDL_LOCK_TIMEOUT = "800ms"
DDL_PAUSE_SECONDS = (0.2, 1.0)
# Seconds that a change keeps trying. Longer than a reader may hold a transaction open (roles.ROLE_SETTINGS), so that
# one who forgot a transaction delays a night and does not stop it.
PATIENCE = 16 * 60.0
# After so many seconds of waiting, it says for whom.
SILENCE = 5.0
LOCK_TIMEOUT = "60s"


def in_short_tries(connection: psycopg.Connection, change: Callable[[], object]) -> bool:
    """Make a change that has to lock readers out, in tries so short that no reader waits long or is killed.

    A reader whose transaction is older than its role may hold one is ended; others are waited for. Who is waited for, or was
    ended, is named on standard error.

    Args:
        connection: in a transaction.
        change: statements; what they did is undone before each new try.

    Returns:
        Whether one of the tries came through.
    """
    begun = time.monotonic()
    has_said = False
    while True:
        # The time-out of the statement bounds the wait for all of them together, that of the lock the wait for each.
        with (
            contextlib.suppress(psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled),
            connection.transaction(),
        ):
            before = connection.execute("select current_setting('statement_timeout')").fetchone()
            for setting in ("lock_timeout", "statement_timeout"):
                connection.execute(
                    sql.SQL("set local {} = {}").format(sql.Identifier(setting), sql.Literal(DDL_LOCK_TIMEOUT))
                )
            change()
            connection.execute(
                "select set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)",
                [LOCK_TIMEOUT, before[0] if before else "0"],
            )
            return True
        readers.end_overdue_and_say_so(connection)
        waited = time.monotonic() - begun
        if waited > PATIENCE:
            return False
        if waited > SILENCE and not has_said:
            has_said = True
            print(f"waiting for {readers.describe(readers.sessions(connection))}", file=sys.stderr, flush=True)
        time.sleep(random.uniform(*DDL_PAUSE_SECONDS))  # noqa: S311 - a pause, no secret
