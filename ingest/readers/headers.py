"""Which published column is which: by name, never by position."""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ingest.declaration import Layout, MonthColumns
from ingest.readers.bounds import COLUMNS
from ingest.readers.faults import Fault, file_fault, header_fault, some_of
from ingest.readers.text import folded

# "24-May" may be a day of this year, 01/05/2024 the fifth of January.
SAVE_MONTH = "write each month as 2024-05 (in Excel: Format Cells, Custom, yyyy-mm) and save again"
COMPARED = 12  # unknown names that are compared with the declared ones: a whole file may stand on its first line
# What a cell of a row looks like and no name does: no letter and some digit, or a number or a date that has letters.
_IS_A_CELL = re.compile(
    r"[^a-z]*\d[^a-z]*"
    r"|[-+]?\d[\d.,]*e[-+]?\d+"
    r"|\d{4}-\d\d-\d\dt[\d:.]+(z|[-+][\d:]+)?"
    r"|(\d{1,2}[ -])?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ -]\d{2,4}( [\d:.]+)?"
)
_NAMES_A_MONTH = re.compile(
    r"(?<![a-z])(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)"
    r"(?![a-z])"
)


class MonthColumn(NamedTuple):
    """A month's column: its place (0 is the first), its header as published, the month (YYYYMM)."""

    place: int
    header: str
    month: str


@dataclasses.dataclass(frozen=True)
class Header:
    """Where each declared column stands in a file, and where its months do."""

    width: int
    positions: dict[str, int]  # declared column name -> index
    published: dict[str, str]  # declared column name -> header as published
    months: tuple[MonthColumn, ...]  # in the order of the months
    # Headers that no column declares: left out of raw, noted as drift. Of a feed of persons their places, in words.
    unknown: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()  # declared columns that may be missing and are: blank in raw, noted as drift


def column_label(names: Sequence[str], index: int) -> str:
    """What a message calls a column: its name, or its place where it has none."""
    return names[index] if names[index].strip() else f"column {index + 1} (without a name)"


def resolve(names: Sequence[str], layout: Layout) -> tuple[Header, list[Fault]]:
    """Match the first line of a file with its declaration.

    Args:
        names: the headers as published.

    Returns:
        The header, and everything that is wrong with it (then it is of no use).
    """
    if len(names) > COLUMNS:
        reason = f"has {len(names):,} columns, and a file may have {COLUMNS:,}"
        return Header(len(names), {}, {}, ()), [header_fault("FILE_TOO_LARGE", reason)]
    wanted = {folded(alias): column.name for column in layout.columns for alias in column.headers}
    patterns = [(re.compile(c.header_pattern), c.name) for c in layout.columns if c.header_pattern]
    is_month = re.compile(layout.month_columns.header_pattern, re.ASCII) if layout.month_columns else None
    positions: dict[str, int] = {}
    published: dict[str, str] = {}
    months: list[MonthColumn] = []
    faults: list[Fault] = []
    unknown: list[int] = []
    for index, name in enumerate(names):
        column = wanted.get(folded(name)) or next((c for p, c in patterns if p.fullmatch(name.strip())), None)
        if column is not None:
            if column in positions:
                # What only matches a pattern may be a value.
                shown = name if folded(name) in wanted or not layout.is_of_people else None
                faults.append(header_fault("COLUMN_REPEATED", f"is a second column for {column}", shown))
            positions[column] = index
            published[column] = name
        elif layout.month_columns and is_month and is_month.fullmatch(name.strip()):
            month = month_of(name.strip(), layout.month_columns)
            if month is None:
                faults.append(
                    header_fault(
                        "HEADER_UNKNOWN", f"is not a month written as {layout.month_columns.header_forms}", name
                    )
                )
            else:
                months.append(MonthColumn(index, name.strip(), month))
        elif is_month and _may_be_a_month(name):
            # To leave it out would lose a month. What is no month by its name is judged by its cells.
            faults.append(header_fault("HEADER_UNKNOWN", f"is not known (column {index + 1}){_advice(name)}", name))
        else:
            unknown.append(index)
    if layout.is_of_people and not positions:
        # Without a header, the first line is of a person like the rest.
        reason = f"is not a file of this dataset: its first line ({len(names)} fields, not shown) has none of the declared columns"
        return Header(len(names), {}, {}, ()), [header_fault("NOT_THE_FILE", reason)]
    month_faults = _month_faults(months, names) if layout.month_columns else []
    missing = [column for column in layout.columns if column.name not in positions and not column.may_be_missing]
    every = [column_label(names, index) for index in range(len(names))]
    unknown_names = _places(names, unknown, wanted) if layout.is_of_people else [every[index] for index in unknown]
    has = some_of([name for name in names if folded(name) in wanted] if layout.is_of_people else every)
    no_header = _no_header(names, unknown, positions, len(missing), layout)
    faults[:0] = no_header
    if layout.is_of_people and unknown and (missing or no_header):
        count = "a column that is" if len(unknown) == 1 else f"{len(unknown)} columns that are"
        faults.append(header_fault("HEADER_UNKNOWN", f"has {count} not known: {some_of(unknown_names)}"))
    elif missing or month_faults:
        # Where a known column or a month is missing, an unknown one may be it under a new name.
        faults += [header_fault("HEADER_UNKNOWN", f"is not known (column {i + 1})", names[i]) for i in unknown]
    faults += [
        header_fault(
            "COLUMN_MISSING",
            f"has no column for {c.name} (any of: {', '.join(c.headers) or c.header_pattern})"
            + ("" if number else f"; it has {has}"),
        )
        for number, c in enumerate(missing)
    ]
    period = layout.period
    if period and period.else_columns and period.column not in positions:
        # Each may be missing, but then the others say the time.
        faults += [
            header_fault("COLUMN_MISSING", f"has no column for {period.column}, and none for {name}; it has {has}")
            for name in period.else_columns
            if name not in positions
        ]
    faults += month_faults
    months.sort(key=lambda column: (column.month, column.place))
    absent = tuple(column.name for column in layout.columns if column.name not in positions)
    return Header(len(names), positions, published, tuple(months), tuple(unknown_names), absent), faults


