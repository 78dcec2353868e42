"""A delivery: a file whose rows stand in raw, in a transaction that can still be undone. What the checks judge."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import psycopg
from psycopg import sql

from ingest.declaration import SEEDS, Dataset, Source
from ingest.opening import Opened
from ingest.readers.faults import NEXT_DAMAGED, Fault, Faults, FaultyFile, file_fault, some_of
from ingest.readers.month_columns import MonthFile

NEXT_NAME = "if its name is wrong, give it the name it was published under; if its rows are, fetch it again"

Labels = Mapping[str, int]  # rows by label


@dataclasses.dataclass(frozen=True)
class Copied:
    """What copying a file came to.

    Attributes:
        rows, raw_rows: its data rows that stand in raw now, and the rows of raw they made.
        quarantined: the faults of rows that were left out.
        first, last: the days it is about.
        totals: by month (YYYY-MM; empty: all of it) the sum of its values, or its rows.
        repeats: the numbers of the rows that repeat another and were left out.
    """

    rows: int
    raw_rows: int
    quarantined: list[Fault]
    first: dt.date | None
    last: dt.date | None
    totals: dict[str, float]
    repeats: Sequence[int] = ()

    @property
    def rows_quarantined(self) -> int:
        return len({(fault.sheet, fault.row) for fault in self.quarantined})


@dataclasses.dataclass(frozen=True)
class Delivery:
    """A file whose rows stand in raw.

    Attributes:
        cursor: of the transaction, as vru_loader.
        opened: the file.
        load_id: what its rows in raw have as `_load_id`.
        done: what was copied.
    """

    cursor: psycopg.Cursor
    opened: Opened
    load_id: int
    done: Copied

    @property
    def source(self) -> Source:
        return self.opened.file.source

    @property
    def name(self) -> str:
        """Which dataset it is of."""
        return self.opened.file.name

    @property
    def dataset(self) -> Dataset:
        return self.opened.file.dataset

    @property
    def part(self) -> str:
        """What its name says it is about (`part_pattern`); empty where it is about all of its dataset."""
        return self.opened.file.part

    @property
    def file_name(self) -> str:
        """The name it was published, or handed over, under."""
        return self.opened.file.landed.provenance.file_name

    @property
    def is_synthetic(self) -> bool:
        """Whether a stand-in publisher invented it."""
        return self.opened.file.landed.provenance.is_synthetic

    @property
    def table(self) -> sql.Identifier:
        """The raw table of its dataset."""
        return sql.Identifier("raw", self.opened.file.raw_table)

    def rows(self, query: str, **parts: sql.Composable) -> list[tuple[Any, ...]]:
        """Rows of a query over `delivered`, this delivery's rows in raw; `parts` take the places of their names in braces."""
        delivered = sql.SQL("with delivered as (select * from {} where _load_id = {})").format(
            self.table, sql.Literal(self.load_id)
        )
        return self.cursor.execute(delivered + sql.SQL(f" {query}").format(**parts)).fetchall()

    def refuse(self, code: str, reason: str, next_step: str = NEXT_DAMAGED) -> FaultyFile:
        """The refusal of the whole file, to be raised."""
        return FaultyFile([file_fault(code, reason)], self.done.rows, next_step)

    def has_column(self, name: str) -> bool:
        """Whether the file has a declared column (of several tables, the first)."""
        tables = self.opened.content.tables if isinstance(self.opened.content, MonthFile) else self.opened.content
        return name in tables[0].header.positions

    def faults_where(self, condition: sql.Composable, column: str, code: str, reason: str) -> list[Fault]:
        """A fault of each row of which a condition holds, at a column; of more than a thousand, of the first thousand and one."""
        declared = next(one for one in self.dataset.layout.columns if one.name == column)
        found = self.rows(
            "select _row_number, {column} from delivered where {condition} order by 1 limit {most}",
            column=sql.Identifier(column),
            condition=condition,
            most=sql.Literal(Faults.KEPT + 1),
        )
        return [Fault(code, number, declared.headers[0], value, reason) for number, value in found]

    def refuse_rows(self, faults: list[Fault]) -> FaultyFile:
        """The refusal of the whole file for some of its rows, to be raised."""
        faults = sorted(faults, key=lambda fault: fault.row)
        return FaultyFile(faults, self.done.rows)


@cache
def seed(name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of a seed of dbt's."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def borough_names() -> dict[str, str]:
    """Name by code of the 32 boroughs."""
    return {row["borough_code"]: row["borough_name"] for row in seed("boroughs")}


def area_names(codes: Sequence[str]) -> str:
    """Areas in words, by their codes: boroughs by name."""
    return some_of([area_name(code) for code in sorted(codes)])


def area_name(code: str) -> str:
    """An area in words, by its code: a borough by name."""
    return borough_names().get(code, code)
