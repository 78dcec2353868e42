"""Files of landing: written whole or not at all, and never changed in place."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

INCOMING = ".incoming-"  # how the names begin of what is being written
DEAD_AFTER = 60.0  # seconds: between a file's making and its lock lies less


def write_text(path: Path, text: str) -> None:
    """As `write`, of text in UTF-8."""
    write(path, io.BytesIO(text.encode()))


def write(path: Path, origin: BinaryIO) -> None:
    """Put a copy of a file in place, whole or not at all, and on the disk before this returns."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=INCOMING)
    try:
        with os.fdopen(handle, "wb") as target:
            with contextlib.suppress(OSError):  # where a file system has no locks, what is left over stays
                fcntl.flock(target, fcntl.LOCK_EX)  # until it is in its place: whoever holds no lock is dead
            shutil.copyfileobj(origin, target, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
            Path(name).chmod(0o444 & path.parent.stat().st_mode)  # read by whoever may enter the folder
            Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_half_landed(folder: Path) -> int:
    """Remove what landings that were killed left in a folder: files (of older versions, folders) that nobody is writing any more.

    Returns:
        How many there were.
    """
    removed = 0
    for left in folder.glob(f"{INCOMING}*"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime > time.time() - DEAD_AFTER:
                continue
            if left.is_dir():
                shutil.rmtree(left)
            else:
                with left.open("rb") as handle:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    left.unlink()
            removed += 1
    return removed


def sha256_of(file: Path) -> tuple[str, int]:
    """Hash (hex) and size (bytes) of a file."""
    with file.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256")
        return digest.hexdigest(), handle.tell()
