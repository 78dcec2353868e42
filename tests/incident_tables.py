"""A small table of incidents, its layout, and how a reader takes a file of it."""

from __future__ import annotations

from pathlib import Path

from ingest.declaration import Layout
from ingest.readers.rows import Rows
from tests.read_rows import opened

COLUMNS = [
    {"name": "borough_name", "headers": ["Borough"]},
    {"name": "incident_count", "headers": ["Incidents"], "pattern": r"\d{1,4}"},
    {"name": "note", "headers": ["Note"], "may_be_blank": True, "may_be_missing": True},
    {
        "name": "age",
        "headers": ["Age"],
        "number": {"at_least": 0, "is_whole": True},
        "is_personal": True,
        "may_be_blank": True,
    },
    {"name": "told", "headers": ["Told"], "is_dropped": True},
]
HEADER_OF_TABLE = "Borough,Incidents,Note,Age,Told\n"
TABLE = "Borough,Incidents,Note,Age,Told\nBarnet,5,,17,secret\nBrent,7,late,,secret\n"


def layout(**more: object) -> Layout:
    """The layout of the table, with more said of it."""
    return Layout.model_validate({"columns": COLUMNS, **more})


def read(tmp_path: Path, body: bytes, one: Layout) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Rows as raw takes them, each with its number, and every fault."""
    file = tmp_path / "file"
    file.write_bytes(body)
    found, wrong = opened(file, one)
    if wrong:
        return [], [str(fault) for fault in wrong]
    rows = Rows(found, file, one)
    return list(rows), [str(fault) for fault in rows.faults]
