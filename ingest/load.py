"""Loading: from a landed file to raw, in one transaction, once, with a line in the ledger either way."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from ingest.corrections import Correction, corrections_of
from ingest.declaration import Dataset, Layout, Source, raw_columns, raw_table
from ingest.errors import FileRefused, Refusal
from ingest.landing import LandedFile, note_release, note_return, sha256_of
from ingest.raw import number_rows
from ingest.readers import month_columns, tables
from ingest.readers.faults import HEADER, THE_FILE, Fault, sentence
from ingest.readers.headers import months_between
from ingest.readers.records import records_wrong
from ingest.readers.times import day_of, is_timed

if TYPE_CHECKING:
    from ingest.readers import delimited

PIPELINE_LOCK = "vru pipeline"  # held shared by a load, alone by a build
ENOUGH_TO_JUDGE = 100  # of a month's rows or values, before losing most of them says anything
KEPT = "its bytes are in landing and its line in ops.load; raw and the marts are as they were"


@dataclasses.dataclass(frozen=True)
class Loaded:
    """What loading a file came to."""

    load_id: int
    release_date: dt.date
    rows: int
    is_new: bool
    is_history: bool  # a newer release covers every month of it
    quarantined: int = 0  # rows that are not in raw, each with its reason in quarantine.refused_row
    is_back: bool = False  # it stood in raw, another file of its release had taken its place, and it came again
    drift: dict[str, list[str]] = dataclasses.field(default_factory=dict)  # as in ops.load

    def __str__(self) -> str:
        if self.is_back:
            return f"came again (load {self.load_id}, release {self.release_date}): it speaks for its months again"
        if not self.is_new:
            return f"already loaded (load {self.load_id}, release {self.release_date}): nothing changed"
        note = f"; {self.quarantined:,} quarantined" if self.quarantined else ""
        # A column that may be missing, or a correction that was confirmed, is on record and nobody's work.
        new = {kind: names for kind, names in self.drift.items() if kind == "new columns"}
        known = {kind: names for kind, names in self.drift.items() if kind not in new}
        note += f"; WARNING: {in_words(new)}" if new else ""
        note += f"; {in_words(known)}" if known else ""
        note += "; older than what is loaded, kept as history" if self.is_history else ""
        return f"loaded {self.rows:,} rows (load {self.load_id}, release {self.release_date}{note})"


@dataclasses.dataclass(frozen=True)
class _Copied:
    """What copying a file came to: its data rows that stand in raw now, the rows of raw they made, what was quarantined,
    the first and last time it is about, and by month (YYYY-MM; empty: all of it) the sum of its values, or its rows."""

    rows: int
    raw_rows: int
    quarantined: list[Fault]
    first: dt.date | None
    last: dt.date | None
    totals: dict[str, float]

    @property
    def rows_quarantined(self) -> int:
        return len({(fault.sheet, fault.row) for fault in self.quarantined})


@dataclasses.dataclass(frozen=True)
class _Contents:
    """A file whose header is as declared, ready to be copied. Where it is of months, they are known by now."""

    vintage: str | None
    first: dt.date | None
    last: dt.date | None
    drift: dict[str, list[str]]
    copy: Callable[[psycopg.Cursor, str, int], _Copied]


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
                 and later.part = this.part and later.release_date = this.release_date and later.load_id <> this.load_id
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
    part = _part(dataset, landed)
    told = landed
    if dataset.keep_releases == "newest_of_each_part":
        landed = _as_returned(connection, source, name, part, landed)
    with _hashed(landed) as bytes_are_whole:
        corrections = corrections_of(source.source, landed.papers.sha256)
        contents = _read(landed, dataset, corrections)
        if contents.vintage is None and dataset.contract:
            contents = dataclasses.replace(contents, vintage=dataset.contract)
        if corrections:
            contents.drift["corrections"] = [str(correction) for correction in corrections]
        _check_begins_early_enough(connection, source, name, dataset, contents)
        holes = _holes(connection, source, name, dataset, contents)
        if holes:
            fault = Fault(
                HEADER, "months", None, f"{', '.join(holes)} would be in neither this file nor {dataset.abuts}"
            )
            raise _Faulty(
                [fault], 0, f"land the {dataset.abuts} file that reaches these months first, then this one again"
            )
        cursor = connection.cursor()
        row = cursor.execute("select nextval(pg_get_serial_sequence('ops.load', 'load_id'))").fetchone()
        assert row is not None  # noqa: S101 - a sequence has a next value
        load_id = int(row[0])
        done = contents.copy(cursor, raw_table(source.source, name), load_id)
        _check_records(cursor, source, name, dataset.layout, load_id)
        release = landed.papers.release_date or _release_date(done, dataset, landed)
        _check_plausible(done, dataset, release, now)
        bytes_are_whole()
    before = _before(connection, source, name, part)
    _check_not_empty(done, dataset)
    _check_not_older(done, dataset, landed, before)
    _check_not_cut(done, dataset, release, before)
    newer = connection.execute(
        """select 1 from ops.load where source = %s and dataset = %s and part = %s and state = 'loaded'
           and release_date > %s""",
        [source.source, name, part, release],
    ).fetchone()
    _insert_ledger(
        cursor, source, name, landed, now, landing,
        load_id=load_id, state="loaded", part=part, release=release, contents=contents, first=done.first, last=done.last,
        loaded=done.rows, quarantined=done.rows_quarantined, reason=None, totals=done.totals,
        changes=_changes(done, before) if before and newer is None else {},
    )  # fmt: skip
    _quarantine(cursor, load_id, done.quarantined)
    note_release(told)
    if dataset.keep_releases == "newest_of_each_part":
        _keep_newest(connection, source, name, part)
    return Loaded(
        load_id,
        release,
        done.rows,
        is_new=True,
        is_history=newer is not None,
        quarantined=done.rows_quarantined,
        drift=contents.drift,
    )


def _check_records(cursor: psycopg.Cursor, source: Source, name: str, layout: Layout, load_id: int) -> None:
    """See that the pages of an answer hold every record of it once, by what each record says of itself.

    Raises:
        _Faulty: records are missing or there twice, or their number changed between pages.
    """
    if layout.paged is None:
        return
    row = cursor.execute(
        sql.SQL(
            """select count(*), count(*) filter (where btrim({offset}) ~ '^[0-9]{{1,9}}$'), count(distinct {offset}),
                 array_agg(distinct btrim({count}))
               from {table} where _load_id = %s and btrim({count}) <> ''"""
        ).format(
            offset=sql.Identifier(layout.paged.offset),
            count=sql.Identifier(layout.paged.count),
            table=sql.Identifier("raw", raw_table(source.source, name)),
        ),
        [load_id],
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate gives a row
    rows, numbered, distinct, totals = row
    if not rows:
        return
    wrong = records_wrong(rows, numbered, distinct, totals)
    if wrong:
        raise _Faulty([Fault(HEADER, THE_FILE, None, wrong)], rows, _NEXT_DAMAGED)


@dataclasses.dataclass(frozen=True)
class _Before:
    """The newest release of the same dataset and part that stands in raw."""

    load_id: int
    release: dt.date
    rows: int
    first: dt.date | None
    last: dt.date | None
    totals: dict[str, float]


def _before(connection: psycopg.Connection, source: Source, name: str, part: str) -> _Before | None:
    row = connection.execute(
        """select load_id, release_date, rows_loaded, first_period, last_period, totals from ops.load
           where source = %s and dataset = %s and part = %s and state = 'loaded'
           order by release_date desc, landed_at desc, load_id desc limit 1""",
        [source.source, name, part],
    ).fetchone()
    return _Before(*row) if row else None


def _changes(done: _Copied, before: _Before) -> dict[str, object]:
    """What a release changed against the one before: rows, the sum, which months came and went, and which were revised."""
    now, then = done.totals, before.totals
    revised = {month: now[month] - then[month] for month in sorted(now.keys() & then) if now[month] != then[month]}
    most = max(revised, key=lambda month: abs(revised[month]), default=None)
    return {
        "against_load": before.load_id,
        "rows": done.rows - before.rows,
        "sum": sum(now.values()) - sum(then.values()),
        "months_new": sorted(now.keys() - then),
        "months_gone": sorted(then.keys() - now),
        "months_in_both": len(now.keys() & then),
        "months_revised": len(revised),
        "revised_by": sum(revised.values()),
        "revised_most": {"month": most, "by": revised[most]} if most is not None else None,
    }


def in_words(drift: dict[str, list[str]]) -> str:
    """How a file's columns differ from those declared; empty where they do not."""
    said = {
        "new columns": "columns that are not declared, left out of raw: ",
        "missing columns": "columns it lacks: ",
        "corrections": "corrected as confirmed: ",
    }
    return "; ".join(f"{said[kind]}{', '.join(names)}" for kind, names in drift.items())


