"""Loading: from a landed file to raw, in one transaction, once, with a line in the ledger either way."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from ingest import attempts, checks, copying, ledger, queue, releases
from ingest.declaration import Dataset, Source, raw_table
from ingest.errors import FileRefused, Refusal, unforeseen
from ingest.landing import LandedFile, below_landing, events, sha256_of
from ingest.landing.store import note_release_date
from ingest.naming import label_of
from ingest.readers.corrections import corrections_of
from ingest.readers.faults import FaultyFile, file_fault, sentence

KEPT = "its bytes are in landing ({path}) and its line in ops.load; raw and the marts are as they were"

# What the database says of what it was given: more than it takes in one piece, too, which its own sources call an internal error.
OF_THE_FILE = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded, psycopg.errors.InternalError_)
UNFORESEEN = "report this sentence: a reader lacks a check. The last good data stand"


@dataclasses.dataclass(frozen=True)
class Loaded:
    """What loading a file came to."""

    load_id: int
    release_date: dt.date
    rows: int
    is_new: bool
    is_history: bool  # a newer release covers every month of it
    quarantined: int = 0  # rows that are not in raw, each with its reason in quarantine.refused_row
    was_withdrawn: dict[str, str] | None = None  # when, by whom and why, where these bytes had been
    is_back: bool = False  # it stood in raw, another file of its release had taken its place, and it came again
    set_aside: str | None = None  # why no build takes it
    stands_as: str = ""  # what messages call bytes that were loaded before, maybe under another name
    drift: dict[str, list[str]] = dataclasses.field(default_factory=dict)  # as in ops.load

    def __str__(self) -> str:
        if self.is_back:
            return f"came again (load {self.load_id}, release {self.release_date}): it speaks for its months again"
        if self.set_aside:
            return f"already loaded (load {self.load_id}, release {self.release_date}) and set aside: {self.set_aside}; nothing changed"
        if not self.is_new:
            return f"already loaded as {self.stands_as} (load {self.load_id}, release {self.release_date}): nothing changed"
        note = f"; {self.quarantined:,} quarantined" if self.quarantined else ""
        # A column that may be missing, or a correction that was confirmed, is on record and nobody's work.
        new = {kind: names for kind, names in self.drift.items() if kind in ledger.WARNED}
        known = {kind: names for kind, names in self.drift.items() if kind not in new}
        note += f"; WARNING: {ledger.describe_drift(new)}" if new else ""
        note += f"; {ledger.describe_drift(known)}" if known else ""
        note += (
            "; older than what is loaded, so it is kept as history (`--release` says when it was released)"
            if self.is_history
            else ""
        )
        if self.was_withdrawn:
            gone = self.was_withdrawn
            note += f"; withdrawn on {gone['withdrawn_at'][:10]} by {gone['withdrawn_by']} ({gone['reason']}), and now stands again"
        return f"loaded {self.rows:,} rows (load {self.load_id}, release {self.release_date}{note})"


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
    dataset = source.dataset(name)
    try:
        with connection.transaction():
            queue.lock_shared(connection, source.source)
            earlier = connection.execute(
                """select load_id, release_date, rows_loaded, case when state = 'set_aside' then reason end from ops.load
                   where source = %s and dataset = %s and sha256 = %s and state in ('loaded', 'set_aside')""",
                [source.source, name, landed.provenance.sha256],
            ).fetchone()
            if earlier:
                done = _load_again(connection, landed, *earlier)
            else:
                _claim_kind(connection, landed, now)
                with attempts.attempt(connection, landed), _refuse_unforeseen(landed):
                    done = _load_new(connection, source, name, dataset, landed, now, landing)
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


def _claim_kind(connection: psycopg.Connection, landed: LandedFile, now: dt.datetime) -> None:
    """The database's own note of what landing/data_kind says: marts and print-outs read it."""
    kind = "synthetic" if landed.provenance.is_synthetic else "real"
    row = connection.execute(
        """update ops.warehouse set data_kind = coalesce(data_kind, %s), decided_by = coalesce(decided_by, %s),
               decided_at = coalesce(decided_at, %s) returning data_kind""",
        [kind, landed.provenance.file_name, now],
    ).fetchone()
    if row is None or row[0] != kind:
        raise Refusal(
            "KINDS_MIXED",
            f"brings {kind} data, and this warehouse holds {row[0] if row else 'no'} data: the two never meet",
            where=label_of(landed.provenance),
            kept="its bytes are in landing; raw and the marts are as they were",
            next_step=f"use another home and database for {kind} data",
        )


