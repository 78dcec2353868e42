"""Folders for bytes under way: below the home, private, and removed by the next run where a run was killed."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

FOLDER = "fetching"  # of the home, beside landing: on the disk whose room landing needs anyway
LOCK = "lock"
DEAD_AFTER = 60.0  # seconds


@contextlib.contextmanager
def scratch_folder(landing: Path | None) -> Iterator[Path]:
    """A new folder for as long as the block. What killed runs left beside it is removed first.

    Args:
        landing: the landing folder of the home; None for the system's folder of temporary files.
    """
    if landing is None:
        with tempfile.TemporaryDirectory(prefix="vru-fetch-") as plain:
            yield Path(plain)
        return
    base = landing.parent / FOLDER
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_abandoned(base)
    folder = Path(tempfile.mkdtemp(dir=base))
    try:
        with (folder / LOCK).open("w") as lock:
            # Held until the process is gone: whoever finds it free finds what was left.
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(base: Path) -> None:
    """Remove the folders below `base` of processes that are gone."""
    for folder in base.iterdir():
        # Between a folder's making and its lock lies less; another process may remove the same one.
        with contextlib.suppress(OSError):
            if folder.stat().st_mtime > time.time() - DEAD_AFTER:
                continue
            with (folder / LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
