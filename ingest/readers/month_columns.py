"""Files with a column per month. One cell of the file is one row of raw; the header is kept as text."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Iterator
from pathlib import Path

from ingest.declaration import Layout
from ingest.readers import code_lists
from ingest.readers.faults import HEADER, THE_FILE, Fault
from ingest.readers.headers import Header, resolve
from ingest.readers.text import decode, folded, foreign_body


@dataclasses.dataclass(frozen=True)
class MonthFile:
    """A file that was read whole: its header, its rows as published, and what is wrong with it (nothing, if all is well)."""

    header: Header | None
    rows: list[list[str]]
    vintage: str | None
    faults: list[Fault]

    @property
    def first_month(self) -> str:
        """Oldest month column, YYYYMM."""
        return self.header.months[0][1] if self.header and self.header.months else ""

    @property
    def last_month(self) -> str:
        """Newest month column, YYYYMM."""
        return self.header.months[-1][1] if self.header and self.header.months else ""


def read(file: Path, layout: Layout) -> MonthFile:
    """Read a file with a column per month and check every cell of it.

    Args:
        file: the landed file.
        layout: its declaration, with month_columns.

    Returns:
        The file; its faults say everything that is wrong, so that one refusal names all.
    """
    body = file.read_bytes()
    foreign = foreign_body(body[:512])
    if foreign:
        return MonthFile(None, [], None, [foreign])
    text = decode(body)
    if isinstance(text, Fault):
        return MonthFile(None, [], None, [text])
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return MonthFile(None, [], None, [Fault(HEADER, THE_FILE, None, f"is not valid CSV: {error}")])
    header, faults = resolve(lines[0], layout)
    # A line of nothing but separators carries nothing: spreadsheets leave them at the end.
    rows = [line for line in lines[1:] if any(field.strip() for field in line)]
    if not text.endswith(("\n", "\r")):
        faults.append(
            Fault(
                HEADER,
                THE_FILE,
                None,
                f"ends in the middle of a line (row {len(rows)} has no line end): it is cut short",
            )
        )
    if not rows:
        faults.append(Fault(HEADER, THE_FILE, None, "has a header and no rows"))
    if any(fault.column == "header" for fault in faults):
        return MonthFile(header, rows, None, faults)
    faults += _row_faults(rows, header, layout)
    vintage = None
    vintages = code_lists.vintage_list(layout)
    if vintages and not faults:
        keys = {tuple(folded(row[header.positions[c]]) for c in vintages.columns) for row in rows}
        found = code_lists.vintage_of(vintages, keys)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            vintage = found
            if layout.complete:
                across = header.positions[layout.complete.across]
                pairs = (
                    (tuple(folded(row[header.positions[c]]) for c in vintages.columns), row[across]) for row in rows
                )
                faults += code_lists.incomplete(layout.complete, vintages, vintage, pairs)
    return MonthFile(header, rows, vintage, faults)


def _row_faults(rows: list[list[str]], header: Header, layout: Layout) -> list[Fault]:
    months = layout.month_columns
    assert months is not None  # noqa: S101 - the caller chose this reader by it
    is_cell = re.compile(months.cell_pattern, re.ASCII).fullmatch
    # A row is matched at once: cells are many, and next to none of them is wrong.
    are_cells = re.compile(f"(?:{months.cell_pattern})(?:\n(?:{months.cell_pattern}))*", re.ASCII).fullmatch
    seen: dict[tuple[str, ...], int] = {}
    faults: list[Fault] = []
    for number, row in enumerate(rows, start=1):
        if len(row) != header.width:
            faults.append(Fault(number, "the row", None, f"has {len(row)} fields where the header has {header.width}"))
            continue
        if not are_cells("\n".join([row[index] for index, _ in header.months])):
            faults += [
                Fault(number, month, row[index], f"is not {months.cell_is}")
                for index, month in header.months
                if not is_cell(row[index])
            ]
        faults += code_lists.row_faults(number, row, header, layout)
        if layout.unique:
            key = tuple(folded(row[header.positions[column]]) for column in layout.unique)
            if key in seen:
                faults.append(Fault(number, "the row", " / ".join(key), f"stands already in row {seen[key]}"))
            seen[key] = number
    return faults


def escaped(field: str) -> str:
    """A field in COPY's text format."""
    return field.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_text(file: MonthFile, layout: Layout, load_id: int) -> Iterator[str]:
    """Every cell of a faultless file in COPY's text format, one row of the file at a time: a line each, or together in one.

    The columns are those of `raw_columns`, then row number and load.
    """
    assert file.header is not None  # noqa: S101 - a faultless file has one
    order = [file.header.positions.get(column.name) for column in layout.columns]
    are_together = layout.month_columns is not None and layout.month_columns.cells == "together"
    for number, row in enumerate(file.rows, start=1):
        labels = "\t".join("" if index is None else row[index].translate(_ESCAPES) for index in order)
        if are_together:
            cells = ",".join([row[index] for index, _ in file.header.months])
            yield f"{labels}\t{file.first_month}\t{cells}\t{number}\t{load_id}\n"
            continue
        yield "".join(f"{labels}\t{month}\t{row[index]}\t{number}\t{load_id}\n" for index, month in file.header.months)
