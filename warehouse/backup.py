"""Backup: database and landing of one moment, in a folder that says what it holds; and the way back.

What a rebuild from landing cannot bring back is in the database alone: releases and their history, alerts, checks, withdrawals.
A backup is a folder `<time>` with the database (pg_dump's custom format) and a manifest; the files of landing stand once for all backups in
`landing/` beside them, by their hash. Passwords are in no backup: a restored home gets new ones.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ingest import queue
from ingest.errors import Refusal
from ingest.landing import sha256_of
from warehouse import bootstrap, children, embedded
from warehouse.connection import ADMIN, connect, has_admin, parameters
from warehouse.settings import Settings

MANIFEST = "manifest.json"
DUMP = "warehouse.dump"
LANDING = "landing"
UNFINISHED = "unfinished"
VERSION = 1
# What a restored warehouse is compared by, row for row. The rest is made from it, or from landing.
COMPARED = ("marts", "marts_history", "ops", "quarantine")


@dataclasses.dataclass(frozen=True)
class Backup:
    """One backup.

    Attributes:
        folder: where it is.
        created_at: of which moment (UTC).
        data_kind: real, synthetic, or None of a home that holds nothing.
        dump_sha256, dump_bytes: of the database.
        landing: SHA-256 of each file of landing, by its path below landing.
        tables: rows and hash of each table of the compared schemas, {"marts.dim_borough": [32, "8812…"]}.
        seconds: what taking it took.
    """

    folder: Path
    created_at: dt.datetime
    data_kind: str | None
    dump_sha256: str
    dump_bytes: int
    landing: dict[str, str]
    tables: dict[str, list[Any]]
    seconds: float

    def as_row(self) -> dict[str, Any]:
        """What a report shows of it."""
        return {
            "backup": self.folder.name,
            "created_at": self.created_at,
            "data_kind": self.data_kind,
            "dump_bytes": self.dump_bytes,
            "landed_files": len(self.landing),
            "rows": sum(rows for rows, _ in self.tables.values()),
            "seconds": round(self.seconds, 1),
            "folder": str(self.folder),
        }


def folder_of(settings: Settings) -> Path:
    """Where this home's backups go: VRU_BACKUP_DIR, or `backups/` in the home."""
    return settings.backup_dir or settings.home / "backups"


def backups(settings: Settings) -> list[Backup]:
    """The finished backups, the newest first."""
    folders = (manifest.parent for manifest in folder_of(settings).glob(f"*/{MANIFEST}"))
    found = [read(folder) for folder in folders if folder.name != UNFINISHED]
    return sorted(found, key=lambda one: one.created_at, reverse=True)


def read(folder: Path) -> Backup:
    """A backup's manifest.

    Raises:
        Refusal: when there is none, or this code cannot read it.
    """
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refusal(
            "BACKUP_DAMAGED",
            f"is no backup: its {MANIFEST} cannot be read ({type(error).__name__})",
            where=str(folder),
            next_step="`vru backup --list` names those there are",
        ) from error
    if found.pop("version") != VERSION:
        raise Refusal("BACKUP_TOO_NEW", "was written by a newer version of this project", where=str(folder))
    return Backup(folder=folder, **{**found, "created_at": dt.datetime.fromisoformat(found["created_at"])})


def take(settings: Settings, *, keep: int | None = None) -> Backup:
    """Back up database and landing as they stand together. Loads and builds wait meanwhile; readers and publishing do not.

    Args:
        keep: so many of the newest backups stay, this one among them; None: all.

    Returns:
        The backup.

    Raises:
        Refusal: when the home has no admin's connection, the disk is full, or pg_dump fails. Nothing is left then but what was there.
    """
    if not has_admin(settings):
        raise Refusal(
            "ADMIN_NEEDED",
            "a backup reads every table, and VRU_DATABASE_URL names no user who may",
            next_step="run it where `vru setup` runs",
        )
    base = folder_of(settings)
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        with connect(settings, ADMIN, autocommit=True) as place, queue.lock_exclusive(place):
            done = _take(settings, base)
            if keep is not None:
                _remove_old(settings, keep)
    except OSError as error:
        raise Refusal(
            "BACKUP_FAILED",
            f"the backup could not be written ({error.strerror})",
            where=str(base),
            kept="the backups before it",
            next_step="make room there, or set VRU_BACKUP_DIR to a folder on another disk",
        ) from error
    return done


