"""Workbooks (XLSX): what a cell says, and what of their cells is no data: formulas, merged cells, hidden sheets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

import python_calamine

from ingest.readers.faults import HEADER, Fault
from ingest.readers.workbook_size import SUM, SheetExtent, column_index

_MERGED = re.compile(r"([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)")

Cell = str | float | int | bool | dt.datetime | dt.date | dt.time | dt.timedelta


def cell_text(cell: Cell) -> str:
    """A cell as text: numbers without a point where they are whole, dates as YYYY-MM-DD, times of day with the date."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    return str(cell)


def content_faults(file: Path, extents: Mapping[str, SheetExtent], *, sums_are_data: bool = False) -> list[Fault]:
    """What the sheets to be read hold that is not data: formulas, merged cells from the header down; and hidden sheets.

    Formulas are refused because the file keeps only what they came to when it was last saved, if anything. Cells merged in rows
    that hold nothing else are a note, and no data are lost in them.

    Args:
        extents: the sheets, as `measure_sheets` gives them.
        sums_are_data: a formula that sums cells above it is as good as its number where it comes to it now.
    """
    faults: list[Fault] = []
    for name, extent in extents.items():
        if extent.is_hidden:
            faults.append(Fault("CELLS_NOT_DATA", HEADER, f"sheet {name}", None, "is hidden"))
        faults += _not_data(file, name, extent, sums_are_data)
    return faults


def _not_data(file: Path, sheet: str, extent: SheetExtent, sums_are_data: bool) -> list[Fault]:
    faults = []
    where = f"sheet {sheet}"
    merges = [
        (found[1], int(found[2]), found[3], int(found[4])) for found in map(_MERGED.fullmatch, extent.merges) if found
    ]
    rows = _rows(file, sheet) if extent.formulas or merges else []
    for column, row, text in extent.formulas:
        cell = f"{column}{row}"
        if not sums_are_data or not _is_sum_of_column(text.strip(), column):
            faults.append(Fault("CELLS_NOT_DATA", HEADER, where, None, f"holds a formula in cell {cell}"))
            break
        if not _adds_up(rows, column, row, text.strip()):
            faults.append(
                Fault(
                    "CELLS_NOT_DATA", HEADER, where, None, f"holds a sum in cell {cell} that its cells do not come to"
                )
            )
            break
    for first, top, last, bottom in merges:
        inside = range(column_index(first), column_index(last) + 1)
        has_data = any(
            cell != "" and index not in inside for row in rows[top - 1 : bottom] for index, cell in enumerate(row)
        )
        if has_data or top == 1:
            faults.append(
                Fault("CELLS_NOT_DATA", HEADER, where, None, f"has the cells {first}{top}:{last}{bottom} merged")
            )
            break
    return faults


def _rows(file: Path, sheet: str) -> list[list[Cell]]:
    """Every cell of a sheet, from A1 on."""
    found = python_calamine.CalamineWorkbook.from_path(file).get_sheet_by_name(sheet)
    return found.to_python(skip_empty_area=False)


def _is_sum_of_column(formula: str, column: str) -> bool:
    found = SUM.fullmatch(formula)
    return found is not None and found[1] == found[3] == column


def _adds_up(rows: list[list[Cell]], column: str, row: int, formula: str) -> bool:
    found = SUM.fullmatch(formula)
    assert found is not None  # noqa: S101 - the caller looked
    first, last, index = int(found[2]), int(found[4]), column_index(column)
    if not first <= last < row:
        return False
    cells = [line[index] for line in rows[first - 1 : last]]
    numbers = [cell for cell in cells if isinstance(cell, (int, float)) and not isinstance(cell, bool)]
    return sum(numbers) == rows[row - 1][index]
