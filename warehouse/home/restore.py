"""The way back from a backup, into an empty home."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import psycopg

from ingest import queue
from ingest.errors import Refusal
from ingest.landing import sha256_of
from warehouse.home import backup as backups
from warehouse.home import dump, setup
from warehouse.home.backup import DUMP, LANDING, Backup
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings


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
    backup = backups.read(folder)
    store = folder.parent / LANDING
    _check_whole(backup, store)
    marker = setup.restoring(settings)
    if marker.exists():
        # Tables without the constraints that set-up counts on.
        dump.drop_everything(settings)
    else:
        _check_empty(settings)
        backups.write(marker, backup.folder.name)
    setup.prepare(settings)
    for path, sha256 in backup.landing.items():
        target = settings.landing / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        backups.link_or_copy(backups.kept(store, sha256), target)
    with connect(settings, ADMIN, autocommit=True) as place, queue.lock_exclusive(place):
        dump.fill(settings, folder / DUMP)
        with connect(settings, ADMIN) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            found = dump.hash_tables(connection)
    differing = sorted(name for name in backup.tables.keys() | found if backup.tables.get(name) != found.get(name))
    if differing:
        raise Refusal(
            "RESTORE_DIFFERS",
            f"what came back differs from the backup in {', '.join(differing[:5])}",
            where=str(folder),
            kept="the home as far as it was restored, marked as unfinished",
            next_step="restore another backup into a new home, and report this",
        )
    setup.prepare(settings, again=True)
    marker.unlink()
    return dataclasses.replace(backup, seconds=time.monotonic() - begun)


def _check_whole(backup: Backup, store: Path) -> None:
    damaged = [] if sha256_of(backup.folder / DUMP)[0] == backup.dump_sha256 else [DUMP]
    for path, sha256 in backup.landing.items():
        file = backups.kept(store, sha256)
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
    setup.set_up(settings)
    with connect(settings, ADMIN) as connection:
        if connection.execute("select 1 from ops.load limit 1").fetchone():
            raise Refusal(
                "HOME_NOT_EMPTY",
                "this database holds loads, and a backup is restored into an empty one",
                kept="it as it was",
                next_step="point VRU_DATABASE_URL at an empty database",
            )
