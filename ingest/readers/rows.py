"""Rows of a file read one by one: whether each is as declared, whether it came before, and its fields as raw takes them."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.declaration import Layout, Period
from ingest.readers import code_lists
from ingest.readers.check_digits import is_verhoeff
from ingest.readers.faults import HEADER, THE_REST, Fault, Faults, file_fault
from ingest.readers.headers import Header
from ingest.readers.numbers import wrong_with
from ingest.readers.tables import Table, ends_with_line_end
from ingest.readers.text import folded
from ingest.readers.times import day_of, examples, is_timed

VALUES_REMEMBERED = 10_000
QUARANTINED = 20_000  # faults of rows that are kept of a file that stands without them; of more it is refused


class Rows:
    """The rows of a file's tables that are as declared, in the order in which they stand; of the others, what is wrong with them.

    Iterated once; what it says of the file is complete then.

    Attributes:
        count, bad_rows: how many rows there are that are as declared, and how many are not.
        faults: what is wrong with those, and with the file as a whole.
        times: how many rows are about which time, as published.
        repeats: the numbers of the rows that repeat another and are left out.
    """

    def __init__(self, tables: Sequence[Table], file: Path, layout: Layout) -> None:
        self.count = self.bad_rows = 0
        # What is quarantined is kept whole, or the file refused; a file that is refused for its first bad row tells of some and counts the others.
        self.faults = Faults() if layout.bad_rows == "refuse" else Faults(kept=QUARANTINED)
        self.times: Counter[str] = Counter()
        self._tables, self._file, self._layout = tables, file, layout
        self._seen = KeysSeen(layout)

    @property
    def repeats(self) -> list[int]:
        return self._seen.repeats

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """The number of each row that is as declared, and its fields in the order of `raw_columns`."""
        widths: set[int] = set()
        for table in self._tables:
            for number, row in table.rows:
                if isinstance(row, list):
                    widths.add(len(row))
                    row = padded(row, table.header, self._layout)
                if not self._is_good(number, row, table):
                    continue
                assert isinstance(row, list)  # noqa: S101 - what is no row is not good
                self.count += 1
                if self._layout.period:
                    self.times[time_of(row, table.header, self._layout.period)] += 1
                yield number, fields_for_raw(row, table.header, table.sheet, self._layout)
        if not ends_with_line_end(self._file, self._layout):
            self.faults.add([file_fault("FILE_CUT_SHORT", "is cut short: its last row has no line end")])
        if self._layout.rows_may_be_short and len(widths) > 1:
            each = ", ".join(map(str, sorted(widths)))
            self.faults.add([file_fault("ROW_WIDTH_DIFFERS", f"has rows of different widths ({each} fields)")])

    def _is_good(self, number: int, row: list[str] | Fault, table: Table) -> bool:
        """Whether a row is as declared and is not left out; keeps what is wrong with it."""
        if isinstance(row, Fault):
            faults = [row]
        else:
            left_out = len(self.repeats)
            faults = row_faults(number, row, table.header, self._layout)
            faults = faults or self._seen.repeats_earlier(number, row, table.header, table.sheet)
            if not faults:
                return len(self.repeats) == left_out
        self.faults.add(dataclasses.replace(fault, sheet=table.sheet) for fault in faults)
        self.bad_rows += 1
        return False

    @property
    def refuse_the_file(self) -> bool:
        """Whether what is wrong refuses the file whole."""
        if not self.faults:
            return False
        # A row that is none can be left out; a file that breaks off there cannot: what follows was never counted.
        is_broken = any(fault.row == HEADER or fault.column == THE_REST for fault in self.faults)
        most = self._layout.at_most_quarantined * (self.count + self.bad_rows)
        return self._layout.bad_rows == "refuse" or self.faults.more > 0 or is_broken or self.bad_rows > most


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


def padded(row: list[str], header: Header, layout: Layout) -> list[str]:
    """A row that lacks fields at its end, with blanks in their place, where the layout says that this happens."""
    if not layout.rows_may_be_short:
        return row
    return [*row, *[""] * (header.width - len(row))]


def fields_for_raw(row: list[str], header: Header, sheet: str, layout: Layout) -> list[str]:
    """The fields of a row that raw takes, in the order of `raw_columns`; blank where the file lacks the column."""
    positions = header.positions
    fields = [row[positions[column.name]] if column.name in positions else "" for column in layout.kept_columns]
    return [*fields, sheet] if layout.has_sheet_column else fields


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
            reason = "is not a valid identifier: its check digit is wrong"
            faults.append(Fault("VALUE_MALFORMED", number, header.published[column.name], shown, reason))
    if layout.period and not faults:
        value = time_of(row, header, layout.period)
        if is_timed(value, layout.period) and day_of(value, layout.period) is None:
            columns = [c for c in layout.columns if c.name in time_columns(header, layout.period)]
            is_told = all(layout.shown(c, row[header.positions[c.name]]) is not None for c in columns)
            place = " and ".join(header.published[c.name] for c in columns)
            reason = f"is not a valid date, written as {examples(layout.period)}"
            faults.append(Fault("TIME_INVALID", number, place, value if is_told else None, reason))
    if not faults:
        faults = code_lists.row_faults(number, row, header, layout)
    return faults
