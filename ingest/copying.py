"""The third step of a load: from an opened file to rows of raw, every row accounted for."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import psycopg

from ingest import ledger
from ingest.declaration import Layout, raw_columns
from ingest.delivery import Copied, Delivery
from ingest.opening import Opened
from ingest.periods import are_days, span_of, sums
from ingest.raw import copy_text, number_rows
from ingest.readers import month_columns
from ingest.readers.faults import FaultyFile
from ingest.readers.month_columns import MonthFile
from ingest.readers.rows import Rows
from ingest.readers.tables import Table

if TYPE_CHECKING:
    from ingest.readers import delimited


def copy(cursor: psycopg.Cursor, opened: Opened) -> Delivery:
    """Copy the rows of a file to raw, under a new load number.

    Args:
        cursor: as vru_loader, in a transaction.

    Raises:
        FaultyFile: a row is not as declared and the dataset quarantines none, or too many are not.
        Refusal: PostgreSQL took another number of rows than were read.
    """
    load_id = ledger.next_load_id(cursor.connection)
    if isinstance(opened.content, MonthFile):
        done = _copy_months(cursor, opened, opened.content, load_id)
    else:
        done = _copy_bytes(cursor, opened, opened.content, load_id) or _copy_rows(
            cursor, opened, opened.content, load_id
        )
    return Delivery(cursor, opened, load_id, done)


def _copy_months(cursor: psycopg.Cursor, opened: Opened, file: MonthFile, load_id: int) -> Copied:
    """Copy a file with a column a month: a row a cell, or the cells of a row together."""
    layout = opened.file.dataset.layout
    are_together = layout.month_columns is not None and layout.month_columns.cells == "together"
    rows = len(file.rows) if are_together else file.cells
    columns = [*raw_columns(layout), "_row_number", "_load_id"]
    copy_text(
        cursor, opened.file.raw_table, columns, month_columns.copy_text(file, layout, load_id), expected=lambda: rows
    )
    first, last = (dt.date(int(month[:4]), int(month[4:]), 1) for month in (file.first_month, file.last_month))
    return Copied(len(file.rows), rows, [], first, last, month_columns.totals(file))


def _copy_bytes(cursor: psycopg.Cursor, opened: Opened, found: list[Table], load_id: int) -> Copied | None:
    """Copy the bytes of delimited text as they are, while Arrow validates every row of them.

    Returns:
        What came of it; None, and nothing copied, where the file cannot go this way or has a row that is not clean.
    """
    # Here, because loading Arrow takes a third of the time in which a command starts, and most load no file.
    from ingest.readers import delimited

    layout, path, table = opened.file.dataset.layout, opened.file.landed.path, opened.file.raw_table
    header = found[0].header
    can_be_copied = not (found[0].sheet or opened.file.corrections) and delimited.can_copy_bytes(header, layout)
    start = delimited.rows_begin_at(path, header, layout) if can_be_copied else None
    if start is None:
        return None
    validated = delimited.validate_in_background(path, header, start, layout)
    number_rows(cursor, table, load_id)
    with contextlib.suppress(psycopg.DataError), cursor.connection.transaction():
        copy_text(
            cursor, table, sorted(header.positions, key=lambda column: header.positions[column]),
            delimited.blocks(path, start, validated),
            expected=lambda: _validated_rows(validated.result()), options="(format csv, null '\\N')",
        )  # fmt: skip
        done = validated.result()
        if done is None or not are_days(done.times, layout):
            raise psycopg.DataError("not validated, or a row is about no day of the calendar")
        return _copied(cursor, table, load_id, layout, done.rows, done.times)
    return None


def _validated_rows(found: delimited.Validated | None) -> int:
    if found is None:
        raise psycopg.DataError("not validated")
    return found.rows


def _copied(
    cursor: psycopg.Cursor, table: str, load_id: int, layout: Layout, rows: int, times: Mapping[str, int]
) -> Copied:
    """What copying the rows of a file came to, by the published times they are about."""
    first, last, counts = span_of(times, layout)
    totals = sums(cursor, table, load_id, layout) if layout.value_column else counts
    return Copied(rows, rows, [], first, last, totals or {"": rows})


def _copy_rows(cursor: psycopg.Cursor, opened: Opened, found: list[Table], load_id: int) -> Copied:
    """Copy a file row by row; the rows that are not as declared are left out, or refuse it."""
    layout, table = opened.file.dataset.layout, opened.file.raw_table
    rows = Rows(found, opened.file.landed.path, layout)
    lines = ("\t".join(map(month_columns.escaped, fields)) + f"\t{number}\t{load_id}\n" for number, fields in rows)
    copy_text(cursor, table, [*raw_columns(layout), "_row_number", "_load_id"], lines, expected=lambda: rows.count)
    if rows.refuse_the_file:
        # Whole: each of its rows is refused.
        raise FaultyFile(rows.faults, rows.count + rows.bad_rows)
    done = _copied(cursor, table, load_id, layout, rows.count, rows.times)
    return dataclasses.replace(done, quarantined=rows.faults, repeats=rows.repeats)