def _check_not_empty(done: _Copied, dataset: Dataset) -> None:
    if not (done.rows or done.quarantined or dataset.layout.may_be_empty):
        raise _Faulty([Fault(HEADER, THE_FILE, None, "has a header and no rows")], 0, _NEXT_DAMAGED)


def _check_not_cut(done: _Copied, dataset: Dataset, release: dt.date, before: _Before | None) -> None:
    """Refuse rows that were cut where a line ends, which nothing in them says: months would lose most of what they had."""
    if before is None or release < before.release or dataset.layout.month_columns:
        return  # a file with a column per month is seen to be complete in every area
    lost = [
        f"{month or 'the file'} has {done.totals.get(month, 0):,.10g} and had {then:,.10g}"
        for month, then in sorted(before.totals.items())
        if then >= ENOUGH_TO_JUDGE
        and (month in done.totals or not month)
        and done.totals.get(month, 0) < then * (1 - dataset.may_lose)
    ]
    if lost:
        raise _Faulty(
            [Fault(HEADER, THE_FILE, None, f"lacks most of what load {before.load_id} had: {'; '.join(lost[:5])}")],
            done.rows,
            "fetch it again; if the publisher has really taken so much back, say so with may_lose in source.yml",
        )


def _check_not_older(done: _Copied, dataset: Dataset, landed: LandedFile, before: _Before | None) -> None:
    """Refuse an older copy of a file that nobody dates: it would speak as the newest release.

    An older copy begins no later than what stands in raw, and ends before its end. A file about another time does neither.
    """
    if landed.papers.release_date or dataset.release or before is None:
        return
    if done.first is None or done.last is None or before.first is None or before.last is None:
        return
    if done.first <= before.first <= done.last < before.last:
        raise _Faulty(
            [
                Fault(
                    HEADER,
                    THE_FILE,
                    None,
                    f"ends on {done.last}, and what stands in raw (load {before.load_id}) on {before.last}: "
                    "it is an older copy",
                )
            ],
            done.rows,
            "if the publisher has really taken the newer rows back, land it by hand with --release DATE",
        )


