"""Loads that ended their process: a note beside the landed file for as long as it is being loaded, which a kill leaves behind."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import psycopg

from ingest.landing import LandedFile
from ingest.readers.faults import FaultyFile, file_fault

# Once may be the machine's stop.
AT_MOST = 2

NEXT = "see in the machine's log what ended it (memory, most often); `vru land` or `vru replay` by hand tries it again"


@contextlib.contextmanager
def attempt(connection: psycopg.Connection, landed: LandedFile) -> Iterator[None]:
    """Load a file, unless that has ended the process or the database's, AT_MOST times, and nothing has changed since.

    Args:
        connection: in the transaction that holds off every other load of the file.

    Raises:
        FaultyFile: it has.
    """
    note = _note(landed.path)
    times = len(note.read_text(encoding="utf-8").splitlines()) if note.exists() else 0
    if times >= AT_MOST:
        reason = f"has ended the process that loaded it, or that of the database, {times} times, and is not tried again as it is"
        raise FaultyFile([file_fault("LOAD_ENDED_ITS_PROCESS", reason)], 0, NEXT)
    # A disk that is full keeps no file from being loaded.
    with contextlib.suppress(OSError), note.open("a", encoding="utf-8") as file:
        file.write(f"{dt.datetime.now(dt.UTC).isoformat()}\n")
    try:
        yield
    except BaseException as error:
        if not _ended_the_database(connection, error):
            note.unlink(missing_ok=True)
        raise
    note.unlink(missing_ok=True)


def _ended_the_database(connection: psycopg.Connection, error: BaseException) -> bool:
    """Whether the database ran out of memory, or its process for this connection ended and nobody asked it to."""
    if isinstance(error, psycopg.errors.OutOfMemory):
        return True
    return connection.closed and isinstance(error, psycopg.OperationalError) and error.sqlstate is None


def forget(file: Path) -> None:
    """Let a landed file be tried again: a person asks for it, or the code has changed."""
    _note(file).unlink(missing_ok=True)


def take_back(landing: Path, since: dt.datetime) -> None:
    """Count no attempt that began since then and has not ended: a person stopped it, and the file had no part in that.

    For whoever knows that no load is under way.
    """
    for note in landing.rglob("*.loading.txt"):
        lines = note.read_text(encoding="utf-8").splitlines()
        before = [line for line in lines if dt.datetime.fromisoformat(line) < since]
        if before:
            note.write_text("".join(f"{line}\n" for line in before), encoding="utf-8")
        else:
            note.unlink()


def _note(file: Path) -> Path:
    return file.with_name(f"{file.name.partition('.')[0]}.loading.txt")
