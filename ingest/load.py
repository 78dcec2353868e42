"""Loading: from a landed file to raw, in one transaction, once, with a line in the ledger either way."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from ingest import attempts, editions, ledger, queue
from ingest.checks import check
from ingest.copying import copy
from ingest.declaration import Source, raw_table
from ingest.delivery import NEXT_NAME
from ingest.errors import FileRefused, Refusal, unforeseen
from ingest.identify import identify, part_of
from ingest.landing import LandedFile, Provenance, below_landing, events, sha256_of
from ingest.naming import label_of
from ingest.opening import open_file
from ingest.readers.faults import FaultyFile, file_fault, sentence
from ingest.recording import Loaded, record

__all__ = ["Loaded", "gather_statistics", "load"]

KEPT = "its bytes are in landing ({path}) and its line in ops.load; raw and the marts are as they were"

# What the database says of what it was given: more than it takes in one piece, too, which its own sources call an internal error.
OF_THE_FILE = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded, psycopg.errors.InternalError_)
UNFORESEEN = "report this sentence: a reader lacks a check. The last good data stand"


def load(
    connection: psycopg.Connection, source: Source, name: str, landed: LandedFile, now: dt.datetime, landing: Path
) -> Loaded:
    """Load a landed file into raw, unless it stands there already.

    Args:
        connection: as vru_loader, not in a transaction.
        source: the declared source; `name` is one of its datasets.
        landed: the file.
        now: the time for the ledger.
        landing: the landing folder (paths in the ledger are relative to it).

    Returns:
        What it came to.

    Raises:
        FileRefused: the file is not what its declaration says, or leaves a hole; it stands in ops.load as refused, its
            faults in quarantine.refused_row.
        Refusal: the home holds data of the other kind, or the database cannot take it.
    """
    try:
        with connection.transaction():
            queue.lock_shared(connection, source.source)
            earlier = connection.execute(
                """select load_id, release_date, rows_loaded, case when state = 'set_aside' then reason end from ops.load
                   where source = %s and dataset = %s and sha256 = %s and state in ('loaded', 'set_aside')""",
                [source.source, name, landed.provenance.sha256],
            ).fetchone()
            if earlier:
                _check_name_of_known_bytes(connection, source, name, landed, earlier[0])
                done = _load_again(connection, landed, *earlier)
            else:
                _claim_kind(connection, landed.provenance, now)
                with attempts.attempt(connection, landed), _refuse_unforeseen(landed):
                    done = _load_new(connection, source, name, landed, now, landing)
    except FaultyFile as faulty:
        with connection.transaction():
            queue.lock_shared(connection, source.source)
            ledger.record_refusal(connection, source, name, landed, faulty, now, landing)
            has_stood = ledger.has_stood(connection, source, name, landed)
        if not has_stood:
            events.note_refusal(landed.path, landed.provenance.file_name, landed.arrived_at)
        raise FileRefused(
            faulty.code,
            sentence(faulty.faults),
            where=f"{source.source} {name}, {label_of(landed.provenance)}",
            kept=KEPT.format(path=below_landing(landed, landing)),
            next_step=faulty.next_step,
        ) from None
    except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory) as error:
        raise Refusal(
            "DISK_FULL",
            f"the database has no room for it ({error.diag.message_primary})",
            where=f"{source.source} {name}, {label_of(landed.provenance)}",
            kept="its bytes are in landing; raw and the marts are as they were",
            next_step="make room on the database's disk and run the same again",
        ) from error
    # Only now: the ledger has it that these bytes stand.
    events.clear_withdrawal(landed.path)
    return done


def gather_statistics(connection: psycopg.Connection, source: Source, name: str) -> None:
    """Tell PostgreSQL's planner what a dataset's raw table now holds: once, after the last file of a step.

    Args:
        connection: as vru_loader.
    """
    connection.execute("select ops.gather_raw_statistics(%s)", [raw_table(source.source, name)])


def _claim_kind(connection: psycopg.Connection, provenance: Provenance, now: dt.datetime) -> None:
    """The database's own note of what landing/data_kind says: marts and print-outs read it."""
    kind = "synthetic" if provenance.is_synthetic else "real"
    row = connection.execute(
        """update ops.warehouse set data_kind = coalesce(data_kind, %s), decided_by = coalesce(decided_by, %s),
               decided_at = coalesce(decided_at, %s) returning data_kind""",
        [kind, label_of(provenance), now],
    ).fetchone()
    if row is None or row[0] != kind:
        raise Refusal(
            "KINDS_MIXED",
            f"brings {kind} data, and this warehouse holds {row[0] if row else 'no'} data: the two never meet",
            where=label_of(provenance),
            kept="its bytes are in landing; raw and the marts are as they were",
            next_step=f"use another home and database for {kind} data",
        )


