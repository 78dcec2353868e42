"""Rows that are well formed and cannot be true: a code under another area's name, limits that a value lies outside of, shares above 100."""

from __future__ import annotations

import csv
import itertools
import math
from collections import defaultdict
from functools import cache
from pathlib import Path

from ingest.declaration import SEEDS, Layout
from ingest.readers.faults import Fault
from ingest.readers.headers import Header
from ingest.readers.text import folded


def has_rules(layout: Layout) -> bool:
    """Whether rows of a layout are held to anything here."""
    return bool(layout.area_names or layout.ascending or layout.percentages)


def row_faults(number: int, row: list[str], header: Header, layout: Layout) -> list[Fault]:
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
            faults.append(Fault(number, place, shown, "are not one area: the code is that of another"))
    for columns in layout.ascending:
        there = [column for column in columns if fields.get(column)]
        for lower, upper in itertools.pairwise(there):
            low, high = float(fields[lower]), float(fields[upper])
            # Both are printed from floating point.
            if low > high and not math.isclose(low, high, rel_tol=1e-9, abs_tol=1e-9):
                reason = f"is above {header.published[upper]}, {fields[upper]}"
                faults.append(Fault(number, header.published[lower], fields[lower], reason))
    for share in layout.percentages:
        is_one = any(fields.get(column) in values for column, values in share.only_where.items())
        if is_one and fields.get(share.column) and not 0 <= float(fields[share.column]) <= 100:
            reason = "is no percentage: it lies outside 0 to 100"
            faults.append(Fault(number, header.published[share.column], fields[share.column], reason))
    return faults


@cache
def _names(folder: Path = SEEDS) -> dict[str, set[str]]:
    """Every name that any publisher has for a borough or the City (folded), by code."""
    names: dict[str, set[str]] = defaultdict(set)
    with (folder / "area_aliases.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["area_code"].startswith("E09"):
                names[row["area_code"]].add(folded(row["published_name"]))
    return dict(names)
