"""Folders for bytes under way: below the home, private, and removed by the next run where a run was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

FOLDER = "fetching"  # of the home, beside landing: on the disk whose room landing needs anyway
LOCK = "lock"


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
        try:
            handle = os.open(folder / LOCK, os.O_RDWR)
        except FileNotFoundError:
            # Made a moment ago, or killed in that moment: an empty folder costs nothing.
            with contextlib.suppress(OSError):
                folder.rmdir()
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass  # in use
        finally:
            os.close(handle)
