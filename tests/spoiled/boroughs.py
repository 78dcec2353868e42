"""Ways in which people and publishers spoil a table of areas by months, and what becomes of each at the door.

The borough file of the Metropolitan Police, at the door alone, after an edition of a month before: the part of the proof that every run of
the tests repeats.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterable
from pathlib import Path

from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.errors import Refusal
from ingest.landing import LandedFile
from ingest.load import load
from tests.mps_files import borough_file
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings

Table = list[list[str]]
LABELS = 3  # columns before the months: two of the category, one of the borough
FIRST, LAST, NEXT = "202401", "202512", "202601"


def _each(
    change: Callable[[int], int], rows: Callable[[list[str]], bool] = lambda row: True, months: slice = slice(None)
) -> Callable[[Table], Table]:
    """A way that changes the counts of some rows in some months."""

    def spoil(table: Table) -> Table:
        places = range(LABELS, len(table[0]))[months]
        return [
            table[0],
            *(
                [str(change(int(cell))) if place in places and rows(row) else cell for place, cell in enumerate(row)]
                for row in table[1:]
            ),
        ]

    return spoil


def _rows(keep: Callable[[int, list[str]], bool]) -> Callable[[Table], Table]:
    """A way that leaves rows out."""
    return lambda table: [table[0], *(row for number, row in enumerate(table[1:]) if keep(number, row))]


def _columns(order: Callable[[list[int]], list[int]]) -> Callable[[Table], Table]:
    """A way that takes columns of months elsewhere or twice, with their headers."""
    return lambda table: [
        [row[place] for place in [*range(LABELS), *order(list(range(LABELS, len(row))))]] for row in table
    ]


def _labels(before: str, after: str, column: int = 2) -> Callable[[Table], Table]:
    """A way that writes another label in the place of one."""
    return lambda table: [
        table[0],
        *(
            [after if place == column and cell == before else cell for place, cell in enumerate(row)]
            for row in table[1:]
        ),
    ]


def _headers(rename: Callable[[int, str], str]) -> Callable[[Table], Table]:
    return lambda table: [
        [cell if place < LABELS else rename(place - LABELS, cell) for place, cell in enumerate(table[0])],
        *table[1:],
    ]


def _swapped(one: str, other: str) -> Callable[[Table], Table]:
    swap = {one: other, other: one}
    return lambda table: [table[0], *([row[0], row[1], swap.get(row[2], row[2]), *row[3:]] for row in table[1:])]


def _shuffled(table: Table) -> Table:
    counts = [row[LABELS:] for row in table[1:]]
    random.Random(1).shuffle(counts)  # noqa: S311
    return [table[0], *([*row[:LABELS], *of_another] for row, of_another in zip(table[1:], counts, strict=True))]


def _cell(text: str) -> Callable[[Table], Table]:
    return lambda table: [table[0], [*table[1][:-1], text], *table[2:]]


# Most ways may be of everything, of one borough, of the newest month or of one category.
WAYS: dict[str, Callable[[Table], Table]] = {
    "a borough is missing": _rows(lambda _, row: row[2] != "Camden"),
    "ten boroughs are missing": _rows(lambda _, row: row[2] > "Harrow"),
    "the boroughs are missing and Unknown is there": _rows(lambda _, row: row[2] == "Unknown"),
    "the last tenth of the rows is missing": lambda table: table[: len(table) * 9 // 10],
    "the first row is missing": lambda table: [table[0], *table[2:]],
    "every other row is missing": _rows(lambda number, _: number % 2 == 0),
    "a category is missing": lambda table: _rows(lambda _, row: row[1] != table[1][1])(table),
    "a borough stands twice": lambda table: [*table, *(row for row in table if row[2] == "Camden")],
    "every row stands twice": lambda table: [table[0], *(row for row in table[1:] for _ in range(2))],
    "a month is missing": _columns(lambda places: [*places[:5], *places[6:]]),
    "the newest month is missing": _columns(lambda places: places[:-1]),
    "a month stands twice": _columns(lambda places: [*places[:5], places[5], *places[5:]]),
    "two months have changed places": _columns(lambda places: [*places[:5], places[6], places[5], *places[7:]]),
    "the months are in another order": _columns(lambda places: places[::-1]),
    "the headers are of a year before": _headers(lambda _, month: f"{int(month[:4]) - 1}{month[4:]}"),
    "the headers are of a month after": _headers(
        lambda _, month: f"{int(month) + 1 if month[4:] < '12' else int(month) + 89}"
    ),
    "the headers are of a century before": _headers(lambda _, month: f"19{month[2:]}"),
    "the headers are of days": _headers(lambda _, month: f"{month}01"),
    "the headers are numbers": _headers(lambda place, _: str(place)),
    "the headers are blank": _headers(lambda _, __: ""),
    "one header is blank": _headers(lambda place, month: "" if place == 4 else month),
    "one header says a month twice": _headers(lambda place, month: FIRST if place == 4 else month),
    "there is no header": lambda table: table[1:],
    "the header stands twice": lambda table: [table[0], *table],
    "the header is alone": lambda table: table[:1],
    "there is nothing": lambda table: [],
    "everything is ten times as much": _each(lambda count: 10 * count),
    "everything is a tenth": _each(lambda count: count // 10),
    "everything is 11 percent less": _each(lambda count: count * 89 // 100),
    "everything is half": _each(lambda count: count // 2),
    "everything is double": _each(lambda count: 2 * count),
    "everything is 0": _each(lambda count: 0),
    "everything is 1": _each(lambda count: 1),
    "every sign is turned": _each(lambda count: -count),
    "the newest month is ten times as much": _each(lambda count: 10 * count, months=slice(-1, None)),
    "the newest month is half there": _each(lambda count: count // 2, months=slice(-1, None)),
    "the newest month is a tenth": _each(lambda count: count // 10, months=slice(-1, None)),
    "the newest month is 0": _each(lambda count: 0, months=slice(-1, None)),
    "a month in the middle is a tenth": _each(lambda count: count // 10, months=slice(10, 11)),
    "a month in the middle is 0": _each(lambda count: 0, months=slice(10, 11)),
    "a month in the middle is ten times as much": _each(lambda count: 10 * count, months=slice(10, 11)),
    "the oldest month is a tenth": _each(lambda count: count // 10, months=slice(1)),
    "a borough is ten times as much": _each(lambda count: 10 * count, lambda row: row[2] == "Camden"),
    "a borough is 0": _each(lambda count: 0, lambda row: row[2] == "Camden"),
    "a borough is 0 in the newest month": _each(lambda count: 0, lambda row: row[2] == "Camden", slice(-1, None)),
    "half of all has no borough": _each(lambda count: 900, lambda row: row[2] == "Unknown"),
    "two boroughs have changed places": _swapped("Camden", "Bromley"),
    "all rows have changed places": _shuffled,
    "a borough has the name of another": _labels("Camden", "Barnet"),
    "a borough has a name that nobody knows": _labels("Camden", "Camdenshire"),
    "a borough has its code": _labels("Camden", "E09000007"),
    "a borough has no name": _labels("Camden", ""),
    "a category has a name that nobody knows": lambda table: _labels(table[1][1], "ANOTHER CATEGORY", 1)(table),
    "a category is merged into another": lambda table: _labels(table[1][1], table[-1][1], 1)(table),
    "a count is a word": _cell("many"),
    "a count is blank": _cell(""),
    "a count is a fraction": _cell("1.5"),
    "a count has a comma": _cell("1,234"),
    "a count is below 0": _cell("-1"),
    "a count is a spreadsheet's error": _cell("#REF!"),
    "a count is rounded by a spreadsheet": _cell("1E+03"),
    "a count is a date": _cell("05-Jan"),
    "a row is cut": lambda table: [*table[:-1], table[-1][:-4]],
    "a row is too long": lambda table: [*table[:-1], [*table[-1], "7"]],
    "a row of totals is below": lambda table: [*table, ["TOTAL", "TOTAL", "Total", *table[1][LABELS:]]],
    "rows and columns have changed places": lambda table: [list(column) for column in zip(*table, strict=True)],
}


def spoiled(way: str) -> bytes:
    """The next month's file, spoiled in a way."""
    table = list(csv.reader(io.StringIO(borough_file(FIRST, NEXT).decode())))
    text = io.StringIO()
    csv.writer(text).writerows(WAYS[way](table))
    return text.getvalue().encode()


def at_the_door(home: Settings, folder: Path, ways: Iterable[str] = tuple(WAYS)) -> dict[str, str]:
    """The code with which the door refuses each, after a good file of the month before; empty where it passes."""
    mps = find_source("mps")

    def landed(body: bytes) -> LandedFile:
        file = folder / "file.csv"
        file.write_bytes(body)
        return file_drop.take(home.landing, mps, "borough_recent", file, home.now())

    found: dict[str, str] = {}
    with connect(home, LOADER, autocommit=True) as connection:
        load(connection, mps, "borough_recent", landed(borough_file(FIRST, LAST)), home.now(), home.landing)
        for way in ways:
            try:
                # Undone, or the next would be measured by this one.
                with connection.transaction(force_rollback=True):
                    load(connection, mps, "borough_recent", landed(spoiled(way)), home.now(), home.landing)
            except Refusal as refusal:
                found[way] = refusal.code
            else:
                found[way] = ""
    return found