def _part(dataset: Dataset, landed: LandedFile) -> str:
    """What a file is about besides its release; empty where a file is about all of its dataset."""
    if dataset.part_pattern is None:
        return ""
    found = re.search(dataset.part_pattern, landed.papers.file_name)
    if found is None:
        raise _Faulty(
            [Fault(HEADER, THE_FILE, None, f"has a name that does not say what it is about: {dataset.part_pattern}")],
            0,
            "give the file the name it was published under",
        )
    return found[1]


def _as_returned(
    connection: psycopg.Connection, source: Source, name: str, part: str, landed: LandedFile
) -> LandedFile:
    """A file with its papers, as of now where it had been superseded and its bytes came again: the publisher went back to them.

    The papers tell of the first time, and by their date it would be history at once.
    """
    if landed.arrived_at <= landed.papers.landed_at:
        return landed
    row = connection.execute(
        """select max(release_date) filter (where state = 'loaded'), bool_or(sha256 = %s and state = 'superseded')
           from ops.load where source = %s and dataset = %s and part = %s""",
        [landed.papers.sha256, source.source, name, part],
    ).fetchone()
    if row is None or row[0] is None or not row[1]:
        return landed
    note_return(landed)
    return dataclasses.replace(
        landed, papers=dataclasses.replace(landed.papers, landed_at=landed.arrived_at, release_date=row[0])
    )


def _keep_newest(connection: psycopg.Connection, source: Source, name: str, part: str) -> None:
    """Take all but the newest release of a part out of raw; landing keeps them."""
    older = connection.execute(
        """select load_id from ops.load where source = %s and dataset = %s and part = %s and state = 'loaded'
           order by release_date desc, landed_at desc, load_id desc offset 1""",
        [source.source, name, part],
    ).fetchall()
    if older:
        ids = [load_id for (load_id,) in older]
        table = sql.Identifier("raw", raw_table(source.source, name))
        connection.execute(sql.SQL("delete from {} where _load_id = any(%s)").format(table), [ids])
        connection.execute("update ops.load set state = 'superseded' where load_id = any(%s)", [ids])


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


def _read(landed: LandedFile, dataset: Dataset, corrections: Sequence[Correction]) -> _Contents:
    if dataset.layout.month_columns:
        return _read_months(landed, dataset, corrections)
    return _read_rows(landed.path, dataset, corrections)


