"""The rows of a file as the loader reads them one by one, for tests of readers."""

from __future__ import annotations

from pathlib import Path

from ingest.declaration import Layout
from ingest.readers.faults import Faults
from ingest.readers.rows import Rows
from ingest.readers.tables import open_tables


def faults_of(file: Path, layout: Layout) -> tuple[int, Faults]:
    """How many data rows a file has, and what is wrong with it."""
    tables, of_header = open_tables(file, layout)
    if of_header:
        return 0, Faults(of_header)
    rows = Rows(tables, file, layout)
    assert len(list(rows)) == rows.count
    return rows.count + rows.bad_rows, rows.faults
