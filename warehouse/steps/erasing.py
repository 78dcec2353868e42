"""Erasing a file: because its controller says so, or because it was kept for as long as its source says it may be.

First, at once: its rows in raw, its lines in quarantine, what the ledger holds of its content, its bytes in landing. Then, when no mart is made of it any
more (after the next build): what history holds of releases that were, and backups, which are replaced by a new one. The row of ops.erasure is the
proof. Each part may be cut off and is done again. What was exported lies elsewhere; the row counts the exports, and `vru audit` says who has them.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from ingest import landing, ledger, queue, raw
from ingest.declaration import find_source, raw_table, read_sources
from ingest.errors import Refusal
from warehouse.home import backup
from warehouse.platform import audit
from warehouse.platform.connection import ADMIN, connect, has_admin
from warehouse.platform.settings import Settings
from warehouse.publish import history
from warehouse.steps import step, withdrawing

CONTROLLER, RETENTION = "controller", "retention"


def erase(source: str, dataset: str, path: str, reason: str, by: str, kind: str = CONTROLLER) -> list[dict[str, Any]]:
    """Erase a landed file and what was made of it.

    Args:
        path: below landing (`vru loads`).
        reason: why, in words; without anything personal.
        by: who says so.
        kind: controller or retention.

    Returns:
        The rows of ops.erasure that are finished now. Where marts are made of the file, not yet its own: build, then `finish_erasures`.

    Raises:
        Refusal: there is no such file of that dataset, this process has no admin's connection, or the edition before it cannot be loaded.
    """
    chosen = step.settings()
    find_source(source).dataset(dataset)
    _check_admin(chosen)
    landed = landing.find(chosen.landing, path)
    if (landed.provenance.source, landed.provenance.dataset) != (source, dataset):
        raise Refusal(
            "LANDED_FILE_NOT_THERE", f"is no file of {source} {dataset}", where=path, next_step="`vru loads` lists them"
        )
    sha256 = landed.provenance.sha256
    table = sql.Identifier("raw", raw_table(source, dataset))
    with connect(chosen, ADMIN, autocommit=True) as connection:
        found = connection.execute(
            "select load_id, state from ops.load where source = %s and dataset = %s and sha256 = %s order by load_id",
            [source, dataset, sha256],
        ).fetchall()
        loads = [load_id for load_id, _ in found]
        counted = connection.execute(
            sql.SQL("select count(*) from {} where _load_id = any(%s)").format(table), [loads]
        ).fetchone()
    for load_id, state in found:
        if state in {"loaded", "set_aside"}:
            withdrawing.withdraw(source, dataset, load_id, reason, by)
    size = landed.path.stat().st_size
    with connect(chosen, ADMIN, autocommit=True) as place, queue.lock_exclusive(place), place.transaction():
        raw.take_out_for_good(place, source, dataset, loads)
        quarantined = ledger.erase(place, loads, chosen.now(), by, reason)
        place.execute(
            """insert into ops.erasure (source, dataset, sha256, landed_path, kind, asked_at, asked_by, reason, load_ids, raw_rows,
                   quarantined_rows, landed_bytes) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            [
                source,
                dataset,
                sha256,
                path,
                kind,
                chosen.now(),
                by,
                reason,
                loads,
                counted and counted[0],
                quarantined,
                size,
            ],
        )
        audit.record(place, ADMIN, "erase", path, why=reason, by=by, kind=kind, loads=loads)
    audit.note_head(chosen)
    return finish_erasures()


def erase_due() -> list[dict[str, Any]]:
    """Erase every landed file that is older than the retention_days of its source, the oldest first, and finish what was begun.

    Returns:
        The rows of ops.erasure that are finished now.
    """
    chosen = step.settings()
    _check_admin(chosen)
    done = finish_erasures()
    for name, declared in read_sources().items():
        if declared.retention_days == "unlimited":
            continue
        due = chosen.now() - dt.timedelta(days=declared.retention_days)
        for dataset in declared.datasets:
            # Also those that were refused or withdrawn: their bytes are held as well.
            for landed_at, path in sorted(_landed(chosen.landing, name, dataset)):
                if landed_at < due:
                    reason = f"landed on {landed_at:%Y-%m-%d}, and kept for {declared.retention_days} days at the most"
                    done += erase(name, dataset, path, reason, "retention", RETENTION)
    return done


def _landed(folder: Path, source: str, dataset: str) -> list[tuple[dt.datetime, str]]:
    """When the files of a dataset were landed, and their paths below landing."""
    bodies = [path for path in (folder / source / dataset).glob("*") if path.name.count(".") == 1]
    relative = [path.relative_to(folder).as_posix() for path in bodies if not path.name.startswith(".")]
    return [(landing.find(folder, path).provenance.landed_at, path) for path in relative]


def finish_erasures() -> list[dict[str, Any]]:
    """Do what is left of erasures, of each file that no mart is made of.

    Returns:
        The rows of ops.erasure that are finished now.
    """
    chosen = step.settings()
    _check_admin(chosen)
    done = []
    with connect(chosen, ADMIN, autocommit=True) as connection:
        for row in _open(connection):
            landing.erase(chosen.landing, row["landed_path"], row["asked_at"])
            if row["is_in_marts"]:
                continue
            with connection.transaction():
                rows = history.forget(connection, row["source"], row["releases"])
                connection.execute(
                    """update ops.erasure set history_rows = coalesce(history_rows, 0) + %s, exports_to_call_back = (
                           select count(*) from ops.audit where action = 'export' and happened_at >= (
                               select min(loaded_at) from ops.load where load_id = any(load_ids)
                           )
                       ) where erasure_id = %s""",
                    [rows, row["erasure_id"]],
                )
            removed = backup.remove_with(chosen, row["landed_path"])
            connection.execute(
                "update ops.erasure set backups_removed = %s, finished_at = %s where erasure_id = %s",
                [removed, chosen.now(), row["erasure_id"]],
            )
            with connection.cursor(row_factory=dict_row) as cursor:
                done += cursor.execute(
                    "select * from ops.erasure where erasure_id = %s", [row["erasure_id"]]
                ).fetchall()
    return done


def _open(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """Erasures that are not finished, the releases that were built with their file, and whether the marts are."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """with built as (
                   select r.release_id, r.candidate_id from ops.release as r where r.state in ('published', 'unchanged')
               )
               select e.*, coalesce(with_it.releases, '{}') as releases,
                      coalesce((select max(release_id) from built) = any(with_it.releases), false) as is_in_marts
               from ops.erasure as e
               cross join lateral (
                   select array_agg(distinct b.release_id) as releases from built as b
                   inner join ops.candidate_load as c on c.candidate_id = b.candidate_id where c.load_id = any(e.load_ids)
               ) as with_it
               where e.finished_at is null order by e.erasure_id"""
        ).fetchall()


def _check_admin(chosen: Settings) -> None:
    if not has_admin(chosen):
        raise Refusal(
            "ADMIN_NEEDED",
            "an erasure reaches every table and backup, and VRU_DATABASE_URL names no user who may",
            kept="everything as it was",
            next_step="run it where `vru setup` runs",
        )