def _places(names: Sequence[str], unknown: Sequence[int], wanted: Iterable[str]) -> list[str]:
    """Where the unknown names of a feed of persons stand, and which declared one each is close to.

    The names themselves may be of persons: where a line end was lost, they are the fields of a row.
    """
    places = [f"column {index + 1}" for index in unknown]
    declared = list(wanted)
    for number, index in enumerate(unknown[:COMPARED]):
        close = difflib.get_close_matches(folded(names[index]), declared, n=1, cutoff=0.8)
        places[number] += f" (close to {close[0]!r})" if close else ""
    return places


def _no_header(
    names: Sequence[str], unknown: Sequence[int], positions: dict[str, int], missing: int, layout: Layout
) -> list[Fault]:
    """Why the first line is no header of ours, or not one alone: it has fields of a row, or is mostly of unknown columns."""
    if not unknown or not positions:
        return []
    # A blank is none: spreadsheets leave a separator too many behind every row.
    cells = [index for index in unknown if _IS_A_CELL.fullmatch(folded(names[index]))]
    # A lost line end puts the row behind the header, or its first field into the header's last name, which is then the one missing.
    is_behind = unknown[0] > max(positions.values()) and layout.sheets is None
    is_a_row = missing <= 1 and len(unknown) >= len(positions) + missing
    if is_behind and (cells or is_a_row):
        reason = "is damaged: the header goes on into a row: a line end is missing"
        return [file_fault("FILE_DAMAGED", f"{reason} (its first line has {len(names)} fields)")]
    if cells:
        where = some_of([f"column {index + 1}" for index in cells])
        reason = f"has a number or a date where the name of a column should be: {where}"
        return [header_fault("NOT_THE_FILE", reason)]
    # A renamed column, which is missing too, is better reported as renamed; of persons nothing is shown either way.
    is_too_many = 2 * len(unknown) > len(positions) if layout.is_of_people else len(unknown) >= len(positions)
    if is_too_many and (layout.is_of_people or not missing):
        reason = f"is not one that we know: {len(positions)} of its columns are declared and {len(unknown)} are not"
        return [header_fault("HEADER_UNKNOWN", reason)]
    return []


def _may_be_a_month(name: str) -> bool:
    """Whether an unknown header may be a month written otherwise: it names one, has a digit of any script, or nothing to read."""
    normal = unicodedata.normalize("NFKC", name)
    seen = "".join(c for c in normal if c.isspace() or unicodedata.category(c) not in {"Cc", "Cf"})
    is_blank = not any(c.isalpha() for c in seen)
    return is_blank or any(c.isnumeric() for c in name) or _NAMES_A_MONTH.search(seen.casefold()) is not None


def _advice(name: str) -> str:
    """How to save a header that names a month and may be a day, or another month."""
    is_month = _NAMES_A_MONTH.search(name.casefold()) or re.fullmatch(r"[\d/.-]{4,10}", name.strip())
    return f": {SAVE_MONTH}" if is_month else ""


def month_of(header: str, declared: MonthColumns) -> str | None:
    """The month (YYYYMM) that a header says; None where it is written in none of the declared forms."""
    for form in declared.header_forms:
        try:
            return dt.datetime.strptime(header, form).strftime("%Y%m")
        except ValueError:
            continue
    return None


def _month_faults(months: list[MonthColumn], names: Sequence[str]) -> list[Fault]:
    if not months:
        return [
            header_fault(
                "COLUMN_MISSING",
                f"has no month column (YYYYMM); it has {some_of([column_label(names, index) for index in range(len(names))])}",
            )
        ]
    faults = []
    first: dict[str, MonthColumn] = {}
    for column in months:
        earlier = first.setdefault(column.month, column)
        if earlier is column:
            continue
        same = "is repeated" if earlier.header == column.header else f"is the same month as {earlier.header!r}"
        faults.append(
            header_fault(
                "COLUMN_REPEATED", f"{same} (columns {earlier.place + 1} and {column.place + 1})", column.header
            )
        )
    present = set(first)
    gaps = [m for m in months_between(min(present), max(present)) if m not in present]
    if gaps:
        faults.append(header_fault("MONTHS_MISSING", f"lacks the month{'s' * (len(gaps) > 1)} {some_of(gaps)}"))
    return faults


def months_between(first: str, last: str) -> list[str]:
    """Every month from first to last, both as YYYYMM and both included."""
    start = int(first[:4]) * 12 + int(first[4:]) - 1
    end = int(last[:4]) * 12 + int(last[4:]) - 1
    return [f"{n // 12}{n % 12 + 1:02d}" for n in range(start, end + 1)]
