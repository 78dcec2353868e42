"""The audit trail: who gave whom access, exported what, asked restricted tables, overrode what was refused.

Its rows stand in ops.audit, added by a function whose owner cannot log in, each with the hash of the one before. So who changes one, takes one
out or puts one in has to change all that follow; and what the last hash was is written to `audit/heads` of the home each time too, and
printed by each night, where the database's own administrator does not reach, so that the end cannot be cut off either.
"""

from __future__ import annotations

import dataclasses
import getpass
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.settings import Settings

_ROWS = """select audit_id, happened_at, person, role_name, written_by, action, subject, why, detail, previous_hash, hash,
    jsonb_build_array(
        audit_id, to_char(happened_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), person, role_name, written_by, action, subject, why,
        detail, previous_hash
    )::text as said
from ops.audit order by audit_id"""


@dataclasses.dataclass(frozen=True)
class Misfit:
    """The first row of the trail that does not fit: its number, and what is wrong."""

    audit_id: int
    problem: str


def person() -> str:
    """The user of this machine who runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.geteuid()}"


def record(
    connection: psycopg.Connection, role: str, action: str, subject: str, *, why: str = "", by: str = "", **detail: Any
) -> None:
    """Add a row in the transaction of the connection, which whoever writes the next one waits for.

    Args:
        connection: of the loader, the publisher or an admin.
        role: as which role it is done.
        action: what kind of act: grant, revoke, export, query, accept, withdraw, erase, publish, rollback, repair.
        subject: what it is done to: a login, a table, a load, a release.
        by: who says so, where the command was told; else the user of the machine.
        detail: names and counts, no values of restricted columns.
    """
    connection.execute(
        "select ops.write_audit(%s, %s, %s, %s, %s, %s)", [by or person(), role, action, subject, why, Jsonb(detail)]
    )


def write(
    settings: Settings, role: str, action: str, subject: str, *, why: str = "", by: str = "", **detail: Any
) -> None:
    """As `record`, in a transaction of its own, and note the head: before what it is about is done.

    Raises:
        Refusal: the trail cannot be written; nothing should be done then.
    """
    with connect(settings, PUBLISHER) as connection:
        record(connection, role, action, subject, why=why, by=by, **detail)
    note_head(settings)


def head(connection: psycopg.Connection) -> tuple[int, str] | None:
    """Number and hash of the last row; None where there is none."""
    return connection.execute("select audit_id, hash from ops.audit order by audit_id desc limit 1").fetchone()


def note_head(settings: Settings) -> str:
    """Write the last row's number and hash to the home, where they are not noted yet, and say them.

    Returns:
        "audit trail: 12 rows, the last 5f0c..."; empty where there is none.
    """
    with connect(settings, PUBLISHER) as connection:
        last = head(connection)
    if last is None:
        return ""
    file = heads(settings)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    noted = json.dumps({"audit_id": last[0], "hash": last[1], "noted_at": settings.now().isoformat(timespec="seconds")})
    if last not in set(_noted(file)):
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{noted}\n")
            lines.flush()
            os.fsync(lines.fileno())
    return f"audit trail: {last[0]:,} rows, the last {last[1]}"


def heads(settings: Settings) -> Path:
    """The file of the home that the last hashes are noted in, a line each: append it to a log elsewhere, and nobody here can cut the trail."""
    return settings.home / "audit" / "heads"


def _noted(file: Path) -> Iterator[tuple[int, str]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            one = json.loads(line)
            yield int(one["audit_id"]), str(one["hash"])
        except (ValueError, KeyError, TypeError):
            yield 0, line  # a line that somebody wrote fits no row


def rows(settings: Settings, role: str, limit: int | None = None) -> list[dict[str, Any]]:
    """The trail, the newest row first.

    Args:
        role: one that may read it.
        limit: at most so many rows.
    """
    with connect(settings, role) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """select audit_id, happened_at, person, role_name, written_by, action, subject, why, detail, hash
               from ops.audit order by audit_id desc limit %s""",
            [limit],
        ).fetchall()


def check(settings: Settings, role: str) -> tuple[int, Misfit | None]:
    """Work every hash out again, here and not in the database, and compare the trail with the heads that were noted.

    Returns:
        How many rows the trail has, and the first that does not fit.
    """
    noted = dict(_noted(heads(settings)))
    count, before = 0, ""
    with connect(settings, role) as connection, connection.cursor("trail", row_factory=dict_row) as cursor:
        for row in cursor.execute(_ROWS):
            count += 1
            number = int(row["audit_id"])
            if number != count:
                return count, Misfit(count, f"row {count} is not there: row {number} follows row {count - 1}")
            if row["previous_hash"] != before:
                return count, Misfit(number, "it does not hold the hash of the row before it")
            if row["hash"] != hashlib.sha256(row["said"].encode()).hexdigest():
                return count, Misfit(number, "its hash is not that of what it says")
            if noted.pop(number, row["hash"]) != row["hash"]:
                return count, Misfit(number, "another hash was noted of it outside the database")
            before = row["hash"]
    if noted:
        first = min(noted)
        return count, Misfit(first, f"it was noted outside the database, and the trail ends with row {count}")
    return count, None
