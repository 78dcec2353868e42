"""XLSX, in constant memory: a sheet of the table, one of its columns, one that says what it is."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import xlsxwriter

from warehouse.exports import sheets
from warehouse.exports.descriptor import DICTIONARY_HEADER, About, Write, dictionary_of
from warehouse.exports.tables import Column, Table

WIDTH = 18  # of a column, in characters


@contextlib.contextmanager
def writer(file: Path, table: Table, about: About, row_count: int) -> Iterator[Write]:
    """Takes rows and writes each as it comes.

    Args:
        file: to be made.
        about: what the last sheet says.
        row_count: rows that will come, over which the filter reaches.
    """
    # Nothing is a formula or a link, whatever it begins with: each text is written as text. Rows go to disk one by one, and must come in order.
    options = {"constant_memory": True, "tmpdir": str(file.parent), "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(str(file), options) as workbook:
        # Else the time of writing stands in it, and no two exports of a release are the same.
        published = dt.datetime.fromisoformat(str(about["published_at"])).astimezone(dt.UTC).replace(tzinfo=None)
        workbook.set_properties({"title": str(about["title"]), "created": published})
        sheet = workbook.add_worksheet(sheets.name_of(table))
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(table.columns) - 1, WIDTH)
        sheet.write_row(0, 0, [column.name for column in table.columns])
        sheet.autofilter(0, 0, row_count, len(table.columns) - 1)
        cells = [_cell(workbook, sheet, table, column) for column in table.columns]
        written = 0

        def write(rows: list[tuple[Any, ...]]) -> None:
            nonlocal written
            for row in rows:
                written += 1
                for position, (cell, value) in enumerate(zip(cells, row, strict=True)):
                    if value is not None:
                        cell(written, position, value)

        yield write
        _write_text(workbook.add_worksheet(sheets.COLUMNS), [DICTIONARY_HEADER, *dictionary_of(table)])
        _write_text(workbook.add_worksheet(sheets.ABOUT), list(about.items()))


def _cell(workbook: Any, sheet: Any, table: Table, column: Column) -> Callable[[int, int, Any], None]:
    """What writes a value of a column into a cell."""
    if column.kind == "string":
        return lambda row, position, value: sheet.write_string(row, position, sheets.text(value, table, column))
    if column.kind == "boolean":
        return sheet.write_boolean  # type: ignore[no-any-return]
    if column.kind == "date":
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        return lambda row, position, value: sheet.write_datetime(row, position, value, day)
    if column.kind == "datetime":
        clock = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        return lambda row, position, value: sheet.write_datetime(row, position, sheets.moment(value), clock)
    return sheet.write_number  # type: ignore[no-any-return]


def _write_text(sheet: Any, rows: list[tuple[str | int, ...]]) -> None:
    sheet.set_column(0, 8, WIDTH)
    for number, row in enumerate(rows):
        for position, value in enumerate(row):
            sheet.write_string(number, position, str(value))
