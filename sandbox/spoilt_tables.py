"""Delimited text as it goes wrong at a publisher's: each function makes of an honest body a spoilt one.

`column` counts from 0, or from the end where negative; `row` counts data rows from 1. What is not spoilt stays as it was.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta

Rows = list[list[str]]

_EXCEL_EPOCH = date(1899, 12, 30)


def read(body: bytes) -> Rows:
    """The rows of an honest body, its header first."""
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def written(rows: Sequence[Sequence[str]], like: bytes) -> bytes:
    """Rows as a body with the line ends of another."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n" if b"\r\n" in like else "\n").writerows(rows)
    return text.getvalue().encode()


def _rewritten(body: bytes, change: Callable[[Rows], None]) -> bytes:
    rows = read(body)
    change(rows)
    return written(rows, body)


def _cell(body: bytes, row: int, column: int, change: Callable[[str], str]) -> bytes:
    rows = read(body)
    rows[row][column] = change(rows[row][column])
    return written(rows, body)


def renamed_column(body: bytes, column: int = 0, to: str = "Renamed") -> bytes:
    """One header under a name nobody has seen."""
    return _cell(body, 0, column, lambda _: to)


def duplicated_column(body: bytes, column: int = -1) -> bytes:
    """One column twice, header and all."""
    return written([[*row, row[column]] for row in read(body)], body)


def reordered_columns(body: bytes) -> bytes:
    """Every column in its place from the other end."""
    return written([row[::-1] for row in read(body)], body)


def new_column(body: bytes, name: str = "New Column", value: str = "new") -> bytes:
    """One column more, at the end."""
    return written([[*row, value if number else name] for number, row in enumerate(read(body))], body)


def missing_column(body: bytes, column: int = 0) -> bytes:
    """One column less."""

    def drop(rows: Rows) -> None:
        for row in rows:
            del row[column]

    return _rewritten(body, drop)


def byte_order_mark(body: bytes) -> bytes:
    """A UTF-8 byte order mark in front, as spreadsheets write."""
    return b"\xef\xbb\xbf" + body


def utf_16(body: bytes) -> bytes:
    """UTF-16 with its mark, as a spreadsheet's "Unicode text" is."""
    return body.decode("utf-8-sig").encode("utf-16")


def cp1252(body: bytes, row: int = 1, column: int = 0) -> bytes:
    """One typographic apostrophe, and the file in Windows' code page 1252."""
    return _cell(body, row, column, lambda text: f"{text}\N{RIGHT SINGLE QUOTATION MARK}").decode().encode("cp1252")


def nul_byte(body: bytes, row: int = 1, column: int = 0) -> bytes:
    """A NUL within a cell."""
    return _cell(body, row, column, lambda text: f"{text[:2]}\0{text[2:]}")


def cr_line_ends(body: bytes) -> bytes:
    """Lines that end with a carriage return alone, as on old Macs."""
    return body.replace(b"\r\n", b"\n").replace(b"\n", b"\r")


def quoted_newline(body: bytes, row: int = 1, column: int = 0) -> bytes:
    """A line end inside a quoted cell: between two of its words, or after them."""
    return _cell(body, row, column, lambda text: text.replace(" ", "\n", 1) if " " in text else f"{text}\n")


def backslash_dot_line(body: bytes, row: int = 1) -> bytes:
    r"""A line `\.`, which ends the data in the eyes of PostgreSQL's COPY before version 18."""
    lines = body.splitlines(keepends=True)
    return b"".join([*lines[: row + 1], b"\\.\r\n" if b"\r\n" in body else b"\\.\n", *lines[row + 1 :]])


def open_quote(body: bytes, row: int = 1) -> bytes:
    """A cell that begins with a quotation mark and never ends."""
    lines = body.splitlines(keepends=True)
    return b"".join([*lines[:row], b'"' + lines[row], *lines[row + 1 :]])


def ragged_rows(body: bytes, row: int = 1, by: int = -1) -> bytes:
    """A row with fewer fields than the header, or more."""

    def change(rows: Rows) -> None:
        rows[row] = rows[row][:by] if by < 0 else [*rows[row], *["1"] * by]

    return _rewritten(body, change)


def header_only(body: bytes) -> bytes:
    """The header and not one row."""
    return written(read(body)[:1], body)


def cut_at_a_line(body: bytes, keep: float = 0.5) -> bytes:
    """The first rows of the file, cut where a line ends."""
    lines = body.splitlines(keepends=True)
    return b"".join(lines[: max(2, int(len(lines) * keep))])


def footer(body: bytes, text: str = "Source: as published. Figures are provisional.") -> bytes:
    """A line of text under the table."""
    return body + text.encode() + (b"\r\n" if b"\r\n" in body else b"\n")


def totals_row(body: bytes, label: str = "Total") -> bytes:
    """A row under the table that adds its columns up."""

    def add(rows: Rows) -> None:
        columns = list(zip(*rows[1:], strict=True))
        rows.append(
            [str(sum(map(int, cells))) if all(cell.isdigit() for cell in cells) else label for cells in columns]
        )

    return _rewritten(body, add)


def thousands_separators(body: bytes, row: int = 1, column: int = -1) -> bytes:
    """A number with a comma between its thousands."""
    return _cell(body, row, column, lambda text: f"{1000 + int(text or 0):,}")


def cell_replaced(body: bytes, row: int = 1, column: int = -1, by: str = "*") -> bytes:
    """A mark in place of a number: `*`, `..`, `-`, `x`, `<5`, `NaN`, `Infinity`."""
    return _cell(body, row, column, lambda _: by)


def _day(text: str) -> date | None:
    """The day that a date or month says, or None where the text is neither."""
    for pattern in (
        r"(?P<y>(?:19|20)\d\d)-?(?P<m>0[1-9]|1[0-2])",
        r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)",
        r"(?P<d>\d\d)/(?P<m>\d\d)/(?P<y>\d{4})",
    ):
        found = re.fullmatch(pattern, text)
        if found:
            parts = found.groupdict()
            return date(int(parts["y"]), int(parts["m"]), int(parts.get("d") or 1))
    return None


def _days_as(body: bytes, form: Callable[[date], str]) -> bytes:
    rows = read(body)
    days = [[_day(cell) for cell in row] for row in rows]
    dated = {i for i in range(len(rows[0])) if days[0][i] or (len(rows) > 1 and all(row[i] for row in days[1:]))}
    return written(
        [
            [form(day) if i in dated and (day := its_days[i]) else cell for i, cell in enumerate(row)]
            for row, its_days in zip(rows, days, strict=True)
        ],
        body,
    )


def excel_serial_dates(body: bytes) -> bytes:
    """Every date and month, headers too, as the number that Excel keeps in its place (days since 30 December 1899)."""
    return _days_as(body, lambda day: str((day - _EXCEL_EPOCH) // timedelta(days=1)))


def us_dates(body: bytes) -> bytes:
    """Every date and month, headers too, in the American order: 10/01/2026 is the first of October."""
    return _days_as(body, lambda day: f"{day:%m/%d/%Y}")


def megabyte_cell(body: bytes, row: int = 1, column: int = 0) -> bytes:
    """A megabyte in one cell."""
    return _cell(body, row, column, lambda text: text + "x" * 1024 * 1024)
