"""Copying: from the bytes of a landed file to rows of raw, every row accounted for."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from ingest.declaration import Dataset, Layout, Paged, Source, raw_columns, raw_table
from ingest.errors import Refusal, Wrong, printable
from ingest.landing import LandedFile
from ingest.raw import number_rows
from ingest.readers import month_columns, tables
from ingest.readers.corrections import Correction
from ingest.readers.faults import (
    HEADER,
    LONGEST,
    NEXT,
    NEXT_DAMAGED,
    THE_REST,
    Fault,
    Faults,
    FaultyFile,
    file_fault,
    next_step_for,
    shortened,
)
from ingest.readers.headers import Header
from ingest.readers.numbers import PATTERN
from ingest.readers.records import records_wrong
from ingest.readers.rows import KeysSeen, fields_for_raw, padded, row_faults, time_of
from ingest.readers.times import day_of, is_timed

if TYPE_CHECKING:
    from ingest.readers import delimited


QUARANTINED = 20_000  # faults of rows that are kept of a file that stands without them; of more it is refused


@dataclasses.dataclass(frozen=True)
class Copied:
    """What copying a file came to: its data rows that stand in raw now, the rows of raw they made, what was quarantined,
    the first and last time it is about, and by month (YYYY-MM; empty: all of it) the sum of its values, or its rows; and the
    numbers of the rows that repeat another and were left out."""

    rows: int
    raw_rows: int
    quarantined: list[Fault]
    first: dt.date | None
    last: dt.date | None
    totals: dict[str, float]
    repeats: Sequence[int] = ()

    @property
    def rows_quarantined(self) -> int:
        return len({(fault.sheet, fault.row) for fault in self.quarantined})


@dataclasses.dataclass(frozen=True)
class Contents:
    """A file whose header is as declared, ready to be copied. Where it is of months, they are known by now."""

    vintage: str | None
    first: dt.date | None
    last: dt.date | None
    drift: dict[str, list[str]]
    copy: Callable[[psycopg.Cursor, str, int], Copied]


def read(landed: LandedFile, dataset: Dataset, corrections: Sequence[Correction]) -> Contents:
    """Read the header of a landed file, and of a file of months all of it.

    Raises:
        FaultyFile: it is not what its declaration says.
    """
    if dataset.layout.month_columns:
        return _read_months(landed, dataset, corrections)
    return _read_rows(landed.path, dataset, corrections)


def _read_months(landed: LandedFile, dataset: Dataset, corrections: Sequence[Correction]) -> Contents:
    file = month_columns.read(landed.path, dataset.layout, corrections)
    if file.faults or not file.tables:
        next_step = next_step_for(file.faults)
        if any(fault.column == "header" for fault in file.faults):
            next_step += (
                f"; if a header of this very file is mistyped, confirm what it should be in ingest/sources/"
                f"{landed.provenance.source}/corrections.yml (sha256 {landed.provenance.sha256}) and land it again"
            )
        raise FaultyFile(file.faults, len(file.rows), next_step)
    first, last = _month(file.first_month), _month(file.last_month)

    def copy(cursor: psycopg.Cursor, table: str, load_id: int) -> Copied:
        are_together = dataset.layout.month_columns and dataset.layout.month_columns.cells == "together"
        cells = len(file.rows) if are_together else file.cells
        columns = [*raw_columns(dataset.layout), "_row_number", "_load_id"]
        blocks = month_columns.copy_text(file, dataset.layout, load_id)
        _copy(cursor, table, columns, blocks, expected=lambda: cells)
        return Copied(len(file.rows), cells, [], first, last, month_columns.totals(file))

    unknown = _unknown(table.header for table in file.tables)
    return Contents(file.vintage, first, last, {"new columns": unknown} if unknown else {}, copy)


def _unknown(headers: Iterable[Header]) -> list[str]:
    """The names nobody declared, each once, as they may stand in the ledger."""
    return list(dict.fromkeys(shortened(printable(name), LONGEST) for header in headers for name in header.unknown))


def _read_rows(path: Path, dataset: Dataset, corrections: Sequence[Correction]) -> Contents:
    layout = dataset.layout
    found, faults = tables.open_tables(path, layout, corrections)
    if faults:
        raise FaultyFile(faults, 0, next_step_for(faults))
    unknown = _unknown(table.header for table in found)
    # A workbook's sheets may share its columns between them: what any of them has, the file does not lack.
    absent = [c.name for c in layout.columns if all(c.name in table.header.absent for table in found)]
    new = "new columns by place" if layout.is_of_people else "new columns"
    drift = {kind: names for kind, names in ((new, unknown), ("missing columns", absent)) if names}
    # Here, because loading Arrow takes a third of the time in which a command starts, and most load no file.
    from ingest.readers import delimited

    start = delimited.read_header_line(path, layout) if not (found[0].sheet or corrections) else None
    if start is not None and start.header is not None and delimited.can_copy_bytes(start.header, layout):
        return Contents(None, None, None, drift, _copy_as_it_is(path, start, layout))
    return Contents(None, None, None, drift, _copy_row_by_row(path, layout, corrections))


def _copy_as_it_is(
    path: Path, start: delimited.HeaderLine, layout: Layout
) -> Callable[[psycopg.Cursor, str, int], Copied]:
    from ingest.readers import delimited

    def copy(cursor: psycopg.Cursor, table: str, load_id: int) -> Copied:
        assert start.header is not None  # noqa: S101 - the caller looked
        header = start.header
        columns = sorted(header.positions, key=lambda column: header.positions[column])
        validated = delimited.validate_in_background(path, start, layout)
        number_rows(cursor, table, load_id)
        with contextlib.suppress(psycopg.DataError), cursor.connection.transaction():
            _copy(
                cursor, table, columns, delimited.blocks(path, start, validated),
                expected=lambda: _rows_of(validated.result()), options="(format csv, null '\\N')",
            )  # fmt: skip
            done = validated.result()
            if done is not None and not _are_days(done.times, layout):
                raise psycopg.DataError("a row is about no day of the calendar")
            if done is not None:
                first, last, counts = _span(done.times, layout)
                totals = _sums(cursor, table, load_id, layout) if layout.value_column else counts
                return Copied(done.rows, done.rows, [], first, last, totals or {"": done.rows})
        if layout.bad_rows == "refuse":
            number, faults = tables.find_faults(path, layout)
            if faults:
                raise FaultyFile(faults, number, next_step_for(faults))
        return _copy_row_by_row(path, layout)(cursor, table, load_id)

    return copy


def _copy_row_by_row(
    path: Path, layout: Layout, corrections: Sequence[Correction] = ()
) -> Callable[[psycopg.Cursor, str, int], Copied]:
    def copy(cursor: psycopg.Cursor, table: str, load_id: int) -> Copied:
        count = bad_rows = 0
        # What is quarantined is kept whole, or the file refused; a file that is refused for its first bad row tells of some and counts the others.
        bad = Faults() if layout.bad_rows == "refuse" else Faults(kept=QUARANTINED)
        keep = bad.add
        times: Counter[str] = Counter()
        widths: set[int] = set()
        seen = KeysSeen(layout)
        found, _ = tables.open_tables(path, layout, corrections)

        def lines() -> Iterator[str]:
            nonlocal count, bad_rows
            for part in found:
                for number, row in part.rows:
                    if isinstance(row, list):
                        widths.add(len(row))
                    row = padded(row, part.header, layout)
                    left_out = len(seen.repeats)
                    faults = [row] if isinstance(row, Fault) else row_faults(number, row, part.header, layout)
                    if not faults and not isinstance(row, Fault):
                        faults = seen.repeats_earlier(number, row, part.header, part.sheet)
                    if faults or isinstance(row, Fault):
                        keep(dataclasses.replace(fault, sheet=part.sheet) for fault in faults)
                        bad_rows += 1
                        continue
                    if len(seen.repeats) > left_out:
                        continue
                    count += 1
                    if layout.period:
                        times[time_of(row, part.header, layout.period)] += 1
                    fields = fields_for_raw(row, part.header, part.sheet, layout)
                    yield "\t".join(map(month_columns.escaped, fields)) + f"\t{number}\t{load_id}\n"

        _copy(cursor, table, [*raw_columns(layout), "_row_number", "_load_id"], lines(), expected=lambda: count)
        if not tables.ends_with_line_end(path, layout):
            keep([file_fault("FILE_CUT_SHORT", "is cut short: its last row has no line end")])
        if layout.rows_may_be_short and len(widths) > 1:
            each = ", ".join(map(str, sorted(widths)))
            keep([file_fault("ROW_WIDTH_DIFFERS", f"has rows of different widths ({each} fields)")])
        # A row that is none can be left out; a file that breaks off there cannot: what follows was never counted.
        is_refused = (
            layout.bad_rows == "refuse" or bad.more or any(f.row == HEADER or f.column == THE_REST for f in bad)
        )
        if bad and (is_refused or bad_rows > layout.at_most_quarantined * (count + bad_rows)):
            # The file is refused whole: each of its rows is.
            raise FaultyFile(bad, count + bad_rows, next_step_for(bad))
        first, last, counts = _span(times, layout)
        totals = _sums(cursor, table, load_id, layout) if layout.value_column else counts
        return Copied(count, count, bad, first, last, totals or {"": count}, seen.repeats)

    return copy


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
            "ROWS_COPIED_DIFFER",
            f"{expected():,} rows were read and PostgreSQL took {cursor.rowcount:,}",
            where=f"raw.{table}",
            kept="its bytes are in landing; raw and the marts are as they were",
            next_step="report this with the file: the two readers of it disagree",
        )


def _rows_of(validated: delimited.Validated | None) -> int:
    if validated is None:
        raise psycopg.DataError("not validated")
    return validated.rows


def _sums(cursor: psycopg.Cursor, table: str, load_id: int, layout: Layout) -> dict[str, float]:
    """By month, the sum of the declared value column of a load; what is no number is left out."""
    assert layout.value_column is not None  # noqa: S101 - the caller looked
    value = sql.Identifier(layout.value_column)
    time = sql.Identifier(layout.period.column) if layout.period else sql.Literal("")
    rows = cursor.execute(
        sql.SQL(
            "select {time}, sum({value}::numeric)::float8 from raw.{table} where _load_id = %s and {value} ~ %s group by 1"
        ).format(time=time, value=value, table=sql.Identifier(table)),
        [load_id, f"^{PATTERN}$"],
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
        FaultyFile: naming a time that is written in none of the declared forms.
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
            fault = Fault(
                "TIME_INVALID", HEADER, layout.period.column, time, f"is no time as declared ({layout.period.forms})"
            )
            raise FaultyFile([fault], 0, NEXT)
        days.append(day)
        month = f"{day:%Y-%m}"
        totals[month] = totals.get(month, 0) + count
    return (min(days), max(days), totals) if days else (None, None, {})


def _are_days(times: Iterable[str], layout: Layout) -> bool:
    period = layout.period
    return period is None or all(day_of(time, period) for time in times if is_timed(time, period))


def _month(text: str) -> dt.date:
    return dt.date(int(text[:4]), int(text[4:]), 1)


def check_records(cursor: psycopg.Cursor, source: Source, name: str, layout: Layout, load_id: int) -> None:
    """See that an answer holds every record once, by what each record is about and, where records say so, their number and count.

    Raises:
        FaultyFile: records are missing or there twice, or their number changed between pages.
    """
    if layout.paged is None:
        return
    table = sql.Identifier("raw", raw_table(source.source, name))
    row = cursor.execute(
        sql.SQL(
            """select count(*), count(*) filter (where btrim({offset}) ~ '^[0-9]{{1,9}}$'), count(distinct {offset}),
                 array_agg(distinct btrim({count}))
               from {table} where _load_id = %s and btrim({count}) <> ''"""
        ).format(offset=sql.Identifier(layout.paged.offset), count=sql.Identifier(layout.paged.count), table=table),
        [load_id],
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate gives a row
    rows, numbered, distinct, totals = row
    wrong = records_wrong(rows, numbered, distinct, totals) if rows else None
    if wrong is None:
        _check_one_row_a_key(cursor, table, layout.paged, load_id)
        wrong = _lacks_combinations(cursor, table, layout.paged, load_id)
    if wrong:
        raise FaultyFile([file_fault(wrong.code, wrong.reason)], rows, NEXT_DAMAGED)


def _check_one_row_a_key(cursor: psycopg.Cursor, table: sql.Identifier, paged: Paged, load_id: int) -> None:
    """See that no two records are about the same.

    Raises:
        FaultyFile: naming the rows.
    """
    key = sql.SQL(", ").join(sql.Identifier(column) for columns in paged.dimensions for column in columns)
    again = cursor.execute(
        sql.SQL(
            """select array_agg(_row_number order by _row_number), concat_ws(' / ', {key}) from {table} where _load_id = %s
               group by {key} having count(*) > 1 order by min(_row_number)"""
        ).format(key=key, table=table),
        [load_id],
    ).fetchall()
    faults = [
        Fault("ROW_REPEATED", number, "the row", about, f"stands already in row {numbers[0]}")
        for numbers, about in again
        for number in numbers[1:]
    ]
    if faults:
        raise FaultyFile(faults, len(faults), NEXT_DAMAGED)


def _lacks_combinations(cursor: psycopg.Cursor, table: sql.Identifier, paged: Paged, load_id: int) -> Wrong | None:
    """That an answer does not have one record for each combination of what it is by."""
    # By its code, or where an answer has names alone by its name: which name goes with which code is the source's own check.
    sizes = [
        sql.SQL("count(distinct coalesce({}))").format(
            sql.SQL(", ").join(sql.SQL("nullif(btrim({}), '')").format(sql.Identifier(column)) for column in columns)
        )
        for columns in paged.dimensions
    ]
    row = cursor.execute(
        sql.SQL("select count(*), {} from {} where _load_id = %s").format(sql.SQL(", ").join(sizes), table), [load_id]
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate gives a row
    rows, *there = row
    if math.prod(there) == rows:
        return None
    by = " × ".join(f"{count} {columns[0]}" for count, columns in zip(there, paged.dimensions, strict=True))
    reason = (
        f"has {rows:,} records and not {math.prod(there):,}, one for each of {by}: some are missing or of another area"
    )
    return Wrong("ROWS_FEWER_THAN_STATED", reason)
