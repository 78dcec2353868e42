"""Whether what a page shows is what the marts say: each table as the file of rows beside it, each file as its own SQL gives it, by the edition's role."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from tests.site_pages import Tables
from warehouse.exports.values import without_formula
from warehouse.platform.connection import connect
from warehouse.platform.settings import Settings, settings
from warehouse.site import formats
from warehouse.site.areas import EDITIONS

Rows = list[dict[str, str]]


def main() -> int:
    """Look at every page of a site's folder. Exit status 1 where a value differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", required=True, type=Path)
    parser.add_argument("--areas", default="", help="folders of packs; all where it is left out")
    asked = parser.parse_args()
    areas = set(filter(None, asked.areas.split(",")))
    wrong, count = [], 0
    for edition in EDITIONS:
        for place in sorted((asked.site / edition).iterdir()):
            if (place / "data").is_dir() and (not areas or place.name in areas):
                tables, files = of_pages(place), of_files(place / "data", settings(), EDITIONS[edition])
                for told in (*tables, *files):
                    count += 1
                    wrong += [f"{edition}/{place.name}: {one}" for one in told]
    print("\n".join(wrong[:40]))
    print(
        f"{count} tables and files of rows: {f'FAILED, {len(wrong)} values differ' if wrong else 'every value is the marts'}"
    )
    return 1 if wrong else 0


def differing(folder: Path, given: Settings, role: str) -> list[str]:
    """What is wrong in one pack: values, and titles of more than ten words."""
    titles = [
        json.loads(file.read_text(encoding="utf-8"))["title"] for file in sorted((folder / "data").glob("*.json"))
    ]
    told = [*of_pages(folder), *of_files(folder / "data", given, role)]
    assert len(told) == 2 * len(titles) > 0
    return [*(wrong for one in told for wrong in one), *(title for title in titles if len(title.split()) > 10)]


def of_pages(folder: Path) -> Iterator[list[str]]:
    """Of each figure's table on the pages of a folder, what its file of rows says otherwise."""
    tables = [
        (caption, page.name, rows)
        for page in sorted(folder.glob("*.html"))
        for caption, rows in Tables(page).by_caption.items()
    ]
    for file in sorted((folder / "data").glob("*.json")):
        about = json.loads(file.read_text(encoding="utf-8"))
        rows = read(file.with_suffix(".csv"))
        alike = [
            (page, shown)
            for caption, page, shown in tables
            if caption == about["title"] and len(shown) == len(rows) and len(shown[0]) == len(about["columns"])
        ]
        if not alike:
            yield [f"{file.stem}: no page has a table of its {len(rows)} rows"]
            continue
        page, shown = alike[0]
        yield [
            f"{page} {file.stem}: {column['name']} is {cell!r}, and {row[column['name']]!r} in the file"
            for cells, row in zip(shown, rows, strict=True)
            for cell, column in zip(cells, about["columns"], strict=True)
            if not is_alike(cell.strip(), row[column["name"]], column["kind"])
        ]


def of_files(folder: Path, given: Settings, role: str) -> Iterator[list[str]]:
    """Of each file of rows, those which its SQL does not give."""
    with connect(given, role) as connection, connection.cursor(row_factory=dict_row) as cursor:
        for file in sorted(folder.glob("*.json")):
            told = json.loads(file.read_text(encoding="utf-8"))["sql"].rstrip(";")
            answers = cursor.execute(told.encode()).fetchall()
            # A page calls offences of homicide by another name than the mart, to tell them from victims.
            names = [name for name in answers[0] if name != "measure_name"] if answers else []
            held = Counter(tuple(_written(row[name]) for name in names) for row in answers)
            lacking = Counter(tuple(row[name] for name in names) for row in read(file.with_suffix(".csv"))) - held
            yield [f"{file.stem}: the SQL does not give {row}" for row in lacking]


def read(file: Path) -> Rows:
    """The rows of a CSV file."""
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def is_alike(cell: str, value: str, kind: str) -> bool:
    """Whether a cell shows a value of the file: numbers to the digits it shows, text as it is; flags and days by the words of their column are not looked at."""
    if kind not in formats.NUMERIC and kind not in ("text", "long", "code"):
        return True
    if not value or cell in (formats.MISSING, "[low]"):
        return (cell == formats.MISSING) == (not value)
    if kind not in formats.NUMERIC:
        return " ".join(cell.split()) == " ".join((value.replace("_", " ") if kind == "code" else value).split())
    number = cell.replace(",", "").rstrip("%").replace("\N{MINUS SIGN}", "-")
    places = len(number.partition(".")[2])
    return abs(float(number) - float(value)) <= 0.5 * 10**-places + 1e-9


def _written(value: Any) -> str:
    plain = without_formula(value) if isinstance(value, str) else formats.plain(value)
    return "" if plain is None else str(plain)


if __name__ == "__main__":
    sys.exit(main())
