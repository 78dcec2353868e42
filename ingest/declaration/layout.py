"""What is declared of the bytes of a file: its columns, months, sheets, times, and what becomes of rows that are not so."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from ingest.declaration.columns import CodeList, Column, Identifier, Pattern, Strict


class MonthColumns(Strict):
    """A file with a column per month: which headers are months, how they are written (as strptime reads them), and what a
    cell may hold.

    notes_below: text under the last row, with no month filled, is a note on the table and no row of it.
    cells: a row of raw each, or together in one row of raw a row of the file (first month, and the cells from it on, separated by
    commas). Files of small areas have millions of cells, most of them 0.
    """

    header_pattern: Pattern
    header_forms: Annotated[tuple[str, ...], Field(min_length=1)] = ("%Y%m",)
    notes_below: bool = False
    cell_pattern: Pattern
    cell_is: str
    cells: Literal["a_row_each", "together"] = "a_row_each"


class Sheets(Strict):
    """The sheets of a workbook that are read: those whose name matches, each with its header in its first row; none of
    `required` may be missing, and where some are required any other is one that nobody declared and refuses the file.

    One raw table takes them all, and says in its column `sheet` which row is of which. A file that is no workbook has no sheet.
    is_one: a workbook is one sheet, the same table that the publisher gives as text, and raw does not say its name.
    """

    name_pattern: Pattern
    required: tuple[str, ...] = ()
    is_one: bool = False
    # A formula is refused, unless it sums cells above it and comes to what the file says.
    sums_are_data: bool = False


class Period(Strict):
    """The column that says which time a row is about, and the forms it is written in (as strptime reads them).

    else_columns say it together, with a space between, in a file that lacks that column.
    only_where: a row whose value does not match is about no time, such as a line of totals among the months.
    within: the time is what the group of this pattern finds in the value: the last month of 'Oct 2016-Sep 2017', say.
    """

    column: Identifier
    forms: Annotated[tuple[str, ...], Field(min_length=1)]
    only_where: Pattern | None = None
    within: Pattern | None = None
    else_columns: tuple[Identifier, ...] = ()

    @property
    def columns(self) -> tuple[Identifier, ...]:
        """Every column that may say the time."""
        return (self.column, *self.else_columns)


class Layout(Strict):
    """How the bytes are read.

    unique: no two rows of a file (or sheet) agree in all of these columns; a column that a file lacks is left out.
    repeats: what becomes of a row that agrees with an earlier one in every column: it is refused as any other that agrees in the
    unique ones, or, where the publisher gives rows twice, it is left out, counted and warned about.
    bad_rows: what becomes of a file with a row that is not as declared: it is refused whole, or such rows are quarantined,
    each with its reason, as long as they are no more than at_most_quarantined of it.
    """

    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    sheets: Sheets | None = None
    month_columns: MonthColumns | None = None
    period: Period | None = None
    # The column whose sum says how much a new edition changed; without one, rows are counted.
    value_column: Identifier | None = None
    # The column that says which area a row is of: a new edition may not lose most of an area's rows either.
    area_column: Identifier | None = None
    # The first month of a file may be one that had all but left its window: a fraction of the month.
    first_month_may_be_partial: bool = False
    code_lists: tuple[CodeList, ...] = ()
    unique: tuple[Identifier, ...] = ()
    repeats: Literal["refuse", "leave_out"] = "refuse"
    bad_rows: Literal["refuse", "quarantine"] = "refuse"
    at_most_quarantined: Annotated[float, Field(gt=0, lt=1)] = 0.05
    rows_may_be_short: bool = False
    # Only where a value cut short is found otherwise: the last column is held to a list, or records say how many there are.
    last_line_may_be_open: bool = False
    # A file of several pages is a stored zip of them, each as it came.
    in_pages: bool = False

    @property
    def is_of_people(self) -> bool:
        """Whether its rows are of persons: then no text of theirs may be shown, whichever column it stands in."""
        return any(column.is_personal for column in self.columns)

    def shown(self, column: Column, value: str) -> str | None:
        """A value as messages, quarantine and ledgers may show it; None where it may be personal.

        In rows of persons a name may have slipped into any column. What has the form of its column has not.
        """
        form = r"[-+.eE0-9]{1,20}" if column.number else column.pattern
        has_form = form is not None and re.fullmatch(form, value, re.ASCII) is not None
        return value if not column.is_personal and (has_form or not value or not self.is_of_people) else None

    @property
    def every_header(self) -> tuple[str, ...]:
        """Every header that is declared by its name."""
        return tuple(header for column in self.columns for header in column.headers)

    @property
    def has_sheet_column(self) -> bool:
        """Whether raw says of each row which sheet it is of."""
        return self.sheets is not None and not self.sheets.is_one

    @property
    def may_be_workbook(self) -> bool:
        return self.sheets is not None

    @property
    def may_be_zip(self) -> bool:
        """Whether a file may begin as a zip archive does: a workbook, or pages."""
        return self.may_be_workbook or self.in_pages

    @property
    def named_columns(self) -> dict[str, tuple[str, ...]]:
        """The columns that rules name, by the rule."""
        return {
            "value_column": (self.value_column,) if self.value_column else (),
            "area_column": (self.area_column,) if self.area_column else (),
            "unique": self.unique,
        }

    @property
    def kept_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if not column.is_dropped)


def raw_columns(layout: Layout) -> tuple[str, ...]:
    """The published columns of a dataset as raw holds them, in order; a month file adds the month's header and its cell, a
    workbook the sheet."""
    names = tuple(column.name for column in layout.kept_columns)
    sheet = ("sheet",) if layout.has_sheet_column else ()
    months: tuple[str, ...] = ()
    if layout.month_columns:
        months = ("month_header", "cell") if layout.month_columns.cells == "a_row_each" else ("first_month", "cells")
    return (*names, *sheet, *months)
