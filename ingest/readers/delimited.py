"""Files with a row per row of raw: the bytes go to COPY as they are, while a second reader vouches for every row of them.

PostgreSQL's COPY swallows what it should not (a byte order mark, a last line cut short, and before version 18 everything after a
line `\\.`), so the file is parsed at the same time by Arrow, on the other core, and both must have seen the same rows.
"""

from __future__ import annotations

import concurrent.futures
import csv
import dataclasses
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from ingest.declaration import Layout
from ingest.readers.faults import HEADER, THE_FILE, Fault
from ingest.readers.headers import Header, resolve
from ingest.readers.text import foreign_body

BLOCK = 512 * 1024  # bytes
FAULTS_KEPT = 1000


@dataclasses.dataclass(frozen=True)
class Start:
    """The beginning of a file: its header, how many bytes that takes, and what is wrong with it."""

    header: Header | None
    bytes: int
    faults: list[Fault]


def read_start(file: Path, layout: Layout) -> Start:
    """Read and resolve the first line of a file."""
    with file.open("rb") as handle:
        first = handle.read(64 * 1024)
    foreign = foreign_body(first[:512])
    if foreign:
        return Start(None, 0, [foreign])
    end = first.find(b"\n") + 1
    if not end:
        return Start(None, 0, [Fault(HEADER, THE_FILE, None, "has no line end in its first 64 KiB")])
    try:
        line = first[:end].decode("utf-8-sig")
    except UnicodeDecodeError:
        return Start(None, 0, [Fault(HEADER, THE_FILE, None, "is not UTF-8 (in its header)")])
    header, faults = resolve(next(csv.reader(io.StringIO(line, newline=""))), layout)
    return Start(header, end, faults)


def is_clean(file: Path, start: Start, layout: Layout) -> int | None:
    """Vouch for every row of a file: as wide as the header, UTF-8, no NUL, whole to the end, each column as declared.

    Args:
        file: the landed file.
        start: its faultless start.

    Returns:
        How many data rows it has; None where some row is not clean (`explain` says which and why).
    """
    assert start.header is not None  # noqa: S101 - a faultless start has one
    names = [f"c{i}" for i in range(start.header.width)]
    checks = [
        (start.header.positions[column.name], column.pattern, column.may_be_blank)
        for column in layout.columns
        if column.pattern or not column.may_be_blank
    ]
    if not _ends_whole(file):
        return None
    rows = 0
    try:
        with pa.OSFile(str(file)) as source:
            source.seek(start.bytes)
            reader = pyarrow.csv.open_csv(
                source,
                read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK, use_threads=False),
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                # Only what is looked into becomes columns; whether text is UTF-8 without NUL, COPY says.
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=[names[position] for position, _, _ in checks] or names[:1],
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
            for batch in reader:
                rows += batch.num_rows
                for column, (_, pattern, may_be_blank) in zip(batch.columns, checks, strict=False):
                    if not _column_is_clean(column, pattern, may_be_blank):
                        return None
    except (pa.ArrowInvalid, StopIteration):
        return None
    return rows


def _column_is_clean(column: pa.StringArray, pattern: str | None, may_be_blank: bool) -> bool:
    is_right = pc.match_substring_regex(column, f"^(?:{pattern})$") if pattern else pc.not_equal(column, "")
    if may_be_blank:
        is_right = pc.or_(is_right, pc.equal(column, ""))
    return bool(pc.all(is_right).as_py() is not False)


def _ends_whole(file: Path) -> bool:
    with file.open("rb") as handle:
        handle.seek(-1, io.SEEK_END)
        return handle.read(1) == b"\n"


def blocks(file: Path, start: Start) -> Iterator[bytes]:
    """The bytes of a file after its header, in blocks."""
    with file.open("rb") as handle:
        handle.seek(start.bytes)
        while block := handle.read(BLOCK):
            yield block


def vouch(file: Path, start: Start, layout: Layout) -> concurrent.futures.Future[int | None]:
    """`is_clean`, on another thread: Arrow lets go of the interpreter, so COPY is fed meanwhile."""
    pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="vouch")
    try:
        return pool.submit(is_clean, file, start, layout)
    finally:
        pool.shutdown(wait=False)


def explain(file: Path, start: Start, layout: Layout) -> tuple[int, list[Fault]]:
    """Read a file that is not clean row by row, and say what is wrong.

    Returns:
        How many data rows there are, and their faults (at most 1,000; one a row and column).
    """
    assert start.header is not None  # noqa: S101
    faults: list[Fault] = []
    number = 0
    for number, row in rows(file, start):
        if isinstance(row, Fault):
            faults.append(row)
        else:
            faults += row_faults(number, row, start.header, layout)
        if len(faults) >= FAULTS_KEPT:
            break
    if not _ends_whole(file):
        faults.append(Fault(number, THE_FILE, None, "is cut short: its last row has no line end"))
    if not faults:
        faults.append(Fault(HEADER, THE_FILE, None, "is read differently by Arrow, PostgreSQL and Python: report it"))
    return number, faults


def rows(file: Path, start: Start) -> Iterator[tuple[int, list[str] | Fault]]:
    """Each data row with its number; a Fault where the bytes are no row."""
    number = 0
    with file.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as handle:
        reader = csv.reader(handle, strict=True)
        next(reader)
        while True:
            number += 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, Fault(number, "the row", None, f"is not valid CSV: {error}")
                return
            yield number, row


def row_faults(number: int, row: list[str], header: Header, layout: Layout) -> list[Fault]:
    """What is wrong with one row."""
    if len(row) != header.width:
        return [Fault(number, "the row", None, f"has {len(row)} fields where the header has {header.width}")]
    faults = []
    for column in layout.columns:
        value = row[header.positions[column.name]]
        shown = None if column.is_personal else value
        if "\0" in value or any("\udc80" <= character <= "\udcff" for character in value):
            faults.append(Fault(number, header.published[column.name], None, "is not UTF-8 text"))
        elif not value:
            if not column.may_be_blank:
                faults.append(Fault(number, header.published[column.name], shown, "is blank"))
        elif column.pattern and not re.fullmatch(column.pattern, value, re.ASCII):
            faults.append(Fault(number, header.published[column.name], shown, f"does not match {column.pattern}"))
    return faults
