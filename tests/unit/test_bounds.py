"""What a file takes is bounded: each bound lets the largest real thing through, stops the next, and is asked for before the work."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from ingest.declaration import Layout
from ingest.readers import bounds, month_columns
from ingest.readers import workbook_size as books
from ingest.readers.faults import Faults
from tests.read_rows import begins_at, opened, validated

LAYOUT = Layout.model_validate({"columns": [{"name": "a", "headers": ["A"]}, {"name": "b", "headers": ["B"]}]})
SHEETS = Layout.model_validate(
    {"columns": [{"name": "a", "headers": ["A"]}], "sheets": {"name_pattern": "Sheet.*", "is_one": True}}
)
MONTHS = Layout.model_validate(
    {
        "columns": [{"name": "a", "headers": ["A"]}],
        "month_columns": {
            "header_pattern": r"\d{6}",
            "header_forms": ["%Y%m"],
            "cell_pattern": r"\d+",
            "cell_is": "a whole number",
        },
    }
)


def faults_of(tmp_path: Path, body: bytes, layout: Layout = LAYOUT) -> str:
    """Everything that is wrong with a file, read row by row."""
    file = tmp_path / "file"
    file.write_bytes(body)
    found, faults = opened(file, layout)
    faults = [*faults, *(row for table in found for _, row in table.rows if not isinstance(row, list))]
    return "; ".join(map(str, faults))


def book(sheet: str, strings: str = "", sheets: int = 1, more: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """A workbook with this XML between <sheetData> and its end."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", '<R><Relationship Id="1" Target="xl/workbook.xml"/></R>')
        relation = '<Relationship Id="r{0}" Type="worksheet" Target="worksheets/sheet1.xml"/>'
        archive.writestr("xl/_rels/workbook.xml.rels", f"<R>{''.join(map(relation.format, range(sheets)))}</R>")
        names = "".join(f'<sheet name="Sheet{number}" r:id="r{number}"/>' for number in range(sheets))
        archive.writestr("xl/workbook.xml", f"<workbook><sheets>{names}</sheets></workbook>")
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet><sheetData>{sheet}</sheetData></worksheet>")
        if strings:
            archive.writestr("xl/sharedStrings.xml", f"<sst>{strings}</sst>")
        for name, text in more.items():
            archive.writestr(name, text)
    return body.getvalue()


MERGED = '<mergeCell ref="A1:A1"/>'
HEADER_CELL = '<row r="1"><c r="A1" t="str"><v>A</v></c></row>'


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_may_be_so_long_and_no_longer(tmp_path: Path, end: bytes) -> None:
    at_bound = b"A,B" + end + b"x" * (bounds.LINE - 1 - len(end)) + b"," + end
    assert faults_of(tmp_path, at_bound) == ""
    assert not bounds.has_long_line(tmp_path / "file")
    above = at_bound.replace(b"x,", b"xx,")
    assert faults_of(tmp_path, above).endswith("is not valid CSV: a row is longer than 131,072 characters, on line 2")
    assert bounds.has_long_line(tmp_path / "file")
    assert begins_at(tmp_path / "file", LAYOUT) is None  # no byte of it goes to PostgreSQL


@pytest.mark.parametrize("field", [b'"\n",', b'"' + b"abc\n" * 40_000])
def test_a_row_that_quotes_spread_over_lines_is_as_long_as_a_line_at_most(tmp_path: Path, field: bytes) -> None:
    body = b"A,B\n" + field * (1_000_000 // len(field))
    assert "is not valid CSV: a row is longer than 131,072 characters" in faults_of(tmp_path, body)


def test_a_header_may_have_so_many_columns_and_no_more(tmp_path: Path) -> None:
    names = [b"A", b"B", *(b"c" * 3 for _ in range(bounds.COLUMNS - 2))]
    assert "columns, and a file may have" not in faults_of(tmp_path, b",".join(names) + b"\n")
    told = faults_of(tmp_path, b",".join([*names, b"c"]) + b"\n")
    assert told == "header has 2,001 columns, and a file may have 2,000"


def test_a_file_of_months_is_held_to_the_same_lines(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"A,202401\n" + b"," * 1_000_000 + b"\n")
    (fault,) = month_columns.read(file, MONTHS).faults
    assert fault.reason == "is not valid CSV (a row is longer than 131,072 characters, on line 2)"


@pytest.mark.parametrize("line", [b"\n", b"\r", b"\r\n", b"1,1\n", b",\n"])
def test_a_text_has_so_many_lines_and_no_more_whatever_they_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr(bounds, "LINES", 10)
    end = line.strip(b"1,")
    told = "is not valid CSV: a file has 10 lines at most, on line 11"
    assert told not in faults_of(tmp_path, b"A,B" + end + line * 9)
    assert faults_of(tmp_path, b"A,B" + end + line * 1000).endswith(told)
    file = tmp_path / "file"
    file.write_bytes(b"A,202401" + end + line * 9)
    assert "lines at most" not in str(month_columns.read(file, MONTHS).faults)
    file.write_bytes(b"A,202401" + end + line * 1000)
    assert "a file has 10 lines at most, on line 11" in str(month_columns.read(file, MONTHS).faults)


def test_what_goes_to_postgresql_as_it_is_has_no_more_lines_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"A,B\n" + b"1,1\n" * 9)
    monkeypatch.setattr(bounds, "LINES", 10)
    assert validated(file, LAYOUT) is not None
    monkeypatch.setattr(bounds, "LINES", 9)
    assert validated(file, LAYOUT) is None


