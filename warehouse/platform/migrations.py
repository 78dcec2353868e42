"""Migrations: what changes the tables that a home keeps, in files of rising number, each run once in a home and never back.

`warehouse/platform/schema/migrations/0003_subject.sql` is one. A new home runs them all, from the first; so does one from before they were numbered, and the
first two find that it has what they would make. What can be made again from nothing (views, functions, rights) is no migration: it stands
in `warehouse/platform/schema/` and is run whenever it has changed.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import psycopg

from ingest.errors import Refusal

FOLDER = Path(__file__).resolve().parent / "schema" / "migrations"
NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


@dataclasses.dataclass(frozen=True)
class Migration:
    """One file: its number, its subject, and where it is."""

    number: int
    subject: str
    file: Path


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """Every migration, in their order.

    Raises:
        ValueError: a file is named otherwise, or a number is left out or stands twice.
    """
    found = []
    for file in sorted(folder.glob("*.sql")):
        name = NAME.fullmatch(file.name)
        if name is None:
            raise ValueError(f"{file.name}: a migration is named by its number and subject, such as 0003_codes.sql")
        found.append(Migration(int(name[1]), name[2], file))
    if [one.number for one in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"{folder}: the numbers of migrations run from 0001 without a gap")
    return found


def run(connection: psycopg.Connection, folder: Path = FOLDER) -> list[Migration]:
    """Run those that this home has not run, in the transaction of the connection, as the schemas' owner.

    Returns:
        Those that were run.

    Raises:
        Refusal: a newer version of this project has set the home up.
    """
    known = migrations(folder)
    connection.execute(
        """create table if not exists ops.migration (
               number integer primary key, subject text not null, run_at timestamptz not null default now()
           )"""
    )
    connection.execute(
        "comment on table ops.migration is 'Grain: one row a migration (warehouse/platform/schema/migrations) that this home has run.'"
    )
    done = {number for (number,) in connection.execute("select number from ops.migration")}
    if newer := sorted(done - {one.number for one in known}):
        raise Refusal(
            "HOME_TOO_NEW",
            f"this home was set up by a newer version of this project (migration {newer[-1]}, and this one knows {known[-1].number})",
            kept="the home as it was",
            next_step="use the newer version; migrations never go back",
        )
    due = [one for one in known if one.number not in done]
    for one in due:
        connection.execute(one.file.read_bytes())
        connection.execute("insert into ops.migration (number, subject) values (%s, %s)", [one.number, one.subject])
    return due
