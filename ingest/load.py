"""Loading: from a landed file to raw, in one transaction, once, with a line in the ledger either way."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from ingest.declaration import Dataset, Source, raw_columns, raw_table
from ingest.errors import FileRefused, Refusal
from ingest.landing import LandedFile, note_return, sha256_of
from ingest.raw import number_rows
from ingest.readers import delimited, month_columns
from ingest.readers.faults import HEADER, THE_FILE, Fault, sentence
from ingest.readers.headers import months_between

PIPELINE_LOCK = "vru pipeline"  # held shared by a load, alone by a build
KEPT = "its bytes are in landing and its line in ops.load; raw and the marts are as they were"


@dataclasses.dataclass(frozen=True)
class Loaded:
    """What loading a file came to."""

    load_id: int
    release_date: dt.date
    rows: int
    is_new: bool
    is_history: bool  # a newer release covers every month of it
    is_back: bool = False  # it stood in raw, another file of its release had taken its place, and it came again

    def __str__(self) -> str:
        if self.is_back:
            return f"came again (load {self.load_id}, release {self.release_date}): it speaks for its months again"
        if not self.is_new:
            return f"already loaded (load {self.load_id}, release {self.release_date}): nothing changed"
        note = "; older than what is loaded, kept as history" if self.is_history else ""
        return f"loaded {self.rows:,} rows (load {self.load_id}, release {self.release_date}{note})"


@dataclasses.dataclass(frozen=True)
class _Contents:
    """A faultless file, ready to be copied."""

    vintage: str | None
    first: dt.date | None
    last: dt.date | None
    copy: Callable[[psycopg.Cursor, str, int], tuple[int, int, int]]
    """Copies it to a raw table as a load: data rows of the file, rows of raw that come of them, rows PostgreSQL took."""


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
            connection.execute("select pg_advisory_xact_lock_shared(hashtext(%s))", [PIPELINE_LOCK])
            connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"load {source.source}"])
            earlier = connection.execute(
                """select load_id, release_date, rows_loaded from ops.load
                   where source = %s and dataset = %s and sha256 = %s and state = 'loaded'""",
                [source.source, name, landed.papers.sha256],
            ).fetchone()
            if earlier:
                _check_same_release(landed, earlier[1])
                if _was_displaced(connection, earlier[0]):
                    # The publisher went back to what was there before: these bytes speak for their months again.
                    connection.execute(
                        "update ops.load set landed_at = %s where load_id = %s", [landed.arrived_at, earlier[0]]
                    )
                    note_return(landed)
                    return Loaded(earlier[0], earlier[1], earlier[2], is_new=False, is_history=False, is_back=True)
                return Loaded(earlier[0], earlier[1], earlier[2], is_new=False, is_history=False)
            _claim_kind(connection, landed, now)
            return _load_new(connection, source, name, dataset, landed, now, landing)
    except _Faulty as faulty:
        with connection.transaction():
            _record_refusal(connection, source, name, landed, faulty, now, landing)
        raise FileRefused(
            sentence(faulty.faults),
            where=f"{source.source} {name}, file {landed.papers.file_name}",
            kept=KEPT,
            next_step=faulty.next_step,
        ) from None
    except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory) as error:
        raise Refusal(
            f"the database has no room for it ({error.diag.message_primary})",
            where=f"{source.source} {name}, file {landed.papers.file_name}",
            kept="its bytes are in landing; raw and the marts are as they were",
            next_step="make room on the database's disk and run the same again",
        ) from error


def gather_statistics(connection: psycopg.Connection, source: Source, name: str) -> None:
    """Tell PostgreSQL's planner what a dataset's raw table now holds: once, after the last file of a step.

    Args:
        connection: as vru_loader.
    """
    connection.execute("select ops.gather_raw_statistics(%s)", [raw_table(source.source, name)])


class _Faulty(Exception):
    """Carries the faults of a file out of the transaction that must not commit."""

    def __init__(self, faults: list[Fault], rows: int, next_step: str) -> None:
        super().__init__()
        self.faults = faults
        self.rows = rows
        self.next_step = next_step


_NEXT = (
    "if the publisher has changed the file, extend its source.yml or the named seed and land it again; "
    "if the file was damaged on its way, fetch it again"
)
_NEXT_DAMAGED = "fetch it again: this is not the file, or not the whole of it; if it stays so, ask the publisher"


def _next_step(faults: list[Fault]) -> str:
    """What to do: nobody extends a declaration for a page that says 'try later', or for half a file."""
    return _NEXT_DAMAGED if any(fault.column == THE_FILE for fault in faults) else _NEXT


def _check_same_release(landed: LandedFile, release_date: dt.date) -> None:
    told = landed.papers.release_date
    if told and told != release_date:
        raise Refusal(
            f"the same bytes stand in raw as release {release_date}, and now are called release {told}",
            where=f"file {landed.papers.file_name}",
            kept="nothing changed",
            next_step="leave out --release, or give the one they were landed with",
        )


def _was_displaced(connection: psycopg.Connection, load_id: int) -> bool:
    """Whether another file of the same dataset and release came after this one."""
    return (
        connection.execute(
            """select 1 from ops.load as later inner join ops.load as this on this.load_id = %s
               where later.source = this.source and later.dataset = this.dataset and later.state = 'loaded'
                 and later.release_date = this.release_date and later.load_id <> this.load_id
                 and (later.landed_at, later.load_id) > (this.landed_at, this.load_id)""",
            [load_id],
        ).fetchone()
        is not None
    )


def _claim_kind(connection: psycopg.Connection, landed: LandedFile, now: dt.datetime) -> None:
    """The database's own note of what landing/data_kind says: marts and print-outs read it."""
    kind = "synthetic" if landed.papers.is_synthetic else "real"
    row = connection.execute(
        """update ops.warehouse set data_kind = coalesce(data_kind, %s), decided_by = coalesce(decided_by, %s),
               decided_at = coalesce(decided_at, %s) returning data_kind""",
        [kind, landed.papers.file_name, now],
    ).fetchone()
    if row is None or row[0] != kind:
        raise Refusal(
            f"brings {kind} data, and this warehouse holds {row[0] if row else 'no'} data: the two never meet",
            where=f"file {landed.papers.file_name}",
            kept="its bytes are in landing; raw and the marts are as they were",
            next_step=f"use another home and database for {kind} data",
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
    with _hashed(landed) as bytes_are_whole:
        contents = _read(landed.path, dataset)
        release = landed.papers.release_date or _release_date(contents, dataset, landed)
        _check_plausible(contents, dataset, release, now)
        holes = _holes(connection, source, name, dataset, contents)
        if holes:
            raise _Faulty(
                [
                    Fault(
                        HEADER, "months", None, f"{', '.join(holes)} would be in neither this file nor {dataset.abuts}"
                    )
                ],
                0,
                f"land the {dataset.abuts} file that reaches these months first, then this one again",
            )
        cursor = connection.cursor()
        row = cursor.execute("select nextval(pg_get_serial_sequence('ops.load', 'load_id'))").fetchone()
        assert row is not None  # noqa: S101 - a sequence has a next value
        load_id = int(row[0])
        table = raw_table(source.source, name)
        rows, expected, taken = contents.copy(cursor, table, load_id)
        if taken != expected:
            raise Refusal(
                f"{expected:,} rows were read and PostgreSQL took {taken:,}",
                where=f"{source.source} {name}, file {landed.papers.file_name}",
                kept="its bytes are in landing; raw and the marts are as they were",
                next_step="report this with the file: the two readers of it disagree",
            )
        bytes_are_whole()
    _insert_ledger(
        cursor, source, name, landed, now, landing,
        load_id=load_id, state="loaded", release=release, contents=contents, loaded=rows, quarantined=0, reason=None,
    )  # fmt: skip
    newer = connection.execute(
        "select 1 from ops.load where source = %s and dataset = %s and state = 'loaded' and release_date > %s",
        [source.source, name, release],
    ).fetchone()
    return Loaded(load_id, release, rows, is_new=True, is_history=newer is not None)


@contextlib.contextmanager
def _hashed(landed: LandedFile) -> Iterator[Callable[[], None]]:
    """Hash a landed file on another thread meanwhile; what is given back waits for it and raises where bytes have changed."""

    def check() -> None:
        found, _ = hashing.result()
        if found != landed.papers.sha256:
            raise Refusal(
                "its bytes are not those that were landed: the hash differs from its name",
                where=str(landed.path),
                kept="raw and the marts are as they were",
                next_step="restore the file from the backup of landing; never edit a landed file",
            )

    with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="hash") as pool:
        hashing = pool.submit(sha256_of, landed.path)
        yield check