def _load_again(
    connection: psycopg.Connection, landed: LandedFile, load_id: int, release: dt.date, rows: int, set_aside: str | None
) -> Loaded:
    """What comes of bytes that stand in raw already, or were set aside."""
    releases.check_same_release(landed, release)
    is_back = releases.was_displaced(connection, load_id)
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
    connection: psycopg.Connection,
    source: Source,
    name: str,
    dataset: Dataset,
    landed: LandedFile,
    now: dt.datetime,
    landing: Path,
) -> Loaded:
    part = releases.part_of(dataset, landed)
    as_landed = landed
    was_withdrawn = events.read_withdrawal(landed.path)
    if was_withdrawn and landed.arrived_at > landed.provenance.landed_at:
        # It speaks as of now: what came in between is older.
        events.note_return(landed.path, landed.arrived_at)
        landed = dataclasses.replace(
            landed, provenance=dataclasses.replace(landed.provenance, landed_at=landed.arrived_at)
        )
    if dataset.keep_releases == "newest_of_each_part":
        landed = releases.as_returned(connection, source, name, part, landed)
    with _hashed(landed) as bytes_are_whole:
        corrections = corrections_of(source.source, landed.provenance.sha256)
        contents = copying.read(landed, dataset, corrections)
        if contents.vintage is None and dataset.contract:
            contents = dataclasses.replace(contents, vintage=dataset.contract)
        if corrections:
            contents.drift["corrections"] = [str(correction) for correction in corrections]
        releases.check_begins_early_enough(connection, source, name, dataset, contents)
        releases.check_leaves_no_hole(connection, source, name, dataset, contents)
        cursor = connection.cursor()
        load_id = ledger.next_load_id(connection)
        done = contents.copy(cursor, raw_table(source.source, name), load_id)
        copying.check_records(cursor, source, name, dataset.layout, load_id)
        release = landed.provenance.release_date or releases.release_date(done, dataset, landed)
        releases.check_plausible(done, dataset, release, now)
        bytes_are_whole()
    before = releases.standing(connection, source, name, part)
    releases.check_not_empty(done, dataset)
    releases.check_of_its_month(done, dataset, part)
    releases.check_not_older(done, dataset, landed, before)
    releases.check_not_cut(cursor, dataset, raw_table(source.source, name), contents, done, release, load_id, before)
    releases.check_is_a_revision(cursor, dataset, raw_table(source.source, name), done, release, load_id, before)
    if gone := releases.check_keeps_rows(cursor, source, name, load_id, done, release, before):
        contents.drift["rows gone"] = gone
    if done.repeats:
        contents.drift["repeated rows"] = [f"{len(done.repeats):,}, the first in row {done.repeats[0]:,}"]
    labels = checks.check(
        checks.Delivery(
            cursor, source, name, load_id, part, landed.provenance.file_name, landed.provenance.is_synthetic, done
        )
    )
    newer = connection.execute(
        """select 1 from ops.load where source = %s and dataset = %s and part = %s and state = 'loaded'
           and release_date > %s""",
        [source.source, name, part, release],
    ).fetchone()
    ledger.record(
        cursor, source, name, landed, now, landing,
        load_id=load_id, state="loaded", part=part, release=release, classification=contents.vintage, drift=contents.drift, first=done.first,
        last=done.last, loaded=done.rows, quarantined=done.rows_quarantined, totals=done.totals,
        changes=releases.changes_against(done, dataset, before) if before and newer is None else {}, label_counts=labels,
    )  # fmt: skip
    ledger.quarantine(cursor, load_id, done.quarantined)
    note_release_date(as_landed)
    events.note_loaded(landed.path)
    if dataset.keep_releases == "newest_of_each_part":
        releases.keep_newest(connection, source, name, part)
    return Loaded(
        load_id,
        release,
        done.rows,
        is_new=True,
        is_history=newer is not None,
        quarantined=done.rows_quarantined,
        was_withdrawn=was_withdrawn,
        drift=contents.drift,
    )


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
