"""Files with a row per row of raw: the bytes go to COPY as they are, while a second reader vouches for every row of them.

PostgreSQL's COPY swallows what it should not (a byte order mark, a last line cut short, and before version 18 everything after a
line `\\.`), so the file is parsed at the same time by Arrow, on the other core, and both must have seen the same rows.
Where a file cannot go this way, or is not clean, `tables` reads it.
"""

from __future__ import annotations

import concurrent.futures
import csv
import dataclasses
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from ingest.declaration import Layout, Number
from ingest.readers import bounds, code_lists
from ingest.readers.check_digits import is_verhoeff
from ingest.readers.headers import Header, resolve
from ingest.readers.numbers import LARGEST
from ingest.readers.rows import KeysSeen
from ingest.readers.tables import ends_with_line_end
from ingest.readers.text import UTF_8, encoding_of, separator_of

BLOCK = 512 * 1024  # bytes


def can_copy_bytes(header: Header, layout: Layout) -> bool:
    """Whether a file's bytes can go to COPY as they are: raw takes every column it has, and it has every one it may not lack."""
    kept = {column.name for column in layout.kept_columns}
    may_lack = {column.name for column in layout.columns if column.may_be_missing}
    return (
        not header.unknown
        and kept - may_lack <= header.positions.keys() <= kept
        and not (layout.rows_may_be_short or (layout.period and layout.period.column not in header.positions))
    )


def rows_begin_at(file: Path, header: Header, layout: Layout) -> int | None:
    """The byte at which the rows of delimited text begin; None where COPY and Arrow would not read the file as we do."""
    with file.open("rb") as handle:
        first = handle.read(64 * 1024)
    end = first.find(b"\n") + 1
    line = first[:end].decode("utf-8-sig", "replace")
    reads_the_same = (
        end > 0
        and encoding_of(first) == UTF_8
        and separator_of(line, layout.every_header) == ","
        and resolve(next(csv.reader(io.StringIO(line, newline="")), []), layout)[0] == header
        and not bounds.has_long_line(file)
    )
    return end if reads_the_same else None


@dataclasses.dataclass(frozen=True)
class Validated:
    """What a clean file holds: how many data rows, and how many about which time (as published)."""

    rows: int
    times: Mapping[str, int]


def validate(file: Path, header: Header, start: int, layout: Layout) -> Validated | None:
    """Vouch for every row of a file: as wide as the header, whole to the end, each column and code as declared.

    Args:
        file: the landed file.
        header: its header; of a file whose bytes can be copied.
        start: the byte at which its rows begin.

    Returns:
        What it holds; None where some row is not clean (`rows` says which and why).
    """
    names = [f"c{i}" for i in range(header.width)]
    positions = header.positions
    checks = [
        (positions[column.name], column.pattern, not column.is_never_blank)
        for column in layout.columns
        if column.name in positions and (column.pattern or column.is_never_blank)
    ]
    numbers = [names[positions[c.name]] for c in layout.columns if c.check_digit and c.name in positions]
    figures = [(names[positions[c.name]], c.number) for c in layout.columns if c.number and c.name in positions]
    blanks = [
        (
            names[positions[column.name]],
            [
                (names[positions[other]], values)
                for other, values in column.blank_only_where.items()
                if other in positions
            ],
        )
        for column in layout.columns
        if column.blank_only_where and column.name in positions
    ]
    lists = [
        (code_list, [names[positions[column]] for column in code_lists.columns_of(code_list)])
        for code_list in layout.code_lists
        if code_lists.applies_to(code_list, header)
    ]
    looked_into = {names[position] for position, _, _ in checks} | {name for _, columns in lists for name in columns}
    looked_into |= {name for name, _ in figures}
    looked_into |= {name for column, others in blanks for name in (column, *(other for other, _ in others))}
    timed_by = names[positions[layout.period.column]] if layout.period else None
    if timed_by:
        looked_into.add(timed_by)
    unique = [names[positions[column]] for column in layout.unique if column in positions]
    looked_into.update(unique)
    if not ends_with_line_end(file, layout):
        return None
    rows, seen = 0, KeysSeen(layout)
    codes: dict[int, set[tuple[str, ...]]] = {index: set() for index in range(len(lists))}
    times: Counter[str] = Counter()
    try:
        with pa.OSFile(str(file)) as source:
            source.seek(start)
            reader = pyarrow.csv.open_csv(
                source,
                read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK, use_threads=False),
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                # Only what is looked into becomes columns; whether text is UTF-8 without NUL, COPY says.
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=sorted(looked_into, key=names.index) or names[:1],
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
            for batch in reader:
                rows += batch.num_rows
                if rows >= bounds.LINES:
                    return None
                for position, pattern, may_be_blank in checks:
                    if not _column_is_clean(batch.column(names[position]), pattern, may_be_blank):
                        return None
                if not all(all(map(is_verhoeff, pc.unique(batch.column(name)).to_pylist())) for name in numbers):
                    return None
                if not all(_numbers_are_right(batch.column(name), number) for name, number in figures):
                    return None
                if not all(_blanks_are_allowed(batch, column, others) for column, others in blanks):
                    return None
                for index, (_, columns) in enumerate(lists):
                    codes[index].update(_combinations(batch, columns))
                if unique:
                    keys = zip(*(batch.column(name).to_pylist() for name in unique), strict=True)
                    if any(seen.has(key) for key in keys):
                        return None
                if timed_by:
                    counted = pc.value_counts(batch.column(timed_by))
                    times.update(dict(zip(*(part.to_pylist() for part in counted.flatten()), strict=True)))
    except (pa.ArrowInvalid, StopIteration, UnicodeDecodeError):
        return None
    if any(code_lists.unlisted(code_list, codes[index], layout) for index, (code_list, _) in enumerate(lists)):
        return None
    return Validated(rows, times)


