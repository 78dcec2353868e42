"""Files with a row per row of raw, read row by row: workbooks, and text that cannot go to COPY as it is.

A file goes this way when it is a workbook, has columns that raw does not take, lacks some that it may lack, or holds rows that are to be
quarantined. It is slower than `delimited`, and the rows that come out are the same.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import itertools
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import python_calamine

from ingest.corrections import Correction, corrected
from ingest.declaration import Layout, Period
from ingest.readers import bounds, code_lists, plausibility
from ingest.readers.check_digits import is_verhoeff
from ingest.readers.faults import HEADER, THE_FILE, THE_REST, Fault, Faults, file_fault, header_fault, some_of
from ingest.readers.headers import Header, resolve
from ingest.readers.numbers import wrong_with
from ingest.readers.text import SAVE_AS, UTF_8, ZIP, encoding_of, folded, not_delimited_text, separator_of
from ingest.readers.times import day_of, examples, is_timed
from ingest.readers.workbook import archive_faults, cell_text, content_faults, measure_sheets

VALUES_REMEMBERED = 10_000


@dataclasses.dataclass(frozen=True)
class Table:
    """One table of a file: the whole file, or a sheet of a workbook.

    Attributes:
        sheet: its sheet; empty where the file is no workbook.
        header: which column is which.
        rows: each data row, as published, with its number (1 is the first after the header); a Fault where it is no row.
    """

    sheet: str
    header: Header
    rows: Iterator[tuple[int, list[str] | Fault]]


def open_tables(file: Path, layout: Layout, corrections: Sequence[Correction] = ()) -> tuple[list[Table], list[Fault]]:
    """The tables of a file, and what is wrong with it as a whole or with its headers (then it is of no use).

    Args:
        corrections: the confirmed corrections of this very file's headers.
    """
    with file.open("rb") as handle:
        first = handle.read(512)
    foreign = not_delimited_text(first, may_be_workbook=layout.may_be_zip)
    if foreign:
        return [], [foreign]
    if first.startswith(ZIP):
        return _pages(file, layout) if layout.paged else _sheets(file, layout, corrections)
    if layout.sheets and layout.sheets.required:
        reason = f"is no workbook: which of {some_of(layout.sheets.required)} it is, only the name of a sheet could say"
        return [], [file_fault("NOT_THE_FILE", reason)]
    lines = _lines(file, layout)
    _, names = next(lines, (0, None))
    if not isinstance(names, list):
        return [], [names or file_fault("NOT_THE_FILE", "has no header")]
    if any(character < " " and character not in "\t\r\n" for name in names for character in name):
        return [], [
            file_fault("ENCODING_UNKNOWN", "is no text: its header holds NUL bytes or other control characters")
        ]
    names, uncorrected = corrected(names, "", corrections)
    header, faults = resolve(names, layout)
    return [Table("", header, lines)], [*uncorrected, *faults]


def _lines(file: Path, layout: Layout) -> Iterator[tuple[int, list[str] | Fault]]:
    """The lines of delimited text, the header as number 0."""
    with file.open("rb") as handle:
        encoding = encoding_of(handle.read(4))
    # A byte that is not UTF-8 is a fault of its row; where one of UTF-16 is, nobody can say how many follow.
    errors = "surrogateescape" if encoding == UTF_8 else "strict"
    with file.open(encoding=encoding, newline="", errors=errors) as handle:
        separator = separator_of(handle.readline(bounds.LINE), layout.every_header)
        handle.seek(0)
        reader = bounds.rows_of(handle, separator)
        for number in itertools.count():
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, Fault("FILE_DAMAGED", number, THE_REST, None, f"is not valid CSV: {error}")
                return
            except UnicodeDecodeError:
                yield number, Fault("ENCODING_UNKNOWN", number, THE_REST, None, "is not UTF-16")
                return
            if row:
                yield number, row


def _pages(file: Path, layout: Layout) -> tuple[list[Table], list[Fault]]:
    """The pages of one answer as one table, its rows numbered through; each page has the header of the first."""
    try:
        members = bounds.members_of(file)
        with zipfile.ZipFile(file) as archive:
            if any(member.filename == "xl/workbook.xml" for member in members):
                return [], [file_fault("NOT_THE_FILE", f"is a workbook: {SAVE_AS}, and land that")]
            if any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 or m.is_dir() for m in members):
                return [], [file_fault("NOT_THE_FILE", "is a zip archive, but not one of pages stored as they came")]
            if sum(m.compress_size for m in members) > file.stat().st_size:
                return [], [file_fault("ARCHIVE_UNSAFE", "is a zip archive whose pages lie in one another")]
            lines_of = {}
            for member in members:
                with archive.open(member) as page:
                    lines_of[member.filename] = page.readline(bounds.LINE)
            wrong = [name for name, line in lines_of.items() if not_delimited_text(line) or encoding_of(line) != UTF_8]
            headers = {line.rstrip(b"\n") for line in lines_of.values()}
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        return [], [file_fault("ARCHIVE_DAMAGED", f"is no zip archive that can be read: {error}")]
    if wrong:
        return [], [file_fault("NOT_THE_FILE", f"holds pages that are no delimited text: {some_of(wrong)}")]
    if len(headers) != 1:
        return [], [header_fault("FILE_DAMAGED", f"is not the same on all {len(members)} pages")]

    def rows() -> Iterator[tuple[int, list[str] | Fault]]:
        number = 0
        with zipfile.ZipFile(file) as archive:
            for index, member in enumerate(members):
                with io.TextIOWrapper(
                    archive.open(member), encoding="utf-8-sig", newline="", errors="surrogateescape"
                ) as page:
                    reader = bounds.rows_of(page)
                    for line in itertools.count():
                        try:
                            row = next(reader)
                        except StopIteration:
                            break
                        except csv.Error as error:
                            yield (
                                number + 1,
                                Fault("FILE_DAMAGED", number + 1, THE_REST, None, f"is not valid CSV: {error}"),
                            )
                            return
                        if row and (line or not index):
                            yield number, row
                            number += 1

    lines = rows()
    _, names = next(lines, (0, None))
    if not isinstance(names, list):
        return [], [names or file_fault("NOT_THE_FILE", "has no page with a header")]
    header, faults = resolve(names, layout)
    return [Table("", header, lines)], faults


def _sheets(file: Path, layout: Layout, corrections: Sequence[Correction]) -> tuple[list[Table], list[Fault]]:
    assert layout.sheets is not None  # noqa: S101 - not_delimited_text let a workbook through
    is_wanted = re.compile(layout.sheets.name_pattern).fullmatch
    # Before anything unpacks it.
    faults = archive_faults(file)
    extents, faults = ({}, faults) if faults else measure_sheets(file, is_wanted)
    if faults:
        return [], faults
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(file)
    except (python_calamine.CalamineError, OSError) as error:
        return [], [file_fault("ARCHIVE_DAMAGED", f"is no workbook that can be read: {error}")]
    wanted = [name for name in workbook.sheet_names if is_wanted(name)]
    if layout.sheets.is_one and len(wanted) > 1:
        reason = (
            f"has {len(wanted)} sheets, and which of them is the table nobody can say: {some_of(wanted)}; {SAVE_AS}"
        )
        return [], [file_fault("SHEET_UNKNOWN", reason)]
    if not wanted:
        there = some_of(workbook.sheet_names)
        return [], [file_fault("SHEET_MISSING", f"has no sheet named {layout.sheets.name_pattern}; it has {there}")]
    faults = content_faults(file, extents, layout.sheets.header_row, sums_are_data=layout.sheets.sums_are_data)
    faults += [
        file_fault("SHEET_MISSING", f"has no sheet {name!r}; it has {some_of(workbook.sheet_names)}")
        for name in layout.sheets.required
        if name not in wanted
    ]
    if layout.sheets.others_are_unknown:
        faults += [
            Fault("SHEET_UNKNOWN", HEADER, f"sheet {name}", None, "is not one that we know: nobody said what it counts")
            for name in wanted
            if name not in layout.sheets.required
        ]
    tables = []
    for name in wanted:
        sheet = workbook.get_sheet_by_name(name)
        rows = ([cell_text(cell) for cell in row] for row in sheet.iter_rows())
        above = (sheet.start or (0, 0))[0]  # rows above the first that holds anything are not given
        names = next(itertools.islice(rows, layout.sheets.header_row - 1 - above, None), None)
        if names is None:
            faults.append(
                Fault(
                    "NOT_THE_FILE", HEADER, f"sheet {name}", None, f"has no row {layout.sheets.header_row}, its header"
                )
            )
            continue
        names, uncorrected = corrected(_without_empty_end(names), name, corrections)
        header, wrong = resolve(names, layout)
        faults += [dataclasses.replace(fault, sheet=name) for fault in [*uncorrected, *wrong]]
        tables.append(Table("" if layout.sheets.is_one else name, header, _numbered(rows, header.width)))
    return tables, faults


def _numbered(rows: Iterator[list[str]], width: int) -> Iterator[tuple[int, list[str] | Fault]]:
    """The rows of a sheet that hold anything, each with its number, as wide as the header; wider where there is more."""
    for number, row in enumerate(rows, start=1):
        if any(row):
            yield number, [*row[:width], *_without_empty_end(row[width:])]


def _without_empty_end(names: Sequence[str]) -> list[str]:
    """A header without the empty cells that a spreadsheet leaves at its end."""
    last = max((index for index, name in enumerate(names) if name.strip()), default=-1)
    return list(names[: last + 1])


def find_faults(file: Path, layout: Layout) -> tuple[int, Faults]:
    """Read a file that was not vouched for row by row, and say what is wrong.

    Returns:
        How many data rows there are, and their faults. None where only Arrow would not take it: blank lines, a cell larger than
        Arrow's block.
    """
    tables, of_header = open_tables(file, layout)
    faults = Faults(of_header)
    number, seen = 0, KeysSeen(layout)
    for table in tables:
        for number, row in table.rows:
            wrong = [row] if isinstance(row, Fault) else row_faults(number, row, table.header, layout)
            faults.add(
                wrong
                or ([] if isinstance(row, Fault) else seen.repeats_earlier(number, row, table.header, table.sheet))
            )
    if not ends_with_line_end(file, layout):
        faults.append(Fault("FILE_CUT_SHORT", number, THE_FILE, None, "is cut short: its last row has no line end"))
    return number, faults


def ends_with_line_end(file: Path, layout: Layout) -> bool:
    """Whether delimited text ends with a line end, where it must; a workbook, which has none, is whole where it can be opened."""
    if layout.last_line_may_be_open:
        return True
    with file.open("rb") as handle:
        first = handle.read(len(ZIP))
        if first == ZIP:
            return True
        if encoding_of(first) != UTF_8:
            handle.seek(-2, io.SEEK_END)
            return handle.read(2).strip(b"\0") in {b"\n", b"\r"}
        handle.seek(-1, io.SEEK_END)
        return handle.read(1) in {b"\n", b"\r"}


class KeysSeen:
    """The rows of a file that came already, by the columns that are declared to be unique together: those of them that it has."""

    def __init__(self, layout: Layout) -> None:
        self.repeats: list[int] = []  # numbers of the rows that are left out, as the layout says
        self._leaves_out = layout.repeats == "leave_out"
        self._columns = layout.unique
        self._is_of_people = layout.is_of_people
        # Of a row its number and its hash, of its key a digest: the longest file has most of a million rows.
        self._first: dict[bytes, tuple[int, int]] = {}
        self._folded: dict[str, str] = {}

    def repeats_earlier(self, number: int, row: list[str], header: Header, sheet: str = "") -> list[Fault]:
        """The fault of a row whose key stands in the file already, with the same row or another; notes every other.

        A row that is left out because it repeats another is no fault, and the newest of `repeats`.
        """
        columns = [column for column in self._columns if column in header.positions]
        if not columns:
            return []
        key = tuple(row[header.positions[column]] for column in columns)
        this = hash(tuple(row))
        first, that = self._first.setdefault(self._digest((sheet, *key)), (number, this))
        if first == number:
            return []
        if this == that and self._leaves_out:
            self.repeats.append(number)
            return []
        reason = (
            f"stands already in row {first}"
            if this == that
            else f"stands already in row {first}, and says something else there"
        )
        return [Fault("ROW_REPEATED", number, "the row", None if self._is_of_people else " / ".join(key), reason)]

    def has(self, key: tuple[str, ...]) -> bool:
        """Whether a row with these values of the columns came already; notes it where none did."""
        before = len(self._first)
        self._first.setdefault(self._digest(("", *key)), (before, 0))
        return len(self._first) == before

    def _digest(self, key: tuple[str, ...]) -> bytes:
        known = self._folded
        text = "\0".join([known.get(value) or self._fold(value) for value in key])
        return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=16).digest()

    def _fold(self, value: str) -> str:
        """A value folded, and remembered: most stand in many rows."""
        found = folded(value)
        if len(self._folded) < VALUES_REMEMBERED:
            self._folded[value] = found
        return found


def padded(row: list[str] | Fault, header: Header, layout: Layout) -> list[str] | Fault:
    """A row that lacks fields at its end, with blanks in their place, where the layout says that this happens."""
    if isinstance(row, Fault) or not layout.rows_may_be_short:
        return row
    return [*row, *[""] * (header.width - len(row))]


def fields_for_raw(row: list[str], table: Table, layout: Layout) -> list[str]:
    """The fields of a row that raw takes, in the order of `raw_columns`; blank where the file lacks the column."""
    positions = table.header.positions
    fields = [row[positions[column.name]] if column.name in positions else "" for column in layout.kept_columns]
    return [*fields, table.sheet] if layout.has_sheet_column else fields


def time_columns(header: Header, period: Period) -> Sequence[str]:
    """The columns by which a file says which time a row is about."""
    return [period.column] if period.column in header.positions else period.else_columns


def time_of(row: Sequence[str], header: Header, period: Period) -> str:
    """Which time a row is about, as published; of several columns, with a space between."""
    return " ".join(row[header.positions[column]] for column in time_columns(header, period))


def row_faults(number: int, row: list[str], header: Header, layout: Layout) -> list[Fault]:
    """What is wrong with one row, its codes included."""
    if len(row) != header.width:
        return [
            Fault(
                "ROW_WIDTH_DIFFERS",
                number,
                "the row",
                None,
                f"has {len(row)} fields where the header has {header.width}",
            )
        ]
    faults = []
    for column in layout.columns:
        if column.name not in header.positions:
            continue
        value = row[header.positions[column.name]]
        shown = layout.shown(column, value)
        if "\0" in value or any("\udc80" <= character <= "\udcff" for character in value):
            faults.append(
                Fault(
                    "ENCODING_UNKNOWN",
                    number,
                    header.published[column.name],
                    None,
                    "is not UTF-8 text, or holds a NUL byte",
                )
            )
        elif not value:
            if column.blank_only_where:
                others = {
                    name: row[header.positions[name]] for name in column.blank_only_where if name in header.positions
                }
                if not any(others.get(name) in values for name, values in column.blank_only_where.items()):
                    there = ", ".join(
                        header.published[name] if layout.is_of_people else f"{header.published[name]} is {found!r}"
                        for name, found in others.items()
                    )
                    faults.append(
                        Fault("VALUE_BLANK", number, header.published[column.name], shown, f"is blank where {there}")
                    )
            elif not column.may_be_blank:
                faults.append(Fault("VALUE_BLANK", number, header.published[column.name], shown, "is blank"))
        elif column.pattern and not re.fullmatch(column.pattern, value, re.ASCII):
            expected = f"is not {column.pattern_is}" if column.pattern_is else f"does not match {column.pattern}"
            faults.append(Fault("VALUE_MALFORMED", number, header.published[column.name], shown, expected))
        elif column.number and (wrong := wrong_with(value, column.number)):
            faults.append(Fault(wrong.code, number, header.published[column.name], shown, wrong.reason))
        elif column.check_digit and not is_verhoeff(value):
            reason = "is no number that was issued: its check digit is wrong"
            faults.append(Fault("VALUE_MALFORMED", number, header.published[column.name], shown, reason))
    if layout.period and not faults:
        value = time_of(row, header, layout.period)
        if is_timed(value, layout.period) and day_of(value, layout.period) is None:
            columns = [c for c in layout.columns if c.name in time_columns(header, layout.period)]
            is_told = all(layout.shown(c, row[header.positions[c.name]]) is not None for c in columns)
            place = " and ".join(header.published[c.name] for c in columns)
            reason = f"is no day of the calendar, written as {examples(layout.period)}"
            faults.append(Fault("TIME_INVALID", number, place, value if is_told else None, reason))
    if not faults:
        faults = code_lists.row_faults(number, row, header, layout)
    if not faults and plausibility.has_rules(layout):
        faults = plausibility.row_faults(number, row, header, layout)
    return faults
