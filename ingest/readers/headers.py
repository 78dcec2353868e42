"""Which published column is which: by name, never by position."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

from ingest.declaration import Layout, MonthColumns
from ingest.readers.faults import HEADER, Fault, some_of
from ingest.readers.text import folded


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
    unknown: tuple[str, ...] = ()  # headers that no column declares: left out of raw, noted as drift
    absent: tuple[str, ...] = ()  # declared columns that may be missing and are: blank in raw, noted as drift


def resolve(names: Sequence[str], layout: Layout) -> tuple[Header, list[Fault]]:
    """Match the first line of a file with its declaration.

    Args:
        names: the headers as published.

    Returns:
        The header, and everything that is wrong with it (then it is of no use).
    """
    wanted = {folded(alias): column.name for column in layout.columns for alias in column.headers}
    patterns = [(re.compile(c.header_pattern), c.name) for c in layout.columns if c.header_pattern]
    is_month = re.compile(layout.month_columns.header_pattern, re.ASCII) if layout.month_columns else None
    positions: dict[str, int] = {}
    published: dict[str, str] = {}
    months: list[MonthColumn] = []
    faults: list[Fault] = []
    unknown: list[str] = []
    for index, name in enumerate(names):
        column = wanted.get(folded(name)) or next((c for p, c in patterns if p.fullmatch(name.strip())), None)
        if column is not None:
            if column in positions:
                faults.append(Fault(HEADER, "header", name, f"is a second column for {column}"))
            positions[column] = index
            published[column] = name
        elif layout.month_columns and is_month and is_month.fullmatch(name.strip()):
            month = _month_of(name.strip(), layout.month_columns)
            if month is None:
                faults.append(
                    Fault(HEADER, "header", name, f"is no month written as {layout.month_columns.header_forms}")
                )
            else:
                months.append(MonthColumn(index, name.strip(), month))
        elif is_month:
            # It may be a month under another name, and to leave it out would lose one.
            faults.append(Fault(HEADER, "header", name, f"is not known (column {index + 1})"))
        else:
            unknown.append(name)
    if layout.is_of_people and not positions:
        # Without a header, the first line is of a person like the rest.
        reason = (
            f"is none of this dataset: no column of ours is in the first line, whose {len(names)} fields are not shown"
        )
        return Header(len(names), {}, {}, ()), [Fault(HEADER, "header", None, reason)]
    missing = [column for column in layout.columns if column.name not in positions and not column.may_be_missing]
    if missing:
        # Where a known column is missing, an unknown one may be it under a new name.
        faults += [Fault(HEADER, "header", name, f"is not known (column {names.index(name) + 1})") for name in unknown]
    faults += [
        Fault(
            HEADER,
            "header",
            None,
            f"has no column for {c.name} (any of: {', '.join(c.headers) or c.header_pattern})"
            + ("" if number else f"; it has {some_of(names)}"),
        )
        for number, c in enumerate(missing)
    ]
    period = layout.period
    if period and period.else_columns and period.column not in positions:
        # Each may be missing, but then the others say the time.
        faults += [
            Fault(
                HEADER,
                "header",
                None,
                f"has no column for {period.column}, and none for {name}; it has {some_of(names)}",
            )
            for name in period.else_columns
            if name not in positions
        ]
    if layout.month_columns:
        faults += _month_faults(months, names)
    months.sort(key=lambda column: (column.month, column.place))
    absent = tuple(column.name for column in layout.columns if column.name not in positions)
    return Header(len(names), positions, published, tuple(months), tuple(unknown), absent), faults


def _month_of(header: str, declared: MonthColumns) -> str | None:
    for form in declared.header_forms:
        try:
            return dt.datetime.strptime(header, form).strftime("%Y%m")
        except ValueError:
            continue
    return None


def _month_faults(months: list[MonthColumn], names: Sequence[str]) -> list[Fault]:
    if not months:
        return [Fault(HEADER, "header", None, f"has no month column (YYYYMM); it has {some_of(names)}")]
    faults = []
    first: dict[str, MonthColumn] = {}
    for column in months:
        earlier = first.setdefault(column.month, column)
        if earlier is column:
            continue
        same = "is repeated" if earlier.header == column.header else f"is the same month as {earlier.header!r}"
        faults.append(
            Fault(HEADER, "header", column.header, f"{same} (columns {earlier.place + 1} and {column.place + 1})")
        )
    present = set(first)
    gaps = [m for m in months_between(min(present), max(present)) if m not in present]
    if gaps:
        faults.append(Fault(HEADER, "header", None, f"lacks the month{'s' * (len(gaps) > 1)} {some_of(gaps)}"))
    return faults


def months_between(first: str, last: str) -> list[str]:
    """Every month from first to last, both as YYYYMM and both included."""
    start = int(first[:4]) * 12 + int(first[4:]) - 1
    end = int(last[:4]) * 12 + int(last[4:]) - 1
    return [f"{n // 12}{n % 12 + 1:02d}" for n in range(start, end + 1)]
