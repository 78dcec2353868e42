"""Workbooks read row by row: what a sheet may hold, and what no workbook may."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path

import pytest

from ingest.readers.workbook import cell_text
from ingest.readers.workbook_size import measure_sheets
from sandbox.spoilt_archives import workbook, zipped
from tests.incident_tables import TABLE, layout, read
from tests.mps_more_files import xlsx_bytes
from tests.read_rows import opened

SHEETS = {"sheets": {"name_pattern": "Sheet.*"}}


def test_a_sheet_is_read_like_text_and_says_which_it_is(tmp_path: Path) -> None:
    assert read(tmp_path, workbook(TABLE.encode()), layout(**SHEETS)) == (
        [(1, ["Barnet", "5", "", "17", "Sheet1"]), (2, ["Brent", "7", "late", "", "Sheet1"])],
        [],
    )


def test_empty_rows_and_columns_are_no_data_and_rows_above_the_header_are_refused(tmp_path: Path) -> None:
    body = "Borough,Incidents,Note,Age,Told,\nBarnet,5,,17,secret,\n,,,,,\nBrent,7,,,secret,\n"
    one = layout(sheets={"name_pattern": "Sheet1"})
    rows, faults = read(tmp_path, workbook(body.encode()), one)
    assert faults == []
    assert [(number, row[0]) for number, row in rows] == [(1, "Barnet"), (3, "Brent")]
    assert read(tmp_path, workbook(b"Incidents in parks,,,,,\n,,,,,\n" + body.encode()), one)[1] != []


def test_a_cell_outside_the_columns_of_the_header_is_seen(tmp_path: Path) -> None:
    body = workbook(TABLE.replace("secret\nBrent", "secret,7\nBrent").encode())
    assert read(tmp_path, body, layout(**SHEETS))[1] == [
        "sheet Sheet1, row 1, column the row: has 6 fields where the header has 5"
    ]


def spoilt(change: str, to: str, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """The workbook with something in its XML changed."""
    honest = workbook(TABLE.encode())

    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    text = members[part].decode()
    assert change in text
    return zipped({**members, part: text.replace(change, to, 1).encode()})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (spoilt("<v>5</v>", "<f>2+3</f><v>5</v>"), "sheet Sheet1 holds a formula in cell B2"),
        (spoilt("<v>5</v>", '<f t="shared" ref="B2:B3" si="0">A1</f><v>5</v>'), "holds a formula in cell B2"),
        (spoilt('<c r="B2"><v>5</v>', '<x:c s="1" r="B2"><x:f>2+3</x:f><v>5</v>'), "holds a formula in cell B2|not a readable workbook"),
        (spoilt("</sheetData>", '</sheetData><mergeCells count="1"><mergeCell ref="A1:B1"/></mergeCells>'), "has the cells A1:B1 merged"),
        (spoilt("<sheet ", '<sheet state="veryHidden" ', "xl/workbook.xml"), "sheet Sheet1 is hidden"),
        (spoilt('name="Sheet1"', 'name="Notes"', "xl/workbook.xml"), "has no sheet named Sheet.*; it has Notes"),
        (zipped({"a.csv": b"Borough\n"}), "is a zip archive and no workbook: it holds a.csv"),
        (zipped({"xl/workbook.xml": b"<workbook/>", "/etc/passwd": b""}), "leads out of the archive"),
        (zipped({"xl/workbook.xml": bytes(10_000_000)}), "unpacks to 10,000,000 bytes"),
        (workbook(TABLE.encode())[:-30], "is not a readable workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is an old or encrypted Office file"),
        (b"%PDF-1.7\n", "is a PDF"),
    ],
)  # fmt: skip
def test_what_a_workbook_may_not_hold_is_named(tmp_path: Path, body: bytes, says: str) -> None:

    faults = read(tmp_path, body, layout(**SHEETS))[1]
    assert faults
    assert re.search(says, faults[0]), faults


FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'


def test_a_cell_far_out_that_a_reader_would_take_all_memory_for_is_named(tmp_path: Path) -> None:
    assert read(tmp_path, spoilt("</sheetData>", FAR), layout(**SHEETS))[1] == [
        "sheet Sheet1 spans 17,179,869,184 places and has 16 cells, the furthest in row 1,048,576 or column 16,384: "
        "no real sheet is so empty"
    ]


@pytest.mark.parametrize(
    ("cell", "is_far"),
    [
        ("<row r='1048576'><c r='GZ1048576'><v>1</v></c></row>", True),
        ('<row r="1048575"><c r="A2"/></row><row><x:c><x:v>1</x:v></x:c><c/><c t="str"><v>1</v></c></row>', True),
        ('<row r="1048576"><c r="XFD1048576" s="1"/></row>', False),  # formatted, and empty
        ('<!-- <row r="1048576"><c r="XFD1048576"><v>1</v></c></row> -->', False),
    ],
)
def test_how_far_a_sheet_reaches_is_what_its_xml_says_however_it_is_written(
    tmp_path: Path, cell: str, is_far: bool
) -> None:
    file = tmp_path / "file.xlsx"
    file.write_bytes(spoilt("</sheetData>", f"{cell}</sheetData>"))
    assert [fault.reason.startswith("spans ") for fault in measure_sheets(file, lambda _: True)[1]] == [True] * is_far


def test_a_long_shared_string_in_many_cells_is_named(tmp_path: Path) -> None:
    honest = spoilt("</sheetData>", "<row>" + '<c t="s"><v>1</v></c>' * 6000 + "</row></sheetData>")
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    long = "".join(map(str, range(21_000)))
    strings = f"<sst><si><t>a</t></si><si><t>{long}</t></si></sst>"
    (fault,) = read(tmp_path, zipped({**members, "xl/sharedStrings.xml": strings.encode()}), layout(**SHEETS))[1]
    assert re.fullmatch(
        r"sheet Sheet1 brings the text of the cells to [\d,]+ bytes or more, which no real workbook of .*", fault
    )


def test_a_part_that_declares_a_document_type_is_refused(tmp_path: Path) -> None:
    body = spoilt("<worksheet", '<!DOCTYPE worksheet [<!ATTLIST c r CDATA "A1">]><worksheet')
    assert "a part declares a document type" in read(tmp_path, body, layout(**SHEETS))[1][0]


RELATION = '<Relationship Id="{id}" Type="worksheet" Target="{target}"/></Relationships>'


@pytest.mark.parametrize(
    ("change", "to", "part", "says"),
    [
        ('Target="xl/workbook.xml"', 'Target="xl2/workbook.xml"', "_rels/.rels", "its root does not name xl/workbook.xml"),
        ("</Relationships>", RELATION.format(id="rId9", target="xl2/workbook.xml"), "_rels/.rels", "and that alone"),
        ("</Relationships>", RELATION.format(id="rId1", target="worksheets/far.xml"), "xl/_rels/workbook.xml.rels", "two of its relations one id"),
        ('r:id="rId1"', 'q:id="rId1" xmlns:q="http://schemas.openxmlformats.org/officeDocument/2006/relationships"', "xl/workbook.xml", "a sheet does not say"),
        ('r:id="rId1"', 'r:id="rId1" relationships:id="rId2"', "xl/workbook.xml", "or says twice, where it is"),
        ("</sheets>", '<sheet name="Sheet1" sheetId="2" r:id="rId2"/></sheets>', "xl/workbook.xml", "two of its sheets have one name"),
    ],
)  # fmt: skip
def test_a_workbook_whose_sheets_another_reader_would_find_elsewhere_is_refused(
    tmp_path: Path, change: str, to: str, part: str, says: str
) -> None:
    assert says in read(tmp_path, spoilt(change, to, part), layout(**SHEETS))[1][0]


def test_how_far_a_sheet_reaches_is_seen_whatever_namespace_it_says_it_is_of(tmp_path: Path) -> None:
    honest = spoilt("</sheetData>", FAR)
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        other = zipped(
            {
                name: archive.read(name).replace(main, b"http://purl.oclc.org/ooxml/spreadsheetml/main")
                for name in archive.namelist()
            }
        )
    assert "spans 17,179,869,184 places" in read(tmp_path, other, layout(**SHEETS))[1][0]


def test_a_sheet_that_is_not_read_may_hold_what_it_likes(tmp_path: Path) -> None:
    body = spoilt("<v>5</v>", "<f>2+3</f><v>5</v>")
    one = layout(sheets={"name_pattern": "Data"})
    assert read(tmp_path, body, one)[1] == ["the file has no sheet named Data; it has Sheet1"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (5.0, "5"),
        (0.1, "0.1"),
        (1e22, "1e+22"),
        (True, "TRUE"),
        ("007", "007"),
        ("", ""),
        (dt.datetime(2026, 10, 1), "2026-10-01"),
        (dt.datetime(2026, 10, 1, 8, 30), "2026-10-01 08:30:00"),
        (dt.date(2026, 10, 1), "2026-10-01"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_a_cell_as_text(cell: object, text: str) -> None:
    assert cell_text(cell) == text  # type: ignore[arg-type]


def test_a_sheet_that_nobody_declared_refuses_a_workbook_of_known_sheets(tmp_path: Path) -> None:
    file = tmp_path / "file"
    rows = [["Borough", "Incidents", "Age", "Told"], ["Barnet", "5", "17", "x"]]
    file.write_bytes(xlsx_bytes({"Knife": rows, "Sword": rows}))
    sheets = {"name_pattern": ".+", "required": ["Knife"]}
    _, faults = opened(file, layout(sheets=sheets))
    assert [str(fault) for fault in faults] == ["sheet Sword is not a declared sheet: nothing says what it counts"]
