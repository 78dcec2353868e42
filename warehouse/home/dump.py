"""The database of a backup: dumped, filled from a dump, and compared table by table."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ingest.errors import Refusal
from warehouse.platform import children, embedded
from warehouse.platform.connection import ADMIN, connect, parameters
from warehouse.platform.settings import Settings

# What a restored warehouse is compared by, row for row. The rest is made from it, or from landing.
COMPARED = ("marts", "marts_history", "marts_past", "ops", "quarantine")


def dump_to(settings: Settings, target: Path, snapshot: str) -> None:
    """Dump the database as of a snapshot, and see the file on the disk."""
    _run(settings, "pg_dump", "--format=custom", "--compress=gzip:1", f"--snapshot={snapshot}", f"--file={target}")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def fill(settings: Settings, dump: Path) -> None:
    """Replace what the database holds by a dump."""
    drop_everything(settings)
    _run(settings, "pg_restore", "--exit-on-error", "--jobs=2", str(dump))


def drop_everything(settings: Settings) -> None:
    """Drop every schema, and end what still runs of a restore that was killed."""
    with connect(settings, ADMIN) as connection:
        connection.execute(
            """select pg_terminate_backend(pid, 10000) from pg_stat_activity
               where datname = current_database() and application_name = 'pg_restore'"""
        )
        for (schema,) in connection.execute(
            "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema|public)'"
        ).fetchall():
            connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))


def _run(settings: Settings, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on the warehouse as its admin.

    The password goes by the program's environment, which its own user alone can read: a file would stay behind a kill.
    """
    found = parameters(settings, ADMIN)
    secret = found.pop("password")
    result = children.run(
        [str(embedded.bin_path() / program), *arguments, *_target(program, found)],
        env={**{k: v for k, v in os.environ.items() if not k.startswith("PG")}, "PGPASSWORD": secret},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines()
        raise Refusal(
            "BACKUP_FAILED",
            f"{program} failed: {lines[0] if lines else 'it gave no reason'}",
            next_step="correct that, and run it again",
        )


def _target(program: str, found: dict[str, str]) -> list[str]:
    text = " ".join(f"{key}='{value}'" for key, value in found.items())
    return [f"--dbname={text}"] if program == "pg_restore" else [text]


def hash_tables(connection: psycopg.Connection) -> dict[str, list[Any]]:
    """Rows of each table of the compared schemas, and a hash that their order does not change."""
    found = {}
    for schema, table in connection.execute(
        """select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
           where c.relkind = 'r' and n.nspname = any(%s) order by 1, 2""",
        [list(COMPARED)],
    ).fetchall():
        row = connection.execute(
            sql.SQL(
                "select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text from {} as t"
            ).format(sql.Identifier(schema, table))
        ).fetchone()
        assert row is not None  # noqa: S101 - an aggregate gives a row
        found[f"{schema}.{table}"] = list(row)
    return found
