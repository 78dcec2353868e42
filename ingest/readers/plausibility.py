"""Rows that are well formed and cannot be true: a code under another area's name, limits that a value lies outside of, shares above 100."""

from __future__ import annotations

import csv
import itertools
import math
from collections import defaultdict
from decimal import Decimal
from functools import cache
from pathlib import Path

from ingest.declaration import SEEDS, Layout, Range
from ingest.readers import code_lists
from ingest.readers.faults import Fault
from ingest.readers.headers import Header
from ingest.readers.numbers import number_of, outside
from ingest.readers.text import folded


def has_rules(layout: Layout) -> bool:
    """Whether rows of a layout are held to anything here."""
    return bool(layout.area_names or layout.ascending or layout.ranges)


def row_faults(row_number: int, row: list[str], header: Header, layout: Layout) -> list[Fault]:
    """What cannot be true in a row whose fields are each as declared."""
    faults = []
    fields = {name: row[position].strip() for name, position in header.positions.items()}
    rule = layout.area_names
    if rule and fields.get(rule.code) and fields.get(rule.name):
        # Codes of one publisher carry a stray n before them.
        names = _names().get(fields[rule.code].removeprefix("n"))
        if names and folded(fields[rule.name]) not in names:
            place = f"{header.published[rule.code]} and {header.published[rule.name]}"
            shown = f"{fields[rule.code]} / {fields[rule.name]}"
            faults.append(
                Fault(
                    "LABEL_OF_ANOTHER_CODE", row_number, place, shown, "are not one area: the code is that of another"
                )
            )
    numbers = {column.name: column.number for column in layout.columns if column.number}

    def number(column: str) -> Decimal | None:
        """What a column holds; None where that is no number, or stands for no value."""
        found = number_of(fields.get(column, ""))
        declared = numbers.get(column)
        return None if declared and found is not None and found == declared.no_value else found

    for columns in layout.ascending:
        there = [(column, value) for column in columns if (value := number(column)) is not None]
        for (lower, low), (upper, high) in itertools.pairwise(there):
            # Both are printed from floating point.
            if low > high and not math.isclose(low, high, rel_tol=1e-9, abs_tol=1e-9):
                reason = f"is above {header.published[upper]}, {fields[upper]}"
                faults.append(Fault("VALUES_CONTRADICT", row_number, header.published[lower], fields[lower], reason))
    for narrower in layout.ranges:
        if not _is_in(narrower, fields, layout):
            continue
        for column in narrower.columns:
            value = number(column)
            wrong = None if value is None else outside(value, narrower.at_least, narrower.at_most)
            if wrong:
                faults.append(Fault(wrong.code, row_number, header.published[column], fields[column], wrong.reason))
    return faults


def _is_in(narrower: Range, fields: dict[str, str], layout: Layout) -> bool:
    """Whether a row is one that a range is about."""
    if narrower.where_listed:
        key = tuple(fields.get(column, "") for column in narrower.where_listed.columns)
        if code_lists.unlisted(narrower.where_listed, {key}, layout):
            return False
    return not narrower.only_where or any(fields.get(name) in values for name, values in narrower.only_where.items())


@cache
def _names(folder: Path = SEEDS) -> dict[str, set[str]]:
    """Every name that any publisher has for a borough or the City (folded), by code."""
    names: dict[str, set[str]] = defaultdict(set)
    with (folder / "area_aliases.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["area_code"].startswith("E09"):
                names[row["area_code"]].add(folded(row["published_name"]))
    return dict(names)
