"""Loads that stand in raw, or are set aside, as the ledger has them."""

from __future__ import annotations

import dataclasses
import datetime as dt

import psycopg
from psycopg.rows import class_row

from ingest.naming import label_by_hash


@dataclasses.dataclass(frozen=True)
class Load:
    """A load that stands in raw, or is set aside, as the ledger has it."""

    load_id: int
    source: str
    dataset: str
    part: str
    file_name: str
    landed_path: str
    rows_loaded: int
    label_counts: dict[str, int]
    totals: dict[str, float]
    release_date: dt.date
    landed_at: dt.datetime
    state: str
    reason: str | None
    code: str | None
    set_aside: dict[str, str]
    is_synthetic: bool
    doubt: dict[str, str]
    is_accepted: bool

    @property
    def label(self) -> str:
        """What messages call it."""
        sha256 = self.landed_path.rpartition("/")[2].partition(".")[0]
        return f"{self.source} {self.dataset}, {label_by_hash(self.source, self.file_name, sha256)}"

    @property
    def month(self) -> int:
        """Months since the year 0."""
        return int(self.part[:4]) * 12 + int(self.part[5:7]) - 1

    def by_month(self, label: str) -> dict[str, float]:
        """What it counts in each month (YYYY-MM): under a label of its own, or in all where that is empty."""
        if not label:
            return {month: total for month, total in self.totals.items() if month}
        begin = f"{label} "
        return {key.removeprefix(begin): n for key, n in self.label_counts.items() if key.startswith(begin)}


def read_loads(connection: psycopg.Connection) -> list[Load]:
    """Every load that stands in raw or is set aside, the oldest first."""
    with connection.cursor(row_factory=class_row(Load)) as cursor:
        return cursor.execute(
            """select l.load_id, l.source, l.dataset, l.part, l.file_name, l.landed_path, l.rows_loaded, l.label_counts, l.totals,
                   l.release_date, l.landed_at, l.state, l.reason, l.code, l.set_aside, l.is_synthetic, l.doubt,
                   exists (select from ops.acceptance as a
                           where a.source = l.source and a.dataset = l.dataset and a.sha256 = l.sha256) as is_accepted
               from ops.load as l where l.state in ('loaded', 'set_aside') order by l.load_id"""
        ).fetchall()