def _check_name_of_known_bytes(
    connection: psycopg.Connection, source: Source, name: str, landed: LandedFile, load_id: int
) -> None:
    """Refuse bytes that stand under the name of another month than they are now landed under: yesterday's file, published anew as today's."""
    dataset = source.dataset(name)
    if not dataset.part_is_month or not landed.arrived_as:
        return
    row = connection.execute("select part from ops.load where load_id = %s", [load_id]).fetchone()
    part = part_of(dataset, landed.arrived_as)
    if row and row[0] != part:
        reason = f"is of {part} by its name, and the same bytes stand as {row[0]} (load {load_id})"
        raise FaultyFile([file_fault("NAME_DIFFERS_FROM_ROWS", reason)], 0, NEXT_NAME)


def _load_again(
    connection: psycopg.Connection, landed: LandedFile, load_id: int, release: dt.date, rows: int, set_aside: str | None
) -> Loaded:
    """What comes of bytes that stand in raw already, or were set aside."""
    editions.check_same_date(landed, release)
    is_back = editions.was_replaced(connection, load_id)
    if is_back:
        # The publisher went back to what was there before: these bytes speak for their months again.
        ledger.restore(connection, load_id, landed.arrived_at)
        events.note_return(landed.path, landed.arrived_at)
    return Loaded(
        load_id,
        release,
        rows,
        is_new=False,
        is_history=False,
        is_back=is_back,
        set_aside=set_aside,
        stands_as=label_of(landed.provenance),
    )


def _load_new(
    connection: psycopg.Connection, source: Source, name: str, landed: LandedFile, now: dt.datetime, landing: Path
) -> Loaded:
    """The way of a file to raw: identify, open, copy, check, record. Each step takes what the one before returned."""
    file = identify(connection, source, name, landed)
    with _hashed(landed) as check_bytes:
        delivery = copy(connection.cursor(), open_file(file))
        check_bytes()
    return record(check(delivery, now), now, landing)


@contextlib.contextmanager
def _refuse_unforeseen(landed: LandedFile) -> Iterator[None]:
    """Refuse a file that raised what no reader foresaw; the exception's own text may hold what a row held, and is not shown.

    What the database or the disk cannot do is no fault of the file: the first goes on up, the second is said without blaming it.
    """
    try:
        yield
    except (Refusal, FaultyFile):
        raise
    except OSError as error:
        raise Refusal(
            "FOLDER_NOT_USABLE",
            f"its bytes could not be read from disk ({type(error).__name__})",
            where=str(landed.path),
            kept="raw and the marts are as they were",
            next_step="see that the landing folder can be read, then run the same again",
        ) from None
    except psycopg.Error as error:
        if not isinstance(error, OF_THE_FILE):
            raise
        raise FaultyFile([file_fault("UNFORESEEN", unforeseen(error))], 0, UNFORESEEN) from None
    except BaseException as error:
        # What a reader written in Rust gives up with is no Exception.
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
            raise
        raise FaultyFile([file_fault("UNFORESEEN", unforeseen(error))], 0, UNFORESEEN) from None


@contextlib.contextmanager
def _hashed(landed: LandedFile) -> Iterator[Callable[[], None]]:
    """Hash a landed file on another thread meanwhile; what is given back waits for it and raises where bytes have changed."""

    def check() -> None:
        found, _ = hashing.result()
        if found != landed.provenance.sha256:
            raise Refusal(
                "LANDING_DAMAGED",
                "its bytes are not those that were landed: the hash differs from its name",
                where=str(landed.path),
                kept="raw and the marts are as they were",
                next_step="restore the file from the backup of landing; never edit a landed file",
            )

    with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="hash") as pool:
        hashing = pool.submit(sha256_of, landed.path)
        yield check
