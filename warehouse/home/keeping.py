"""Rights and row policies of the whole database, kept as declared by set-up and by the watch."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from ingest.errors import Refusal
from warehouse.platform import grants, locking, readers, row_security
from warehouse.publish import rights


def rights_that_differ(connection: psycopg.Connection) -> dict[str, list[str]]:
    """What of rights and row policies is not as declared (warehouse/platform/roles.yml).

    Returns:
        By role, or by table where its rows are shown to others than declared.
    """
    found: dict[str, list[str]] = {}
    for right in grants.differences(connection):
        found.setdefault(right.role, []).append(
            f"{'lacked' if right.is_missing else 'had'} {right.verb} on {right.thing}"
        )
    for rule in rights.row_differences(connection):
        found.setdefault(rule.relation, []).append(rule.what)
    return found


def keep_rights(connection: psycopg.Connection) -> None:
    """Make rights and row policies what is declared.

    Args:
        connection: of an admin.

    Raises:
        Refusal: a reader holds a table whose policies have to change.
    """
    with connection.transaction():
        in_short_tries(connection, lambda: keep_in_transaction(connection))


def keep_in_transaction(connection: psycopg.Connection) -> None:
    """As `keep_rights`, in a transaction of an admin's, who may act as the publisher: what it makes anew stays the publisher's."""
    row_security.put_right(connection, rights.row_differences(connection))
    grants.keep(connection)


def in_short_tries(connection: psycopg.Connection, change: Callable[[], object]) -> None:
    """Change what readers use (warehouse/platform/locking.py).

    Raises:
        Refusal: a reader kept it locked for longer than a reader may.
    """
    if not locking.in_short_tries(connection, change):
        raise Refusal(
            "READERS_IN_THE_WAY",
            f"set-up has to change what readers use, and {readers.describe(readers.sessions(connection))} kept it locked",
            kept="the warehouse as it was",
            next_step="run it again; a reader's transaction is ended once it is older than its role may hold one "
            "(docs/runbook.md)",
        )
