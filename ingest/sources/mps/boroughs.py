"""Files by borough: each category that a whole file has, once for each of the boroughs.

A file cut at the end of a line looks whole; this is how the two are distinguished.
"""

from __future__ import annotations

from ingest.delivery import borough_names, seed
from ingest.readers import code_lists
from ingest.readers.faults import HEADER, Fault, some_of
from ingest.readers.month_columns import MonthFile, MonthTable
from ingest.readers.text import folded

CATEGORY = ("major_text", "minor_text")


def faults_of(file: MonthFile, categories: code_lists.Listed) -> list[Fault]:
    """What a file by borough lacks, and what it counts twice.

    Args:
        file: the file, faultless as far as its rows say by themselves.
        categories: its declared list of categories.
    """
    assert file.vintage is not None  # noqa: S101 - a file by borough has categories of one vintage
    table, code_of = file.tables[0], categories.code_of[file.vintage]
    area_of = {
        folded(row["published_name"]): row["area_code"] for row in seed("area_aliases") if row["source"] == "mps"
    }
    rows = [
        (number, row, code_of[tuple(folded(_field(table, row, column)) for column in CATEGORY)], area_of[folded(_field(table, row, "borough_name"))])
        for number, row in table.rows
    ]  # fmt: skip
    there: dict[str, set[str]] = {code: set() for code in categories.everywhere[file.vintage]}
    for _, _, code, area in rows:
        if code in there:
            there[code].add(area)
    label_of = {area: label for label, area in reversed(area_of.items())}
    boroughs = borough_names().keys()
    missing = []
    for code, areas in sorted(there.items()):
        if boroughs - areas:
            reason = (
                f"has no row for {some_of(sorted(label_of[area] for area in boroughs - areas))}: the file is cut short"
            )
            missing.append(Fault("AREAS_MISSING", HEADER, code, None, reason))
    return [*missing, *_counted_twice(table, [one for one in rows if one[3] in boroughs])]


def _field(table: MonthTable, row: list[str], column: str) -> str:
    return row[table.header.positions[column]]


def _counted_twice(table: MonthTable, rows: list[tuple[int, list[str], str, str]]) -> list[Fault]:
    """Rows that say the same of one area under two spellings, and both count something in a month: their sum would be double.

    A publisher may split a category between two labels from one month to the next; then one of them is 0 where the other is not. Of what
    is no borough there may be several labels.
    """
    first: dict[tuple[str, str], list[tuple[int, list[str]]]] = {}
    faults = []
    for number, row, code, area in rows:
        for other_number, other in first.setdefault((code, area), []):
            both = [
                column.header
                for column in table.header.months
                if row[column.place].strip("0") and other[column.place].strip("0")
            ]
            if both:
                label = " / ".join(_field(table, row, column) for column in (*CATEGORY, "borough_name"))
                reason = f"counts the same as row {other_number} under another spelling, in {both[0]}"
                faults.append(Fault("ROW_REPEATED", number, "the row", label, reason))
        first[code, area].append((number, row))
    return faults


def area_codes() -> dict[str, str]:
    """Code of an area by each label that the police have for it (folded)."""
    return {folded(row["published_name"]): row["area_code"] for row in seed("area_aliases") if row["source"] == "mps"}
