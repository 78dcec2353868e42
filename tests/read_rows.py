"""A file as the loader reads it, for tests of readers."""

from __future__ import annotations

from pathlib import Path

from ingest.declaration import Layout
from ingest.readers import delimited
from ingest.readers.faults import Fault, Faults, FaultyFile
from ingest.readers.rows import Rows
from ingest.readers.tables import Table, open_tables


def opened(file: Path, layout: Layout) -> tuple[list[Table], list[Fault]]:
    """The tables of a file, or what is wrong with it as a whole or with its headers."""
    try:
        return open_tables(file, layout), []
    except FaultyFile as faulty:
        return [], list(faulty.faults)


def faults_of(file: Path, layout: Layout) -> tuple[int, Faults]:
    """How many data rows a file has, and what is wrong with it."""
    tables, of_header = opened(file, layout)
    if of_header:
        return 0, Faults(of_header)
    rows = Rows(tables, file, layout)
    assert len(list(rows)) == rows.count
    return rows.count + rows.bad_rows, rows.faults


def begins_at(file: Path, layout: Layout) -> int | None:
    """The byte from which a file's bytes can go to COPY; None where they cannot."""
    (table,) = open_tables(file, layout)
    return delimited.rows_begin_at(file, table.header, layout)


def validated(file: Path, layout: Layout) -> delimited.Validated | None:
    """What Arrow says of a file whose bytes can go to COPY; None where some row is not clean."""
    (table,) = open_tables(file, layout)
    start = begins_at(file, layout)
    assert start is not None
    return delimited.validate(file, table.header, start, layout)
