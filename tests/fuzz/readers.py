"""What a reader may do with any bytes at all: refuse them with a code, or take them whole. It neither fails otherwise, nor hangs, nor takes half.

Bodies begin as good files of each form and are cut, doubled, swapped and overwritten; some are nothing but bytes.
"""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import xlsxwriter
from hypothesis import strategies as st

from ingest.codes import registry
from ingest.declaration import Layout
from ingest.readers import delimited, month_columns
from ingest.readers.faults import Fault, FaultyFile
from ingest.readers.identifiers import identifiers_in
from ingest.readers.rows import Rows
from ingest.readers.tables import open_tables

LONGEST = 5.0  # seconds of the processor for one file of a few kilobytes

_COLUMNS = [
    {"name": "area", "headers": ["Area"], "pattern": "[A-Z][a-z]+"},
    {"name": "day", "headers": ["Day"], "pattern": r"20\d\d-(0[1-9]|1[0-2])-[0-2]\d"},
    {"name": "number", "headers": ["Number"], "number": {"at_least": 0, "at_most": 9999}},
]
_PERIOD = {"column": "day", "forms": ["%Y-%m-%d"]}
ROWS = Layout.model_validate({"columns": _COLUMNS, "period": _PERIOD})
BOOK = Layout.model_validate(
    {"columns": _COLUMNS, "period": _PERIOD, "sheets": {"name_pattern": ".*", "is_one": True, "sums_are_data": True}}
)
PAGES = Layout.model_validate({"columns": _COLUMNS, "period": _PERIOD, "in_pages": True})
MONTHS = Layout.model_validate(
    {
        "columns": _COLUMNS[:1],
        "month_columns": {
            "header_pattern": r"\d{6}",
            "cell_pattern": r"\d{1,6}",
            "cell_is": "a whole number",
            "notes_below": True,
        },
    }
)

_TABLE = [["Area", "Day", "Number"], *([chr(65 + n) + "ham", f"2026-10-{n % 28 + 1:02}", str(n)] for n in range(12))]
_TEXT = "".join(",".join(row) + "\r\n" for row in _TABLE)


def _book() -> bytes:
    body = io.BytesIO()
    with xlsxwriter.Workbook(body, {"in_memory": True}) as book:
        sheet = book.add_worksheet("A")
        for number, row in enumerate(_TABLE):
            sheet.write_row(number, 0, [int(cell) if cell.isdigit() else cell for cell in row])
    return body.getvalue()


def _zipped(**members: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return body.getvalue()


_CELLS = "".join(
    "<table:table-row>"
    + "".join(f"<table:table-cell><text:p>{c}</text:p></table:table-cell>" for c in row)
    + "</table:table-row>"
    for row in _TABLE
)
FORMS: Mapping[str, tuple[bytes, Layout]] = {
    "csv": (_TEXT.encode(), ROWS),
    "csv in UTF-16": (_TEXT.encode("utf-16"), ROWS),
    "months": (b"Area,202609,202610\r\nAham,1,2\r\nBham,3,4\r\n", MONTHS),
    "xlsx": (_book(), BOOK),
    "ods": (_zipped(content_xml=f'<d xmlns:table="t" xmlns:text="x"><table:table>{_CELLS}</table:table></d>'), BOOK),
    "zip": (_zipped(a_csv=_TEXT, b_csv=_TEXT.replace("ham", "ton")), PAGES),
    "json": (json.dumps([dict(zip(_TABLE[0], row, strict=True)) for row in _TABLE]).encode(), ROWS),
    "xml": (f"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>{_CELLS}&b;</a>".encode(), ROWS),
}  # fmt: skip

_SPLICES = st.lists(
    st.tuples(
        st.sampled_from(["cut", "put", "over", "again", "end"]), st.integers(0, 2**16), st.integers(0, 300),
        st.one_of(
            st.binary(max_size=12),
            st.sampled_from([b'"', b",", b"\r", b"\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"PK\x03\x04", b"\\.", b"\\N", b"=1+1", b"9" * 400, b"&#0;", b"<c/>"]),
        ),
    ),
    max_size=6,
)  # fmt: skip


def bodies(form: str) -> st.SearchStrategy[bytes]:
    """Bytes that begin as a good file of a form; one in some is nothing of the kind."""
    good, _ = FORMS[form]
    return st.one_of(_SPLICES.map(lambda splices: _spoilt(good, splices)), st.binary(max_size=400))


def _spoilt(body: bytes, splices: list[tuple[str, int, int, bytes]]) -> bytes:
    for kind, at, length, what in splices:
        place = at % (len(body) + 1)
        if kind == "cut":
            body = body[:place] + body[place + length :]
        elif kind == "put":
            body = body[:place] + what + body[place:]
        elif kind == "over":
            body = body[:place] + what + body[place + len(what) :]
        elif kind == "again":
            body = body[: place + length] + body[place:]
        else:
            body = body[:place]
    return body


def hold(form: str, body: bytes, file: Path) -> str:
    """See that a body is refused with a code of the registry, or taken whole, in time.

    Args:
        file: where to write it.

    Returns:
        What became of it: the code, or "taken".

    Raises:
        AssertionError: it was taken and is not what was in the file, or took too long. Anything else: a crash.
    """
    layout = FORMS[form][1]
    file.write_bytes(body)
    began = time.process_time()
    identifiers_in(file)
    try:
        became = (_months if layout.month_columns else _rows)(file, layout)
    except FaultyFile as faulty:
        became = faulty.code
    assert became == "taken" or became in registry(), became
    assert time.process_time() - began < LONGEST, f"it took {time.process_time() - began:.1f} s"
    return became


def _rows(file: Path, layout: Layout) -> str:
    tables = open_tables(file, layout)
    header = tables[0].header
    is_text = not tables[0].sheet and layout is ROWS
    rows = Rows(tables, file, layout)
    taken = [fields for _, fields in rows]
    _all_codes(rows.faults)
    if rows.faults:
        return rows.faults[0].code
    assert len(taken) == rows.count
    assert all(len(fields) == len(layout.kept_columns) for fields in taken)
    if is_text:
        # Read a second time by Python's own reader, without a rule of ours.
        body = file.read_bytes()
        text = body.decode("utf-16" if body[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
        separator = max(",;\t", key=text.partition("\n")[0].count)
        there = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
        assert len(there) - 1 == rows.count, f"{rows.count} rows were taken of {len(there) - 1}"
        start = delimited.rows_begin_at(file, header, layout) if delimited.can_copy_bytes(header, layout) else None
        if start is not None:
            second = delimited.validate(file, header, start, layout)
            assert second is None or second.rows == rows.count, f"{second} and {rows.count} rows"
    return "taken"


def _months(file: Path, layout: Layout) -> str:
    found = month_columns.read(file, layout, ())
    _all_codes(found.faults)
    if found.faults or not found.tables:
        return found.faults[0].code if found.faults else "NO_ROWS"
    assert found.cells == len(found.rows) * len(found.tables[0].header.months)
    return "taken"


def _all_codes(faults: list[Fault]) -> None:
    assert {fault.code for fault in faults} <= registry().keys()


Held = Callable[[str, bytes, Path], str]
