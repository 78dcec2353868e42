"""Backup: database and landing of one moment, in a folder that says what it holds. The way back is `restore.py`.

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
import time
from pathlib import Path
from typing import Any

import psycopg

from ingest import queue
from ingest.errors import Refusal
from ingest.landing import sha256_of
from warehouse.home import dump
from warehouse.platform.connection import ADMIN, connect, has_admin
from warehouse.platform.settings import Settings

MANIFEST = "manifest.json"
DUMP = "warehouse.dump"
LANDING = "landing"
UNFINISHED = "unfinished"
VERSION = 1


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
            dump.dump_to(settings, making / DUMP, str(snapshot[0]))
            tables = dump.hash_tables(connection)
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
        manifest = {name: value for name, value in dataclasses.asdict(done).items() if name != "folder"}
        write(making / MANIFEST, json.dumps({"version": VERSION, **manifest}, default=str, indent=1))
        making.rename(done.folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return done


def _unused(base: Path, name: str) -> Path:
    """`base/name`, or `base/name-2` and so on where a backup of the same second stands."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(folder for folder in map(base.joinpath, names) if not folder.exists())


def _copy_landing(landing: Path, store: Path) -> dict[str, str]:
    """Bring every file of landing into the store, once; SHA-256 of each by its path below landing."""
    found = {}
    for path in sorted(landing.rglob("*")):
        relative = path.relative_to(landing)
        if not path.is_file() or path.name.startswith("."):
            continue
        sha256, _ = sha256_of(path)
        target = kept(store, sha256)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not target.exists():
            link_or_copy(path, target)
        found[relative.as_posix()] = sha256
    return found


def kept(store: Path, sha256: str) -> Path:
    """Where the store of landing keeps the bytes of a hash."""
    return store / sha256[:2] / sha256


def link_or_copy(origin: Path, target: Path) -> None:
    """No file of landing is changed in place, so on one disk a backup costs none of it."""
    try:
        target.hardlink_to(origin)
    except OSError:
        part = target.with_name(f"{target.name}.part")
        shutil.copyfile(origin, part)
        part.rename(target)


def _remove_old(settings: Settings, keep: int) -> None:
    """Remove all but the newest backups, and the bytes of landing that none of them has."""
    found = backups(settings)
    _remove(settings, found[keep:], found[:keep])


def remove_with(settings: Settings, path: str) -> int:
    """Remove the backups that hold a file of landing, once there is one without it: their dumps hold what was made of it.

    Args:
        path: below landing, where the file stands no more.

    Returns:
        How many there were.
    """
    found = backups(settings)
    with_it = [one for one in found if path in one.landing]
    if with_it and with_it[0] is found[0]:
        found = [take(settings), *found]
    _remove(settings, with_it, [one for one in found if one not in with_it])
    return len(with_it)


def _remove(settings: Settings, old: list[Backup], kept_ones: list[Backup]) -> None:
    for one in old:
        shutil.rmtree(one.folder)
    wanted = {sha256 for one in kept_ones for sha256 in one.landing.values()}
    for file in (folder_of(settings) / LANDING).glob("*/*"):
        if file.name not in wanted:
            file.unlink()


def write(file: Path, text: str) -> None:
    """Write a file and see it on the disk."""
    with file.open("w", encoding="utf-8") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