def _take(settings: Settings, base: Path) -> Backup:
    """Write a backup into `base`, its caller holding the lock of loads and builds: what is unfinished there is no other's."""
    begun = time.monotonic()
    making = base / UNFINISHED
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    try:
        # Only now: what a build that was waited for has written belongs to the moment that is backed up.
        with connect(settings, ADMIN) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            snapshot = connection.execute("select pg_export_snapshot()").fetchone()
            assert snapshot is not None  # noqa: S101 - a function gives a row
            _dump(settings, making / DUMP, str(snapshot[0]))
            tables = _tables(connection)
            kind = connection.execute("select data_kind from ops.warehouse").fetchone()
            landing = _copy_landing(settings.landing, base / LANDING)
        sha256, size = sha256_of(making / DUMP)
        now = settings.now()
        done = Backup(
            _unused(base, f"{now:%Y%m%dT%H%M%SZ}"),
            now,
            kind[0] if kind else None,
            sha256,
            size,
            landing,
            tables,
            time.monotonic() - begun,
        )
        told = {name: value for name, value in dataclasses.asdict(done).items() if name != "folder"}
        _write(making / MANIFEST, json.dumps({"version": VERSION, **told}, default=str, indent=1))
        making.rename(done.folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return done


def _unused(base: Path, name: str) -> Path:
    """`base/name`, or `base/name-2` and so on where a backup of the same second stands."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(folder for folder in map(base.joinpath, names) if not folder.exists())


def restore(settings: Settings, folder: Path) -> Backup:
    """Bring an empty home to what a backup holds: marts, every release and its history, ledgers, landing.

    Killed half-way, it is run again. What comes back is compared with the backup, table by table.

    Args:
        folder: the backup.

    Returns:
        The backup, `seconds` being what restoring took.

    Raises:
        Refusal: when the backup is damaged, the home is not empty, or what came back is not what was backed up.
    """
    begun = time.monotonic()
    backup = read(folder)
    store = folder.parent / LANDING
    _check_whole(backup, store)
    marker = bootstrap.restoring(settings)
    if marker.exists():
        # Tables without the constraints that set-up counts on.
        _drop_everything(settings)
    else:
        _check_empty(settings)
        _write(marker, backup.folder.name)
    bootstrap.prepare(settings)
    for path, sha256 in backup.landing.items():
        target = settings.landing / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        _link_or_copy(_kept(store, sha256), target)
    with connect(settings, ADMIN, autocommit=True) as place, queue.lock_exclusive(place):
        _fill(settings, folder / DUMP)
        with connect(settings, ADMIN) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            found = _tables(connection)
    differing = sorted(name for name in backup.tables.keys() | found if backup.tables.get(name) != found.get(name))
    if differing:
        raise Refusal(
            "RESTORE_DIFFERS",
            f"what came back differs from the backup in {', '.join(differing[:5])}",
            where=str(folder),
            kept="the home as far as it was restored, marked as unfinished",
            next_step="restore another backup into a new home, and report this",
        )
    bootstrap.prepare(settings, again=True)
    marker.unlink()
    return dataclasses.replace(backup, seconds=time.monotonic() - begun)


def _dump(settings: Settings, target: Path, snapshot: str) -> None:
    _run(settings, "pg_dump", "--format=custom", "--compress=gzip:1", f"--snapshot={snapshot}", f"--file={target}")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _fill(settings: Settings, dump: Path) -> None:
    _drop_everything(settings)
    _run(settings, "pg_restore", "--exit-on-error", "--jobs=2", str(dump))


def _drop_everything(settings: Settings) -> None:
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


def _tables(connection: psycopg.Connection) -> dict[str, list[Any]]:
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


def _copy_landing(landing: Path, store: Path) -> dict[str, str]:
    """Bring every file of landing into the store, once; SHA-256 of each by its path below landing."""
    found = {}
    for path in sorted(landing.rglob("*")):
        relative = path.relative_to(landing)
        if not path.is_file() or path.name.startswith("."):
            continue
        sha256, _ = sha256_of(path)
        target = _kept(store, sha256)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not target.exists():
            _link_or_copy(path, target)
        found[relative.as_posix()] = sha256
    return found


def _kept(store: Path, sha256: str) -> Path:
    return store / sha256[:2] / sha256


def _link_or_copy(origin: Path, target: Path) -> None:
    """No file of landing is changed in place, so on one disk a backup costs none of it."""
    try:
        target.hardlink_to(origin)
    except OSError:
        part = target.with_name(f"{target.name}.part")
        shutil.copyfile(origin, part)
        part.rename(target)


def _check_whole(backup: Backup, store: Path) -> None:
    damaged = [] if sha256_of(backup.folder / DUMP)[0] == backup.dump_sha256 else [DUMP]
    for path, sha256 in backup.landing.items():
        file = _kept(store, sha256)
        if not file.is_file() or sha256_of(file)[0] != sha256:
            damaged.append(f"{LANDING}/{path}")
    if damaged:
        raise Refusal(
            "BACKUP_DAMAGED",
            f"{len(damaged)} of its files are missing or damaged: {', '.join(damaged[:5])}",
            where=str(backup.folder),
            kept="this home as it was",
            next_step="restore another backup, or this one from another copy",
        )


def _check_empty(settings: Settings) -> None:
    """See that the home holds nothing that a restore would take away."""
    if any(settings.landing.glob("*/*/*")):
        raise Refusal(
            "HOME_NOT_EMPTY",
            "this home holds landed files, and a backup is restored into an empty one",
            where=str(settings.home),
            kept="it as it was",
            next_step="set VRU_HOME to a new folder (and VRU_DATABASE_URL to an empty database, where you use one)",
        )
    bootstrap.set_up(settings)
    with connect(settings, ADMIN) as connection:
        if connection.execute("select 1 from ops.load limit 1").fetchone():
            raise Refusal(
                "HOME_NOT_EMPTY",
                "this database holds loads, and a backup is restored into an empty one",
                kept="it as it was",
                next_step="point VRU_DATABASE_URL at an empty database",
            )


def _remove_old(settings: Settings, keep: int) -> None:
    """Remove all but the newest backups, and the bytes of landing that none of them has."""
    found = backups(settings)
    for old in found[keep:]:
        shutil.rmtree(old.folder)
    wanted = {sha256 for one in found[:keep] for sha256 in one.landing.values()}
    for file in (folder_of(settings) / LANDING).glob("*/*"):
        if file.name not in wanted:
            file.unlink()


def _write(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
