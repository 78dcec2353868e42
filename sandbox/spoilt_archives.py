"""Zip archives and workbooks as they go wrong: each function makes of an honest body a spoilt one.

Where the honest body is no archive, it is put into one first: a publisher who zips a file overnight, or sends a workbook.
"""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from sandbox.spoilt_tables import read

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    "</Types>"
)
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>'
)
_BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'


def _column(index: int) -> str:
    letters = ""
    while index >= 0:
        index, letter = index // 26 - 1, chr(ord("A") + index % 26)
        letters = letter + letters
    return letters


def workbook(body: bytes, sheet: str = "Sheet1") -> bytes:
    """A table of delimited text as the one sheet of a workbook: whole numbers as numbers, the rest as text."""
    rows = "".join(
        f'<row r="{r}">'
        + "".join(
            f'<c r="{_column(c)}{r}"><v>{cell}</v></c>'
            if cell.isdigit()
            else f'<c r="{_column(c)}{r}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
            for c, cell in enumerate(row)
        )
        + "</row>"
        for r, row in enumerate(read(body), start=1)
    )
    return zipped(
        {
            "[Content_Types].xml": _TYPES.encode(),
            "_rels/.rels": _RELATIONS.format(kind="officeDocument", target="xl/workbook.xml").encode(),
            "xl/_rels/workbook.xml.rels": _RELATIONS.format(kind="worksheet", target="worksheets/sheet1.xml").encode(),
            "xl/workbook.xml": _BOOK.format(name=escape(sheet)).encode(),
            "xl/worksheets/sheet1.xml": _SHEET.format(rows=rows).encode(),
        }
    )


def zipped(members: Mapping[str, bytes]) -> bytes:
    """An archive of those members, the same bytes at every call."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _members(body: bytes) -> dict[str, bytes]:
    if not zipfile.is_zipfile(io.BytesIO(body)):
        return {"file.csv": body}
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _as_workbook(body: bytes) -> dict[str, bytes]:
    return _members(body if zipfile.is_zipfile(io.BytesIO(body)) else workbook(body))


def zip_bomb(body: bytes, unpacked: int = 64 * 1024 * 1024, member: str = "xl/media/image1.bin") -> bytes:
    """The archive with a member that unpacks to a thousand times its size."""
    return zipped({**_members(body), member: bytes(unpacked)})


def nested_zip(body: bytes) -> bytes:
    """The file in an archive in an archive."""
    return zipped({"inner.zip": zipped(_members(body))})


def path_out_of_archive(body: bytes) -> bytes:
    """The archive with a member whose name leads out of the folder it is unpacked in."""
    return zipped({**_members(body), "../../outside.csv": body[:100]})


def encrypted_zip(body: bytes) -> bytes:
    """The archive with every member marked as encrypted."""
    archive = bytearray(zipped(_members(body)))
    # The lowest bit of the flags, in every member's own header and in its line of the directory (APPNOTE, 4.3.7, 4.3.12).
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for found in re.finditer(re.escape(mark), bytes(archive)):
            archive[found.start() + offset] |= 1
    return bytes(archive)


def _sheet(body: bytes, change: Callable[[str], str], part: str) -> bytes:
    members = _as_workbook(body)
    return zipped({**members, part: change(members[part].decode()).encode()})


def workbook_formula(body: bytes, cell: str = "A2", sheet: int = 1) -> bytes:
    """A formula in a cell, beside what it came to."""
    return _sheet(
        body,
        lambda xml: re.sub(rf'<c r="{cell}"[^>]*>.*?</c>', f'<c r="{cell}"><f>1+1</f><v>2</v></c>', xml, count=1),
        f"xl/worksheets/sheet{sheet}.xml",
    )


def workbook_hidden_sheet(body: bytes, sheet: int = 1) -> bytes:
    """A sheet, hidden."""
    return _sheet(
        body,
        lambda xml: re.sub(rf'<sheet (?=[^>]*sheetId="{sheet}")', '<sheet state="hidden" ', xml),
        "xl/workbook.xml",
    )


def workbook_merged_header(body: bytes, cells: str = "A1:B1", sheet: int = 1) -> bytes:
    """Two cells of the header merged into one."""
    return _sheet(
        body,
        lambda xml: xml.replace(
            "</sheetData>", f'</sheetData><mergeCells count="1"><mergeCell ref="{cells}"/></mergeCells>', 1
        ),
        f"xl/worksheets/sheet{sheet}.xml",
    )


def workbook_far_cell(body: bytes, sheet: int = 1) -> bytes:
    """A cell in the last row and column there can be: a reader that makes room for all before it takes more memory than there is."""
    return _sheet(
        body,
        lambda xml: xml.replace("</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>', 1),
        f"xl/worksheets/sheet{sheet}.xml",
    )


def workbook_elsewhere(body: bytes) -> bytes:
    """The archive's root names another part as the workbook than the usual one, which is there as well."""
    return _sheet(body, lambda xml: xml.replace("xl/workbook.xml", "xl2/workbook.xml"), "_rels/.rels")