def _read(file: Path, dataset: Dataset) -> _Contents:
    return _read_months(file, dataset) if dataset.layout.month_columns else _read_rows(file, dataset)


def _read_months(path: Path, dataset: Dataset) -> _Contents:
    file = month_columns.read(path, dataset.layout)
    if file.faults or file.header is None:
        raise _Faulty(file.faults, len(file.rows), _next_step(file.faults))
    cells = len(file.rows) * len(file.header.months)

    def copy(cursor: psycopg.Cursor, table: str, load_id: int) -> tuple[int, int, int]:
        columns = [*raw_columns(dataset.layout), "_row_number", "_load_id"]
        statement = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier("raw", table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with cursor.copy(statement) as stream:
            for lines in month_columns.copy_text(file, dataset.layout, load_id):
                stream.write(lines)
        return len(file.rows), cells, cursor.rowcount

    return _Contents(file.vintage, _month(file.first_month), _month(file.last_month), copy)


def _read_rows(path: Path, dataset: Dataset) -> _Contents:
    start = delimited.read_start(path, dataset.layout)
    if start.faults or start.header is None:
        raise _Faulty(start.faults, 0, _next_step(start.faults))
    header = start.header
    columns = sorted(header.positions, key=lambda column: header.positions[column])

    def copy(cursor: psycopg.Cursor, table: str, load_id: int) -> tuple[int, int, int]:
        vouched = delimited.vouch(path, start, dataset.layout)
        number_rows(cursor, table, load_id)
        statement = sql.SQL("copy {} ({}) from stdin (format csv, null '\\N')").format(
            sql.Identifier("raw", table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        try:
            with cursor.copy(statement) as stream:
                for block in delimited.blocks(path, start):
                    stream.write(block)
        except psycopg.DataError:
            rows = None
        else:
            rows = vouched.result()
        if rows is None:
            number, faults = delimited.explain(path, start, dataset.layout)
            raise _Faulty(faults, number, _next_step(faults))
        return rows, rows, cursor.rowcount

    return _Contents(None, None, None, copy)


def _month(text: str) -> dt.date:
    return dt.date(int(text[:4]), int(text[4:]), 1)


def _release_date(contents: _Contents, dataset: Dataset, landed: LandedFile) -> dt.date:
    if contents.last is None or dataset.release is None:
        return landed.papers.landed_at.date()
    months = contents.last.year * 12 + contents.last.month - 1 + dataset.release.months_after_newest
    return dt.date(months // 12, months % 12 + 1, 1)


def _check_plausible(contents: _Contents, dataset: Dataset, release: dt.date, now: dt.datetime) -> None:
    """Refuse what can only be another dataset's file: it would speak for its months until its date has come."""
    tomorrow = (now + dt.timedelta(days=1)).date()
    if release > tomorrow:
        raise _Faulty(
            [Fault(HEADER, THE_FILE, None, f"would be a release of {release}, which is still to come")],
            0,
            "see that the file is of this dataset and not of another; or give its date with --release",
        )
    if dataset.at_most_months is None or contents.first is None or contents.last is None:
        return
    months = len(months_between(f"{contents.first:%Y%m}", f"{contents.last:%Y%m}"))
    if months > dataset.at_most_months:
        raise _Faulty(
            [
                Fault(
                    HEADER,
                    THE_FILE,
                    None,
                    f"has {months} months, and one of this dataset has {dataset.at_most_months} at most",
                )
            ],
            0,
            f"see that it is not a file of {dataset.abuts or 'another dataset'}",
        )


def _holes(
    connection: psycopg.Connection, source: Source, name: str, dataset: Dataset, contents: _Contents
) -> list[str]:
    """Months that would lie between this file and those of the dataset it abuts, in neither of them (YYYY-MM)."""
    if dataset.abuts is None or contents.first is None or contents.last is None:
        return []
    spans = connection.execute(
        """select dataset, first_period, last_period from ops.load
           where source = %s and dataset = any(%s) and state in ('loaded', 'superseded')""",
        [source.source, [name, dataset.abuts]],
    ).fetchall()
    if not any(other == dataset.abuts for other, _, _ in spans):
        return []
    before = _uncovered([(first, last) for _, first, last in spans])
    after = _uncovered([*((first, last) for _, first, last in spans), (contents.first, contents.last)])
    return [f"{month[:4]}-{month[4:]}" for month in after if month not in before]


def _uncovered(spans: list[tuple[dt.date, dt.date]]) -> list[str]:
    covered = {month for first, last in spans for month in months_between(f"{first:%Y%m}", f"{last:%Y%m}")}
    return [month for month in months_between(min(covered), max(covered)) if month not in covered]


def _insert_ledger(
    cursor: psycopg.Cursor,
    source: Source,
    name: str,
    landed: LandedFile,
    now: dt.datetime,
    landing: Path,
    *,
    load_id: int | None,
    state: str,
    release: dt.date | None,
    contents: _Contents | None,
    loaded: int,
    quarantined: int,
    reason: str | None,
) -> int:
    papers = landed.papers
    row = cursor.execute(
        """insert into ops.load (load_id, source, dataset, release_date, sha256, file_name, landed_path, url, bytes, landed_at,
               loaded_at, classification, first_period, last_period, rows_in_file, rows_loaded, rows_quarantined, state,
               reason, drift, is_synthetic)
           overriding system value
           values (coalesce(%s, nextval(pg_get_serial_sequence('ops.load', 'load_id'))), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning load_id""",
        [
            load_id, source.source, name, release, papers.sha256, papers.file_name,
            landed.path.resolve().relative_to(landing.resolve()).as_posix(), papers.url, papers.bytes, papers.landed_at, now,
            contents.vintage if contents else None, contents.first if contents else None,
            contents.last if contents else None, loaded + quarantined, loaded, quarantined, state, reason, Jsonb({}),
            papers.is_synthetic,
        ],
    ).fetchone()  # fmt: skip
    assert row is not None  # noqa: S101 - insert returning gives a row
    return int(row[0])


def _record_refusal(
    connection: psycopg.Connection,
    source: Source,
    name: str,
    landed: LandedFile,
    faulty: _Faulty,
    now: dt.datetime,
    landing: Path,
) -> None:
    cursor = connection.cursor()
    load_id = _insert_ledger(
        cursor, source, name, landed, now, landing,
        load_id=None, state="refused", release=landed.papers.release_date, contents=None, loaded=0, quarantined=faulty.rows,
        reason=sentence(faulty.faults),
    )  # fmt: skip
    cursor.executemany(
        """insert into quarantine.refused_row (load_id, row_number, column_name, value, reason)
           values (%s, %s, %s, %s, %s) on conflict (load_id, row_number, column_name) do update
           set reason = refused_row.reason || '; ' || excluded.reason""",
        [(load_id, f.row, f.column, None if f.value is None else f.value[:500], f.reason) for f in faulty.faults],
    )
