"""Invented MPS borough files in each published form: whole, small, and the same for the same arguments."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from ingest.declaration import SEEDS
from ingest.readers.headers import months_between

HEADERS = {
    "pre_2019": ("Major Category", "Minor Category", "Borough"),
    "2019": ("MajorText", "MinorText", "LookUp_BoroughName"),
    "connect_2024": ("MajorText", "MinorText", "BoroughName"),
    "connect_2025": ("MajorText", "MinorText", "BoroughName"),
    "bocu": ("Group", "SubGroup", "BOCU"),
}
Cell = tuple[str, str, str]  # minor category, borough, month


def boroughs() -> list[str]:
    """The 32 boroughs as the ONS spells them."""
    with (SEEDS / "boroughs.csv").open(encoding="utf-8", newline="") as file:
        return [row["borough_name"] for row in csv.DictReader(file)]


def categories(vintage: str) -> list[tuple[str, str]]:
    """(major, minor) of a vintage, one spelling a measure."""
    with (SEEDS / "mps_category.csv").open(encoding="utf-8", newline="") as file:
        of_measure = {
            row["measure_code"]: (row["published_major"], row["published_minor"])
            for row in csv.DictReader(file)
            if row["category_vintage"] == vintage
        }
    return sorted(of_measure.values())


def count(category: int, area: int, month: str) -> int:
    """An invented count, of the size that tells cells apart."""
    return (category * 7 + area * 3 + int(month[4:])) % 50 + 1


def borough_file(
    first: str,
    last: str,
    *,
    vintage: str = "connect_2025",
    header: str | None = None,
    areas: Iterable[str] | None = None,
    cells: Mapping[Cell, object] | None = None,
    line_end: str = "\r\n",
    bom: bool = False,
) -> bytes:
    """A file with a column per month.

    Args:
        first, last: its months (YYYYMM), both included.
        vintage: whose categories it has; `header` chooses another vintage's column names.
        areas: labels instead of the 32 boroughs and Unknown.
        cells: values that replace invented ones, by minor category, label and month.
    """
    names = HEADERS[header or vintage]
    months = months_between(first, last)
    labels = list(areas) if areas is not None else [*boroughs(), "Unknown"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    if vintage == "pre_2019":
        writer.writerow([names[2], names[0], names[1], *months])
    else:
        writer.writerow([*names, *months])
    for c, (major, minor) in enumerate(categories(vintage)):
        for a, label in enumerate(labels):
            # Unknown is a small share of every month, as it is in a good month of the real file.
            values = [
                (cells or {}).get((minor, label, m), count(c, a, m) if label != "Unknown" else c % 4 // 3)
                for m in months
            ]
            row = [label, major, minor] if vintage == "pre_2019" else [major, minor, label]
            writer.writerow([*row, *values])
    return (b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode()
