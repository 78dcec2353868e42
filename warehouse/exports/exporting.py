"""Exporting: tables of one release into a folder that is there whole, or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
from psycopg import sql

from ingest.errors import Refusal
from ingest.landing import sha256_of
from warehouse.exports import delimited, descriptor, opendocument, sheets, tables, workbook
from warehouse.exports.descriptor import About, Write
from warehouse.exports.tables import SCHEMAS, UNTOUCHED, Release, Table
from warehouse.platform import audit
from warehouse.platform.connection import ANALYST, OPEN, connect
from warehouse.platform.settings import Settings

FORMATS = ("csv", "parquet", "xlsx", "ods")
_SHEETS = {"xlsx": workbook.writer, "ods": opendocument.writer}
PATIENCE = "30min"  # with a table
BATCH = 1_000  # rows in memory at a time


@dataclasses.dataclass(frozen=True)
class Written:
    """A file of an export: its name, rows (0 where it is no table), size in bytes and hash."""

    file: str
    rows: int
    bytes: int
    sha256: str


def export(
    settings: Settings,
    names: tuple[str, ...],
    form: str,
    out: Path,
    *,
    is_open: bool = False,
    is_packed: bool = False,
    release_id: int | None = None,
) -> list[Written]:
    """Export tables of the marts, one release of them, with data dictionary, datapackage.json, SHA256SUMS, and of CSV metadata as CSV on the Web has them.

    Args:
        names: tables or views; none for all there are.
        form: csv, parquet, xlsx or ods.
        out: the folder to be made; there is none of this name yet, or it is empty.
        is_open: as the open role, of schema marts_open alone.
        is_packed: CSV within ZIP, which takes a sixtieth of the room.
        release_id: an earlier release, from history; None for the one that the marts hold.

    Returns:
        The files, the hashes' own aside.

    Raises:
        Refusal: a table, release or folder is not as it should be, a sheet is too small, or a release was published meanwhile.
            Nothing is written then.
    """
    if is_open and release_id is not None:
        raise Refusal(
            "OPTION_INVALID", "--open reads the current release: history is not for anyone", kept=UNTOUCHED,
            next_step="leave out --open or --release",
        )  # fmt: skip
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Refusal(
            "EXPORT_FOLDER_TAKEN",
            "the folder to export into holds something already",
            where=str(out),
            kept="it as it was",
            next_step="name a new folder, or move this one away",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with connect(settings, OPEN if is_open else ANALYST) as connection, _beside(out) as folder:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        written = _export(
            connection, SCHEMAS[OPEN if is_open else ANALYST], names, form, folder, release_id, is_packed=is_packed
        )
        rows = {one.file.partition(".")[0]: one.rows for one in written if one.rows}
        # Before the folder takes its name: what cannot be written down is not handed out.
        audit.write(
            settings,
            OPEN if is_open else ANALYST,
            "export",
            f"{SCHEMAS[OPEN if is_open else ANALYST]} as {form}",
            tables=rows,
            release_id=release_id,
        )
        return written


@contextlib.contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder beside the one that is asked for, which takes its name when the block ends well and goes when it does not."""
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield folder
        folder.rename(out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _export(
    connection: psycopg.Connection,
    schema: str,
    names: tuple[str, ...],
    form: str,
    folder: Path,
    release_id: int | None,
    *,
    is_packed: bool,
) -> list[Written]:
    with connection.transaction():
        release = (
            tables.current_release(connection, schema)
            if release_id is None
            else tables.earlier_release(connection, release_id)
        )
        chosen = tables.find(connection, schema, names, release, is_earlier=release_id is not None)
    if form in _SHEETS:
        for table in chosen:
            sheets.check_rows(table, _count(connection, table))
    written = []
    for table in chosen:
        # A transaction each: a reader's may not stay open for as long as all of them take.
        file = folder / f"{table.name}.{form}{descriptor.PACKED if is_packed and form == 'csv' else ''}"
        rows = _write(connection, schema, table, form, file, release, is_current=release_id is None)
        written.append(_written(file, rows))
    resources = [
        {"path": one.file, "format": form, "bytes": one.bytes, "hash": f"sha256:{one.sha256}", "row_count": one.rows}
        for one in written
    ]
    descriptor.write_package(folder / descriptor.PACKAGE, chosen, release, resources)
    descriptor.write_dictionary(folder / descriptor.DICTIONARY, chosen)
    described = [descriptor.DICTIONARY, descriptor.PACKAGE]
    if form == "csv":
        described += [descriptor.write_metadata(folder, table, release) for table in chosen]
    written += [_written(folder / name, 0) for name in described]
    sums = "".join(f"{one.sha256}  {one.file}\n" for one in written)
    (folder / descriptor.SUMS).write_text(sums, encoding="utf-8")
    return written


def _count(connection: psycopg.Connection, table: Table) -> int:
    with connection.transaction():
        row = connection.execute(table.counting, [sheets.ROWS]).fetchone()
    return row[0] if row else 0


def _write(
    connection: psycopg.Connection,
    schema: str,
    table: Table,
    form: str,
    file: Path,
    release: Release,
    *,
    is_current: bool,
) -> int:
    """Write a table's file.

    Returns:
        Its rows.
    """
    about = descriptor.about(table, release)
    if form in _SHEETS:
        return _write_sheet(connection, schema, table, _SHEETS[form], file, release, is_current=is_current)
    with _reading(connection, schema, table, release, is_current=is_current):
        if form == "csv":
            connection.execute(sql.SQL("set local timezone = {}").format(sql.Literal(delimited.TIME_ZONE)))
            columns = delimited.expressions(table)
        else:
            columns = [column.expression for column in table.columns]
        query = sql.SQL("copy (select {}{}) to stdout (format csv)").format(sql.SQL(", ").join(columns), table.rows)
        cursor = connection.cursor()
        with cursor.copy(query) as lines:
            if form == "csv":
                with delimited.packed(file) if file.suffix == descriptor.PACKED else file.open("wb") as opened:
                    delimited.write(opened, table, lines)
            else:
                # Arrow takes a third of the time in which a command starts.
                from warehouse.exports import parquet

                parquet.write(file, table, about, lines)
        return cursor.rowcount


def _write_sheet(
    connection: psycopg.Connection,
    schema: str,
    table: Table,
    writer: Callable[[Path, Table, About, int], AbstractContextManager[Write]],
    file: Path,
    release: Release,
    *,
    is_current: bool,
) -> int:
    """Write a table's workbook, which takes minutes: its rows are put on disk first, as a reader's transaction may not stay open so long."""
    rows = 0
    with tempfile.TemporaryFile(dir=file.parent) as spool:
        with (
            _reading(connection, schema, table, release, is_current=is_current),
            connection.cursor(name="export", binary=True) as cursor,
        ):
            columns = sql.SQL(", ").join(column.expression for column in table.columns)
            cursor.execute(sql.SQL("select {}{}").format(columns, table.rows))
            while batch := cursor.fetchmany(BATCH):
                pickle.dump(batch, spool, pickle.HIGHEST_PROTOCOL)
                rows += len(batch)
        sheets.check_rows(table, rows)
        spool.seek(0)
        with writer(file, table, descriptor.about(table, release), rows) as write:
            left = rows
            while left:
                batch = pickle.load(spool)  # noqa: S301 - written above, into a file that no other process can open
                write(batch)
                left -= len(batch)
    return rows


@contextlib.contextmanager
def _reading(
    connection: psycopg.Connection, schema: str, table: Table, release: Release, *, is_current: bool
) -> Iterator[None]:
    """A transaction that reads a table, as it is all of one moment.

    Raises:
        Refusal: the marts hold another release than the one that is exported.
    """
    with connection.transaction():
        # The largest views take longer than an analyst's query may; a night or a build that begins ends it all the same.
        connection.execute(sql.SQL("set local statement_timeout = {}").format(sql.Literal(PATIENCE)))
        if is_current:
            if not table.key:
                # A view has no order of its own: it comes as its tables lie, and not as several readers of them happen to end.
                connection.execute(
                    "set local max_parallel_workers_per_gather = 0; set local synchronize_seqscans = off"
                )
            else:
                # In the order of the key, by its index: nothing is sorted, which would take a reader's disk.
                for setting in ("enable_sort", "enable_hashjoin"):
                    connection.execute(sql.SQL("set local {} = off").format(sql.Identifier(setting)))
            if tables.current_release(connection, schema) != release:
                raise Refusal(
                    "RELEASE_CHANGED",
                    f"another release was published while release {release.release_id} was exported",
                    kept=UNTOUCHED,
                    next_step="run the same again",
                )
        yield


def _written(file: Path, rows: int) -> Written:
    return Written(file.name, rows, file.stat().st_size, sha256_of(file)[0])