def test_a_file_of_months_has_so_many_cells_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"A,202401\nx,1\ny,1\n")
    monkeypatch.setattr(bounds, "CELLS", 4)
    assert month_columns.read(file, MONTHS).faults == []
    monkeypatch.setattr(bounds, "CELLS", 3)
    (fault,) = month_columns.read(file, MONTHS).faults
    assert str(fault) == "row 2, column the row: is beyond 3 cells, and a file has no more"


def test_a_file_of_months_holds_none_of_its_blank_lines_and_reads_no_row_below_a_wrong_header(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for header in (b"A,202401\nx,1\n", b"A,unknown\n"):
        file.write_bytes(header + b"\n" * 30_000)
        tracemalloc.start()
        month_columns.read(file, MONTHS)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 1_000_000


def test_of_a_file_of_months_that_is_wrong_in_every_row_some_faults_are_kept_and_the_others_counted(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"A,202401\n" + b"x,y\n" * 1500)
    faults = month_columns.read(file, MONTHS).faults
    assert isinstance(faults, Faults)
    assert (len(faults), faults.more) == (1000, 500)


def test_an_archive_with_a_long_list_of_members_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = book(HEADER_CELL, more={f"member{number}": "" for number in range(10)})
    members = 15
    monkeypatch.setattr(bounds, "MEMBERS", members)
    assert "members" not in faults_of(tmp_path, body, SHEETS)
    monkeypatch.setattr(bounds, "MEMBERS", members - 1)
    assert "it has 15 members, and one may have 14" in faults_of(tmp_path, body, SHEETS)
    monkeypatch.setattr(bounds, "DIRECTORY", 500)
    assert "and one may have 500" in faults_of(tmp_path, body, SHEETS)


def test_a_member_that_unpacks_to_more_than_the_directory_says_is_seen(tmp_path: Path) -> None:
    body = bytearray(book(HEADER_CELL, strings="<si><t>a</t></si>" * 1000))
    at = body.rfind(b"xl/sharedStrings.xml") - 46  # its entry in the directory
    body[at + 24 : at + 28] = struct.pack("<I", 1000)
    assert "is not a readable workbook: Bad CRC-32" in faults_of(tmp_path, bytes(body), SHEETS)


@pytest.mark.parametrize(
    ("module", "name", "fits", "body", "says"),
    [
        (bounds, "SHEETS", 3, book(HEADER_CELL, sheets=3), "it has more than 2 elements Relationship"),
        (bounds, "STRINGS", 4, book(HEADER_CELL, strings="<si><t>a</t></si>" * 4), "shares more than 3 strings"),
        (bounds, "LINE", 50, book(HEADER_CELL, strings=f"<si><t>{'a' * 50}</t></si>"), "shares a string of more than 49"),
        (bounds, "LINE", 50, book(HEADER_CELL.replace(">A<", f">{'A' * 50}<")), "has a cell of more than 49 characters"),
        (bounds, "COLUMNS", 3, book(HEADER_CELL + '<row><c r="C2"><v>1</v></c></row>'), "cells in column 3, and a sheet may have 2"),
        (books, "CELLS", 6, book(HEADER_CELL + "<row><c><v>1</v></c></row>" * 5), "brings the places to 6 or more"),
        (books, "SUMS", 2, book(HEADER_CELL + "</sheetData>" + 2 * MERGED + "<sheetData>"), "more than 1 merged"),
        (books, "LONGEST_TOKEN", 2004, book(f"{HEADER_CELL}<!--{'-a' * 2000}"), "a comment or a tag in it is longer than 2,003"),
    ],
    ids=["sheets", "strings", "a string", "a cell", "columns", "places", "merged cells", "a comment"],
)  # fmt: skip
def test_each_part_of_a_workbook_has_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object, name: str, fits: int, body: bytes, says: str
) -> None:
    if name != "LONGEST_TOKEN":
        monkeypatch.setattr(module, name, fits)
        assert says not in faults_of(tmp_path, body, SHEETS)
    monkeypatch.setattr(module, name, fits - 1)
    assert says in faults_of(tmp_path, body, SHEETS)


def test_what_a_small_workbook_may_span_follows_from_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = book(HEADER_CELL + "<row><c><v>1</v></c></row>" * 3000)
    monkeypatch.setattr(books, "ALWAYS", 3001 - books.CELLS_A_BYTE * len(body))
    assert "places" not in faults_of(tmp_path, body, SHEETS)
    monkeypatch.setattr(books, "ALWAYS", 3000 - books.CELLS_A_BYTE * len(body))
    assert f"brings the places to 3,001 or more, which no real workbook of {len(body):,} bytes has" in faults_of(
        tmp_path, body, SHEETS
    )
