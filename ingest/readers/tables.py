"""Files with a row per row of raw, read row by row: workbooks, and text that cannot go to COPY as it is.

A file goes this way when it is a workbook, has columns that raw does not take, lacks some that it may lack, or holds rows that are to be
quarantined. It is slower than `delimited`, and the rows that come out are the same.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import python_calamine

from ingest.declaration import Layout
from ingest.readers import bounds
from ingest.readers.corrections import Correction, corrected
from ingest.readers.faults import HEADER, THE_REST, Fault, FaultyFile, file_fault, header_fault, some_of
from ingest.readers.headers import Header, resolve
from ingest.readers.text import SAVE_AS, UTF_8, ZIP, encoding_of, not_delimited_text, separator_of
from ingest.readers.workbook import cell_text, content_faults
from ingest.readers.workbook_size import archive_faults, measure_sheets


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


def open_tables(file: Path, layout: Layout, corrections: Sequence[Correction] = ()) -> list[Table]:
    """The tables of a file, their headers as declared and their rows still to be read.

    Args:
        corrections: the confirmed corrections of this very file's headers.

    Raises:
        FaultyFile: it is no file of this kind, or its headers are not as declared.
    """
    with file.open("rb") as handle:
        first = handle.read(512)
    foreign = not_delimited_text(first, may_be_workbook=layout.may_be_zip)
    if foreign:
        raise FaultyFile([foreign])
    if not first.startswith(ZIP):
        tables = _text(file, layout, corrections)
    elif layout.in_pages:
        tables = _pages(file, layout)
    else:
        tables = _sheets(file, layout, corrections)
    return tables


def _text(file: Path, layout: Layout, corrections: Sequence[Correction]) -> list[Table]:
    """The one table of delimited text."""
    if layout.sheets and layout.sheets.required:
        reason = (
            f"is not a workbook, and only the name of a sheet says which of {some_of(layout.sheets.required)} it is"
        )
        raise FaultyFile([file_fault("NOT_THE_FILE", reason)])
    lines = _lines(file, layout)
    _, names = next(lines, (0, None))
    if not isinstance(names, list):
        raise FaultyFile([names or file_fault("NOT_THE_FILE", "has no header")])
    if any(character < " " and character not in "\t\r\n" for name in names for character in name):
        raise FaultyFile(
            [file_fault("ENCODING_UNKNOWN", "is not text: its header holds NUL bytes or other control characters")]
        )
    names, uncorrected = corrected(names, "", corrections)
    header, faults = resolve(names, layout)
    _refuse([*uncorrected, *faults])
    return [Table("", header, lines)]


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise FaultyFile(faults)


def _lines(file: Path, layout: Layout) -> Iterator[tuple[int, list[str] | Fault]]:
    """The lines of delimited text, the header as number 0."""
    with file.open("rb") as handle:
        encoding = encoding_of(handle.read(4))
    # A byte that is not UTF-8 is a fault of its row; where one of UTF-16 is, nobody can say how many follow.
    errors = "surrogateescape" if encoding == UTF_8 else "strict"
    with file.open(encoding=encoding, newline="", errors=errors) as handle:
        try:
            separator = separator_of(handle.readline(bounds.LINE), layout.every_header)
        except UnicodeDecodeError:
            yield 0, file_fault("ENCODING_UNKNOWN", "is not UTF-16")
            return
        handle.seek(0)
        reader = bounds.rows_of(handle, separator)
        number = -1
        try:
            for number, row in enumerate(reader):
                if row:
                    yield number, row
        except csv.Error as error:
            yield number + 1, Fault("FILE_DAMAGED", number + 1, THE_REST, None, f"is not valid CSV: {error}")
        except UnicodeDecodeError:
            yield number + 1, Fault("ENCODING_UNKNOWN", number + 1, THE_REST, None, "is not UTF-16")


def _pages(file: Path, layout: Layout) -> list[Table]:
    """The pages of one answer as one table, its rows numbered through; each page has the header of the first."""
    try:
        members = bounds.members_of(file)
        with zipfile.ZipFile(file) as archive:
            if any(member.filename == "xl/workbook.xml" for member in members):
                raise FaultyFile([file_fault("NOT_THE_FILE", f"is a workbook: {SAVE_AS}, and land that")])
            if any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 or m.is_dir() for m in members):
                raise FaultyFile(
                    [file_fault("NOT_THE_FILE", "is a zip archive, but not one of pages stored as they came")]
                )
            if sum(m.compress_size for m in members) > file.stat().st_size:
                raise FaultyFile([file_fault("ARCHIVE_UNSAFE", "is a zip archive whose pages lie in one another")])
            lines_of = {}
            for member in members:
                with archive.open(member) as page:
                    lines_of[member.filename] = page.readline(bounds.LINE)
            wrong = [name for name, line in lines_of.items() if not_delimited_text(line) or encoding_of(line) != UTF_8]
            headers = {line.rstrip(b"\n") for line in lines_of.values()}
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise FaultyFile([file_fault("ARCHIVE_DAMAGED", f"is not a readable zip archive: {error}")]) from None
    if wrong:
        raise FaultyFile([file_fault("NOT_THE_FILE", f"holds pages that are not delimited text: {some_of(wrong)}")])
    if len(headers) != 1:
        raise FaultyFile([header_fault("FILE_DAMAGED", f"is not the same on all {len(members)} pages")])

    def rows() -> Iterator[tuple[int, list[str] | Fault]]:
        number = 0
        with zipfile.ZipFile(file) as archive:
            for index, member in enumerate(members):
                with io.TextIOWrapper(
                    archive.open(member), encoding="utf-8-sig", newline="", errors="surrogateescape"
                ) as page:
                    reader = bounds.rows_of(page)
                    try:
                        for line, row in enumerate(reader):
                            if row and (line or not index):
                                yield number, row
                                number += 1
                    except csv.Error as error:
                        reason = f"is not valid CSV: {error}"
                        yield number + 1, Fault("FILE_DAMAGED", number + 1, THE_REST, None, reason)
                        return

    lines = rows()
    _, names = next(lines, (0, None))
    if not isinstance(names, list):
        raise FaultyFile([names or file_fault("NOT_THE_FILE", "has no page with a header")])
    header, faults = resolve(names, layout)
    _refuse(faults)
    return [Table("", header, lines)]


def _sheets(file: Path, layout: Layout, corrections: Sequence[Correction]) -> list[Table]:
    assert layout.sheets is not None  # noqa: S101 - not_delimited_text let a workbook through
    is_wanted = re.compile(layout.sheets.name_pattern).fullmatch
    # Before anything unpacks it.
    faults = archive_faults(file)
    extents, faults = ({}, faults) if faults else measure_sheets(file, is_wanted)
    _refuse(faults)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(file)
    except (python_calamine.CalamineError, OSError) as error:
        raise FaultyFile([file_fault("ARCHIVE_DAMAGED", f"is not a readable workbook: {error}")]) from None
    wanted = [name for name in workbook.sheet_names if is_wanted(name)]
    if layout.sheets.is_one and len(wanted) > 1:
        reason = f"has {len(wanted)} sheets, and nothing says which of them is the table: {some_of(wanted)}; {SAVE_AS}"
        raise FaultyFile([file_fault("SHEET_UNKNOWN", reason)])
    if not wanted:
        there = some_of(workbook.sheet_names)
        raise FaultyFile(
            [file_fault("SHEET_MISSING", f"has no sheet named {layout.sheets.name_pattern}; it has {there}")]
        )
    faults = content_faults(file, extents, sums_are_data=layout.sheets.sums_are_data)
    faults += [
        file_fault("SHEET_MISSING", f"has no sheet {name!r}; it has {some_of(workbook.sheet_names)}")
        for name in layout.sheets.required
        if name not in wanted
    ]
    if layout.sheets.required:
        faults += [
            Fault(
                "SHEET_UNKNOWN", HEADER, f"sheet {name}", None, "is not a declared sheet: nothing says what it counts"
            )
            for name in wanted
            if name not in layout.sheets.required
        ]
    tables = []
    for name in wanted:
        sheet = workbook.get_sheet_by_name(name)
        rows = ([cell_text(cell) for cell in row] for row in sheet.iter_rows())
        above = (sheet.start or (0, 0))[0]  # rows above the first that holds anything are not given
        names = None if above else next(rows, None)
        if names is None:
            faults.append(Fault("NOT_THE_FILE", HEADER, f"sheet {name}", None, "has no header in its first row"))
            continue
        names, uncorrected = corrected(_without_empty_end(names), name, corrections)
        header, wrong = resolve(names, layout)
        faults += [dataclasses.replace(fault, sheet=name) for fault in [*uncorrected, *wrong]]
        tables.append(Table("" if layout.sheets.is_one else name, header, _numbered(rows, header.width)))
    _refuse(faults)
    return tables


def _numbered(rows: Iterator[list[str]], width: int) -> Iterator[tuple[int, list[str] | Fault]]:
    """The rows of a sheet that hold anything, each with its number, as wide as the header; wider where there is more."""
    for number, row in enumerate(rows, start=1):
        if any(row):
            yield number, [*row[:width], *_without_empty_end(row[width:])]


def _without_empty_end(names: Sequence[str]) -> list[str]:
    """A header without the empty cells that a spreadsheet leaves at its end."""
    last = max((index for index, name in enumerate(names) if name.strip()), default=-1)
    return list(names[: last + 1])


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
