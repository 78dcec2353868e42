"""Files with a column per month. One cell of the file is one row of raw; the header is kept as text."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ingest.declaration import Layout
from ingest.readers import bounds, code_lists
from ingest.readers.corrections import Correction, corrected
from ingest.readers.faults import HEADER, THE_FILE, Fault, Faults, FaultyFile, file_fault, header_fault
from ingest.readers.headers import Header, resolve
from ingest.readers.numbers import REASON, is_too_large, number_of, plain, takes_any_number
from ingest.readers.tables import open_tables
from ingest.readers.text import ZIP, decode, encoding_of, folded, not_delimited_text, separator_of


@dataclasses.dataclass(frozen=True)
class MonthTable:
    """One table of a file: the whole file, or a sheet of a workbook; its rows as published, each with its number."""

    sheet: str
    header: Header
    rows: list[tuple[int, list[str]]]


@dataclasses.dataclass(frozen=True)
class MonthFile:
    """A file that was read whole: its tables, and what is wrong with it (nothing, if all is well)."""

    tables: list[MonthTable]
    vintage: str | None
    faults: list[Fault]

    @property
    def header(self) -> Header | None:
        """The header of its first table."""
        return self.tables[0].header if self.tables else None

    @property
    def rows(self) -> list[list[str]]:
        """The rows of all its tables."""
        return [row for table in self.tables for _, row in table.rows]

    @property
    def cells(self) -> int:
        """How many cells it has, each of which is a row of raw."""
        return sum(len(table.rows) * len(table.header.months) for table in self.tables)

    @property
    def first_month(self) -> str:
        """Oldest month column, YYYYMM."""
        return min((table.header.months[0].month for table in self.tables if table.header.months), default="")

    @property
    def last_month(self) -> str:
        """Newest month column, YYYYMM."""
        return max((table.header.months[-1].month for table in self.tables if table.header.months), default="")


def read(file: Path, layout: Layout, corrections: Sequence[Correction] = ()) -> MonthFile:
    """Read a file with a column per month and check every cell of it.

    Args:
        file: the landed file.
        layout: its declaration, with month_columns.
        corrections: the confirmed corrections of this very file's headers.

    Returns:
        The file; its faults say everything that is wrong, so that one refusal names all.
    """
    with file.open("rb") as handle:
        is_workbook = handle.read(len(ZIP)) == ZIP
    read_tables = _sheets if layout.sheets and (is_workbook or not layout.sheets.is_one) else _text
    try:
        tables, faults = read_tables(file, layout, corrections)
    except FaultyFile as faulty:
        return MonthFile([], None, faulty.faults)
    for table in tables:
        if not table.rows:
            faults.append(Fault("NO_ROWS", HEADER, THE_FILE, None, "has a header and no rows", table.sheet))
    if any(fault.column == "header" for fault in faults) or not tables:
        return MonthFile(tables, None, faults)
    for table in tables:
        found = itertools.chain(_nameless_months(table), _row_faults(table.rows, table.header, layout))
        faults.add(dataclasses.replace(fault, sheet=table.sheet) if table.sheet else fault for fault in found)
    vintage = None
    vintages = code_lists.vintage_list(layout)
    if vintages and not faults:
        header, rows = tables[0].header, [row for _, row in tables[0].rows]
        keys = {tuple(folded(row[header.positions[c]]) for c in vintages.columns) for row in rows}
        one = code_lists.vintage_of(vintages, keys)
        if isinstance(one, Fault):
            faults.append(one)
        else:
            vintage = one
    return MonthFile(tables, vintage, faults)


def _text(file: Path, layout: Layout, corrections: Sequence[Correction]) -> tuple[list[MonthTable], Faults]:
    """The one table of delimited text."""
    with file.open("rb") as handle:
        foreign = not_delimited_text(handle.read(512))
    if foreign:
        raise FaultyFile([foreign])
    is_whole = _ends_whole(file)
    if isinstance(is_whole, Fault):
        raise FaultyFile([is_whole])
    rows: list[tuple[int, list[str]]] = []
    number = cells = 0
    with file.open(encoding=_encoding(file), newline="") as text:
        separator = separator_of(text.read(bounds.LINE).partition("\n")[0], layout.every_header)
        text.seek(0)
        lines = bounds.rows_of(text, separator)
        try:
            names, faults = corrected(next(lines), "", corrections)
            header, wrong = resolve(names, layout)
            faults += wrong
            if faults:  # then its rows, however many, are of no use
                raise FaultyFile(faults)
            for number, line in enumerate(lines, start=1):
                # A line of nothing but separators carries nothing: spreadsheets leave them at the end.
                if any(field.strip() for field in line):
                    cells += len(line)
                    if cells > bounds.CELLS:
                        raise FaultyFile(
                            [
                                Fault(
                                    "FILE_TOO_LARGE",
                                    number,
                                    "the row",
                                    None,
                                    f"is beyond {bounds.CELLS:,} cells, and a file has no more",
                                )
                            ]
                        )
                    rows.append((number, line))
        except csv.Error as error:
            raise FaultyFile(
                [Fault("FILE_DAMAGED", number + 1, "the row", None, f"is not valid CSV ({error})")]
            ) from None
    if not is_whole:
        last = rows[-1][0] if rows else 0
        reason = f"ends in the middle of a line (row {last} has no line end): it is cut short"
        faults.append(file_fault("FILE_CUT_SHORT", reason))
    return [MonthTable("", header, rows)], Faults(faults)


def _encoding(file: Path) -> str:
    with file.open("rb") as handle:
        return encoding_of(handle.read(4))


def _ends_whole(file: Path) -> bool | Fault:
    """Whether a text ends with a line end, or what keeps it from being text; nothing of it is held but a block."""
    last = ""
    try:
        with file.open(encoding=_encoding(file), newline="") as text:
            while block := text.read(bounds.LINE):
                if "\0" in block:
                    raise ValueError
                last = block[-1]
    except ValueError:  # it is none: where, is looked for once more
        found = decode(file.read_bytes())
        if isinstance(found, Fault):
            return found
    return last in {"\n", "\r"}


def _sheets(file: Path, layout: Layout, corrections: Sequence[Correction]) -> tuple[list[MonthTable], Faults]:
    """A table for each declared sheet of a workbook."""
    found, faults = open_tables(file, layout, corrections), Faults()
    tables = []
    for table in found:
        rows: list[tuple[int, list[str]]] = []
        for number, row in table.rows:
            if isinstance(row, Fault):
                faults.append(dataclasses.replace(row, sheet=table.sheet))
            elif any(field.strip() for field in row):
                rows.append((number, row))
        tables.append(MonthTable(table.sheet, table.header, _without_notes(rows, table.header, layout)))
    return tables, faults


def _without_notes(rows: list[tuple[int, list[str]]], header: Header, layout: Layout) -> list[tuple[int, list[str]]]:
    """The rows without the notes below them, where the layout says that there may be some."""
    end = len(rows)
    if layout.month_columns and layout.month_columns.notes_below:
        while end and not any(rows[end - 1][1][column.place].strip() for column in header.months):
            end -= 1
    return rows[:end]


def _nameless_months(table: MonthTable) -> list[Fault]:
    """Columns that nobody declared and whose cells are not words alone: each may be a month under another name."""
    known = {*table.header.positions.values(), *(column.place for column in table.header.months)}
    unknown = [place for place in range(table.header.width) if place not in known]
    faults = []
    for place, name in zip(unknown, table.header.unknown, strict=True):
        cells = [row[place] for _, row in table.rows if len(row) == table.header.width and row[place].strip()]
        if not cells or not all(any(character.isalpha() for character in cell) for cell in cells):
            # One cell of a month may be blank, or written as no count is.
            reason = f"is not known (column {place + 1}), and its cells are not words alone: it may be a month"
            faults.append(header_fault("HEADER_UNKNOWN", reason, name))
    return faults


def _row_faults(rows: list[tuple[int, list[str]]], header: Header, layout: Layout) -> Iterator[Fault]:
    """What is wrong with rows, one after the other: each may be wrong."""
    months = layout.month_columns
    assert months is not None  # noqa: S101 - the caller chose this reader by it
    is_cell = re.compile(months.cell_pattern, re.ASCII).fullmatch
    # A row is matched at once: cells are many, and next to none of them is wrong.
    are_cells = re.compile(f"(?:{months.cell_pattern})(?:\n(?:{months.cell_pattern}))*", re.ASCII).fullmatch
    seen: dict[tuple[str, ...], int] = {}
    for number, row in rows:
        if len(row) != header.width:
            yield Fault(
                "ROW_WIDTH_DIFFERS",
                number,
                "the row",
                None,
                f"has {len(row)} fields where the header has {header.width}",
            )
            continue
        if not are_cells("\n".join([row[index] for index, *_ in header.months])):
            yield from (
                Fault("VALUE_NOT_A_NUMBER", number, month, row[index], f"is not {months.cell_is}")
                for index, month, _ in header.months
                if not is_cell(plain(row[index]))
            )
        elif takes_any_number(months.cell_pattern):
            yield from (
                Fault("VALUE_OUT_OF_RANGE", number, month, row[index], REASON)
                for index, month, _ in header.months
                if is_too_large(row[index])
            )
        yield from code_lists.row_faults(number, row, header, layout)
        if layout.unique:
            key = tuple(folded(row[header.positions[column]]) for column in layout.unique)
            if key in seen:
                yield Fault("ROW_REPEATED", number, "the row", " / ".join(key), f"stands already in row {seen[key]}")
            seen[key] = number


def totals(file: MonthFile) -> dict[str, float]:
    """The sum of each month's cells (YYYY-MM), those that are no number left out."""
    found: dict[str, float] = {}
    for table in file.tables:
        for column in table.header.months:
            month = f"{column.month[:4]}-{column.month[4:]}"
            found[month] = found.get(month, 0) + _sum(row[column.place] for _, row in table.rows)
    return found