def _combinations(batch: pa.RecordBatch, columns: list[str]) -> set[tuple[str, ...]]:
    """Each combination of values that some columns hold together."""
    if len(columns) == 1:
        return {(value,) for value in pc.unique(batch.column(columns[0])).to_pylist()}
    found = pa.Table.from_batches([batch]).group_by(columns).aggregate([])
    return set(zip(*(found.column(name).to_pylist() for name in columns), strict=True))


def _blanks_are_allowed(batch: pa.RecordBatch, column: str, others: list[tuple[str, tuple[str, ...]]]) -> bool:
    """Whether each row that is blank in a column has one of the values that allow it in one of the others."""
    blank = batch.filter(pc.equal(batch.column(column), ""))
    allowed = pa.array([False] * blank.num_rows, pa.bool_())
    for other, values in others:
        allowed = pc.or_(allowed, pc.is_in(blank.column(other), value_set=pa.array(values, pa.string())))
    return bool(pc.all(allowed).as_py() is not False)


def _column_is_clean(column: pa.StringArray, pattern: str | None, may_be_blank: bool) -> bool:
    is_right = pc.match_substring_regex(column, f"^(?:{pattern})$") if pattern else pc.not_equal(column, "")
    if may_be_blank:
        is_right = pc.or_(is_right, pc.equal(column, ""))
    return bool(pc.all(is_right).as_py() is not False)


def _numbers_are_right(column: pa.StringArray, declared: Number) -> bool:
    """Whether every value of a column that is not blank is a number as declared; what Arrow reads otherwise than we do is not."""
    try:
        found = pc.cast(pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column), pa.float64())
    except pa.ArrowInvalid:
        return False
    least, most = pc.min_max(found).values()
    if not least.is_valid:
        return True
    lowest = 1 - LARGEST if declared.at_least is None else declared.at_least
    highest = LARGEST - 1 if declared.at_most is None else declared.at_most
    in_range = lowest <= least.as_py() and most.as_py() <= highest
    # Of NaN and infinity neither is below a bound.
    is_finite = bool(pc.all(pc.is_finite(found)).as_py())
    is_whole = not declared.is_whole or bool(pc.all(pc.equal(pc.floor(found), found)).as_py())
    return in_range and is_finite and is_whole


def blocks(
    file: Path, start: int, validated: concurrent.futures.Future[Validated | None] | None = None
) -> Iterator[bytes]:
    """The bytes of a file after its header, in blocks; no more of them once nobody vouches for the file.

    PostgreSQL would take to the last byte a row that an open quotation mark has made of the whole file.
    """
    with file.open("rb") as handle:
        handle.seek(start)
        while block := handle.read(BLOCK):
            if validated is not None and validated.done() and validated.result() is None:
                return
            yield block


def validate_in_background(
    file: Path, header: Header, start: int, layout: Layout
) -> concurrent.futures.Future[Validated | None]:
    """`validate`, on another thread: Arrow lets go of the interpreter, so COPY is fed meanwhile."""
    pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="validate")
    try:
        return pool.submit(validate, file, header, start, layout)
    finally:
        pool.shutdown(wait=False)