def _read_months(landed: LandedFile, dataset: Dataset, corrections: Sequence[Correction]) -> _Contents:
    file = month_columns.read(landed.path, dataset.layout, corrections)
    if file.faults or not file.tables:
        next_step = _next_step(file.faults)
        if any(fault.column == "header" for fault in file.faults):
            next_step += (
                f"; if a header of this very file is mistyped, confirm what it should be in ingest/sources/"
                f"{landed.papers.source}/corrections.yml (sha256 {landed.papers.sha256}) and land it again"
            )
        raise _Faulty(file.faults, len(file.rows), next_step)
    first, last = _month(file.first_month), _month(file.last_month)

    def copy(cursor: psycopg.Cursor, table: str, load_id: int) -> _Copied:
        are_together = dataset.layout.month_columns and dataset.layout.month_columns.cells == "together"
        cells = len(file.rows) if are_together else file.cells
        columns = [*raw_columns(dataset.layout), "_row_number", "_load_id"]
        blocks = month_columns.copy_text(file, dataset.layout, load_id)
        _copy(cursor, table, columns, blocks, expected=lambda: cells)
        return _Copied(len(file.rows), cells, [], first, last, month_columns.totals(file))

    return _Contents(file.vintage, first, last, {}, copy)


def _copy(
    cursor: psycopg.Cursor,
    table: str,
    columns: Sequence[str],
    blocks: Iterable[str | bytes],
    *,
    expected: Callable[[], int],
    options: str = "",
) -> None:
    """COPY text to a raw table, and see that PostgreSQL took as many rows as were meant."""
    statement = sql.SQL("copy {} ({}) from stdin {}").format(
        sql.Identifier("raw", table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(options)
    )
    with cursor.copy(statement) as stream:
        for block in blocks:
            stream.write(block)
    if cursor.rowcount != expected():
        raise Refusal(
            f"{expected():,} rows were read and PostgreSQL took {cursor.rowcount:,}",
            where=f"raw.{table}",
            kept="its bytes are in landing; raw and the marts are as they were",
            next_step="report this with the file: the two readers of it disagree",
        )


def _read_rows(path: Path, dataset: Dataset, corrections: Sequence[Correction]) -> _Contents:
    layout = dataset.layout
    found, faults = tables.open_tables(path, layout, corrections)
    if faults:
        raise _Faulty(faults, 0, _next_step(faults))
    unknown = list(dict.fromkeys(header for table in found for header in table.header.unknown))
    absent = list(dict.fromkeys(column for table in found for column in table.header.absent))
    drift = {kind: names for kind, names in (("new columns", unknown), ("missing columns", absent)) if names}
    # Here, because loading Arrow takes a third of the time in which a command starts, and most load no file.
    from ingest.readers import delimited

    start = delimited.read_start(path, layout) if not (found[0].sheet or corrections) else None
    if start is not None and start.header is not None and delimited.fits(start.header, layout):
        return _Contents(None, None, None, drift, _copy_as_it_is(path, start, layout))
    return _Contents(None, None, None, drift, _copy_row_by_row(path, layout, corrections))


def _copy_as_it_is(path: Path, start: delimited.Start, layout: Layout) -> Callable[[psycopg.Cursor, str, int], _Copied]:
    from ingest.readers import delimited

    def copy(cursor: psycopg.Cursor, table: str, load_id: int) -> _Copied:
        assert start.header is not None  # noqa: S101 - the caller looked
        header = start.header
        columns = sorted(header.positions, key=lambda column: header.positions[column])
        vouched = delimited.vouch(path, start, layout)
        number_rows(cursor, table, load_id)
        with contextlib.suppress(psycopg.DataError), cursor.connection.transaction():
            _copy(
                cursor, table, columns, delimited.blocks(path, start),
                expected=lambda: _rows_of(vouched.result()), options="(format csv, null '\\N')",
            )  # fmt: skip
            done = vouched.result()
            if done is not None and layout.bad_rows == "quarantine" and not _are_days(done.times, layout):
                raise psycopg.DataError("a row is about no day of the calendar")
            if done is not None:
                first, last, counts = _span(done.times, layout)
                totals = _sums(cursor, table, load_id, layout) if layout.value_column else counts
                return _Copied(done.rows, done.rows, [], first, last, totals or {"": done.rows})
        if layout.bad_rows == "refuse":
            number, faults = tables.explain(path, layout)
            if faults:
                raise _Faulty(faults, number, _next_step(faults))
        return _copy_row_by_row(path, layout)(cursor, table, load_id)

    return copy


def _copy_row_by_row(
    path: Path, layout: Layout, corrections: Sequence[Correction] = ()
) -> Callable[[psycopg.Cursor, str, int], _Copied]:
    def copy(cursor: psycopg.Cursor, table: str, load_id: int) -> _Copied:
        count = 0
        bad: list[Fault] = []
        times: Counter[str] = Counter()
        seen = tables.Seen(layout)
        found, _ = tables.open_tables(path, layout, corrections)

        def lines() -> Iterator[str]:
            nonlocal count
            for part in found:
                for number, row in part.rows:
                    row = tables.made_whole(row, part.header, layout)
                    faults = [row] if isinstance(row, Fault) else tables.row_faults(number, row, part.header, layout)
                    if not faults and not isinstance(row, Fault):
                        faults = seen.again(number, row, part.header, part.sheet)
                    if faults or isinstance(row, Fault):
                        bad.extend(dataclasses.replace(fault, sheet=part.sheet) for fault in faults)
                        if layout.bad_rows == "refuse" and len(bad) >= tables.FAULTS_KEPT:
                            return
                        continue
                    count += 1
                    if layout.period:
                        times[tables.time_of(row, part.header, layout.period)] += 1
                    fields = tables.row_in_order(row, part, layout)
                    yield "\t".join(map(month_columns.escaped, fields)) + f"\t{number}\t{load_id}\n"

        _copy(cursor, table, [*raw_columns(layout), "_row_number", "_load_id"], lines(), expected=lambda: count)
        if not tables.ends_whole(path, layout):
            bad.append(Fault(HEADER, THE_FILE, None, "is cut short: its last row has no line end"))
        quarantined = len({(fault.sheet, fault.row) for fault in bad if fault.row != HEADER})
        is_refused = layout.bad_rows == "refuse" or any(fault.row == HEADER for fault in bad)
        if bad and (is_refused or quarantined > layout.at_most_quarantined * (count + quarantined)):
            # The file is refused whole: each of its rows is.
            raise _Faulty(bad[: tables.FAULTS_KEPT], count + quarantined, _next_step(bad))
        first, last, counts = _span(times, layout)
        totals = _sums(cursor, table, load_id, layout) if layout.value_column else counts
        return _Copied(count, count, bad, first, last, totals or {"": count})

    return copy


def _rows_of(vouched: delimited.Vouched | None) -> int:
    if vouched is None:
        raise psycopg.DataError("not vouched for")
    return vouched.rows


def _sums(cursor: psycopg.Cursor, table: str, load_id: int, layout: Layout) -> dict[str, float]:
    """By month, the sum of the declared value column of a load; what is no number is left out."""
    assert layout.value_column is not None  # noqa: S101 - the caller looked
    value = sql.Identifier(layout.value_column)
    time = sql.Identifier(layout.period.column) if layout.period else sql.Literal("")
    rows = cursor.execute(
        sql.SQL(
            r"select {time}, sum({value}::numeric)::float8 from raw.{table} "
            r"where _load_id = %s and {value} ~ '^-?[0-9]+([.][0-9]+)?$' group by 1"
        ).format(time=time, value=value, table=sql.Identifier(table)),
        [load_id],
    ).fetchall()
    return _by_month(dict(rows), layout)


def _by_month(by_time: Mapping[str, float], layout: Layout) -> dict[str, float]:
    totals: dict[str, float] = {}
    for time, total in by_time.items():
        day = day_of(time, layout.period) if layout.period else None
        month = f"{day:%Y-%m}" if day else ""
        totals[month] = totals.get(month, 0) + total
    return totals


def _span(times: Mapping[str, int], layout: Layout) -> tuple[dt.date | None, dt.date | None, dict[str, float]]:
    """First and last day of the times a file is about, and its rows by month.

    Raises:
        _Faulty: naming a time that is written in none of the declared forms.
    """
    if layout.period is None or not times:
        return None, None, {}
    days = []
    totals: dict[str, float] = {}
    for time, count in times.items():
        if not is_timed(time, layout.period):
            continue
        day = day_of(time, layout.period)
        if day is None:
            fault = Fault(HEADER, layout.period.column, time, f"is no time as declared ({layout.period.forms})")
            raise _Faulty([fault], 0, _NEXT)
        days.append(day)
        month = f"{day:%Y-%m}"
        totals[month] = totals.get(month, 0) + count
    return (min(days), max(days), totals) if days else (None, None, {})


def _are_days(times: Iterable[str], layout: Layout) -> bool:
    period = layout.period
    return period is None or all(day_of(time, period) for time in times if is_timed(time, period))


def _month(text: str) -> dt.date:
    return dt.date(int(text[:4]), int(text[4:]), 1)


def _release_date(contents: _Copied, dataset: Dataset, landed: LandedFile) -> dt.date:
    if contents.last is None or dataset.release is None:
        return landed.papers.landed_at.date()
    months = contents.last.year * 12 + contents.last.month - 1 + dataset.release.months_after_newest
    return dt.date(months // 12, months % 12 + 1, 1)


def _check_plausible(contents: _Copied, dataset: Dataset, release: dt.date, now: dt.datetime) -> None:
    """Refuse what can only be another dataset's file: it would speak for its months until its date has come."""
    tomorrow = (now + dt.timedelta(days=1)).date()
    if release > tomorrow:
        raise _Faulty(
            [Fault(HEADER, THE_FILE, None, f"would be a release of {release}, which is still to come")],
            0,
            "see that the file is of this dataset and not of another; or give its date with --release",
        )
    if contents.last is not None and dataset.release is not None and release <= contents.last:
        raise _Faulty(
            [
                Fault(
                    HEADER, THE_FILE, None, f"is called a release of {release} and has months to {contents.last:%Y-%m}"
                )
            ],
            0,
            "give the date it was released with --release, or leave it out and it is worked out",
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


def _check_begins_early_enough(
    connection: psycopg.Connection, source: Source, name: str, dataset: Dataset, contents: _Contents
) -> None:
    """Refuse a file that holds a piece of what its dataset holds whole: it would speak for months that are not its own."""
    if dataset.begins_within_months is None or contents.first is None:
        return
    row = connection.execute(
        "select max(first_period) from ops.load where source = %s and dataset = %s and state = 'loaded'",
        [source.source, name],
    ).fetchone()
    if row is None or row[0] is None:
        return
    later = (contents.first.year - row[0].year) * 12 + contents.first.month - row[0].month
    if later > dataset.begins_within_months:
        reason = (
            f"begins in {contents.first:%Y-%m}, and the file of this dataset that is loaded begins in {row[0]:%Y-%m}"
        )
        raise _Faulty(
            [Fault(HEADER, THE_FILE, None, reason)],
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
    part: str,
    release: dt.date | None,
    contents: _Contents | None,
    first: dt.date | None,
    last: dt.date | None,
    loaded: int,
    quarantined: int,
    reason: str | None,
    totals: dict[str, float] | None = None,
    changes: dict[str, object] | None = None,
) -> int:
    papers = landed.papers
    row = cursor.execute(
        """insert into ops.load (load_id, source, dataset, release_date, sha256, file_name, landed_path, url, bytes, landed_at,
               loaded_at, classification, first_period, last_period, rows_in_file, rows_loaded, rows_quarantined, state,
               reason, drift, is_synthetic, part, totals, changes)
           overriding system value
           values (coalesce(%s, nextval(pg_get_serial_sequence('ops.load', 'load_id'))), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning load_id""",
        [
            load_id, source.source, name, release, papers.sha256, papers.file_name,
            landed.path.resolve().relative_to(landing.resolve()).as_posix(), papers.url, papers.bytes, papers.landed_at, now,
            contents.vintage if contents else None, first, last,
            loaded + quarantined, loaded, quarantined, state, reason, Jsonb(contents.drift if contents else {}),
            papers.is_synthetic, part, Jsonb(totals or {}), Jsonb(changes or {}),
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
        load_id=None, state="refused", part="", release=landed.papers.release_date, contents=None, first=None, last=None,
        loaded=0, quarantined=faulty.rows, reason=sentence(faulty.faults),
    )  # fmt: skip
    _quarantine(cursor, load_id, faulty.faults)


def _quarantine(cursor: psycopg.Cursor, load_id: int, faults: Sequence[Fault]) -> None:
    cursor.executemany(
        """insert into quarantine.refused_row (load_id, sheet, row_number, column_name, value, reason)
           values (%s, %s, %s, %s, %s, %s) on conflict (load_id, sheet, row_number, column_name) do update
           set reason = refused_row.reason || '; ' || excluded.reason""",
        [
            (
                load_id,
                fault.sheet,
                fault.row,
                fault.column,
                None if fault.value is None else fault.value[:500],
                fault.reason,
            )
            for fault in faults
        ],
    )