def _sum(cells: Iterable[str]) -> float:
    found = list(cells)
    try:
        return sum(map(int, found))
    except ValueError:
        return float(sum(number for cell in found if (number := number_of(cell)) is not None))


def escaped(field: str) -> str:
    """A field in COPY's text format."""
    return field.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_text(file: MonthFile, layout: Layout, load_id: int) -> Iterator[str]:
    """Every cell of a faultless file in COPY's text format, one row of the file at a time: a line each, or together in one.

    The columns are those of `raw_columns`, then row number and load.
    """
    are_together = layout.month_columns is not None and layout.month_columns.cells == "together"
    for table in file.tables:
        order = [table.header.positions.get(column.name) for column in layout.columns]
        sheet = [table.sheet] if layout.has_sheet_column else []
        first = table.header.months[0].month
        for number, row in table.rows:
            labels = "\t".join(map(escaped, [*("" if index is None else row[index] for index in order), *sheet]))
            if are_together:
                cells = ",".join([row[index] for index, *_ in table.header.months])
                yield f"{labels}\t{first}\t{cells}\t{number}\t{load_id}\n"
                continue
            yield "".join(
                f"{labels}\t{escaped(month)}\t{row[index]}\t{number}\t{load_id}\n"
                for index, month, _ in table.header.months
            )
