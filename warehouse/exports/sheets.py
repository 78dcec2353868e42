"""What a sheet of a workbook holds: a table to the last row, or nothing; moments by London's clock, without a zone, as Excel takes them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ingest.errors import Refusal
from warehouse.exports.tables import UNTOUCHED, Column, Table
from warehouse.exports.values import in_london

ROWS = 1_048_576  # of a sheet in Excel and LibreOffice Calc, header included
CHARACTERS = 32_767  # of a cell in Excel
ABOUT, COLUMNS = "about", "columns"  # the sheets that follow the table's


def check_rows(table: Table, row_count: int) -> None:
    """See that a table fits into a sheet.

    Args:
        row_count: its rows, or ROWS where it has more.

    Raises:
        Refusal: it does not.
    """
    if row_count >= ROWS:
        raise Refusal(
            "SHEET_TOO_SMALL",
            f"{table.name} has more than the {ROWS - 1:,} rows that a sheet holds beside its header",
            kept=UNTOUCHED,
            next_step="export it as csv or parquet, or ask for part of it with `vru sql --csv`",
        )


def name_of(table: Table) -> str:
    """The name of its sheet, of which Excel takes 31 characters."""
    return table.name[:31]


def moment(value: dt.datetime) -> dt.datetime:
    """A moment by London's clock, without its zone."""
    return in_london(value).replace(tzinfo=None)


def text(value: Any, table: Table, column: Column) -> str:
    """A text that fits into a cell.

    Raises:
        Refusal: it is too long, and Excel would drop or cut it.
    """
    if len(value) > CHARACTERS:
        raise Refusal(
            "SHEET_TOO_SMALL",
            f"{column.name} of {table.name} has a text of {len(value):,} characters, and a cell holds {CHARACTERS:,}",
            kept=UNTOUCHED,
            next_step="export it as csv or parquet",
        )
    return str(value)
