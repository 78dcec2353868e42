"""ODS, streamed: no library of Python writes one without holding it whole, so its few kinds of cell are written here (OpenDocument 1.2)."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from warehouse.exports import sheets
from warehouse.exports.descriptor import DICTIONARY_HEADER, MEDIA_TYPES, About, Write, dictionary_of
from warehouse.exports.tables import Column, Table
from warehouse.exports.values import BEGUN

NAMESPACES = " ".join(
    [
        *(
            f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
            for prefix, name in (
                ("office", "office"),
                ("table", "table"),
                ("text", "text"),
                ("style", "style"),
                ("number", "datastyle"),
                ("fo", "xsl-fo-compatible"),
                ("meta", "meta"),
                ("config", "config"),
            )
        ),
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:ooo="http://openoffice.org/2004/office"',
    ]
)
MIME_TYPE = MEDIA_TYPES["ods"]
_DAY = '<number:year number:style="long"/><number:text>-</number:text><number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/>'
_CLOCK = '<number:text> </number:text><number:hours number:style="long"/><number:text>:</number:text><number:minutes number:style="long"/><number:text>:</number:text><number:seconds number:style="long"/>'
_HEAD = (
    f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMESPACES} office:version="1.2"><office:automatic-styles>'
    f'<number:date-style style:name="N1">{_DAY}</number:date-style><number:date-style style:name="N2">{_DAY}{_CLOCK}</number:date-style>'
    '<style:style style:name="day" style:family="table-cell" style:data-style-name="N1"/>'
    '<style:style style:name="moment" style:family="table-cell" style:data-style-name="N2"/>'
    "</office:automatic-styles><office:body><office:spreadsheet>"
)
_TAIL = "</office:spreadsheet></office:body></office:document-content>"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPACES = re.compile("(?<= ) +|^ +", re.MULTILINE)
_EMPTY = "<table:table-cell/>"


@contextlib.contextmanager
def writer(file: Path, table: Table, about: About, row_count: int) -> Iterator[Write]:
    """Takes rows and writes them as they come.

    Args:
        file: to be made.
        about: what the last sheet says.
        row_count: unused.
    """
    cells = [_cell(table, column) for column in table.columns]
    with zipfile.ZipFile(file, "w") as archive:
        # First and not compressed, so that a program knows the file by its beginning.
        archive.writestr(zipfile.ZipInfo("mimetype", BEGUN), MIME_TYPE)
        archive.writestr(_compressed("META-INF/manifest.xml"), manifest(["content.xml"]))
        # Text of a sheet is a gigabyte and more, so its size may need 64 bits.
        with (
            archive.open(_compressed("content.xml"), "w", force_zip64=True) as member,
            io.TextIOWrapper(member, encoding="utf-8", write_through=False) as content,
        ):
            content.write(_HEAD)
            content.write(_begin(sheets.name_of(table), len(cells)))
            content.write(table_row([text(column.name) for column in table.columns]))

            def write(rows: list[tuple[Any, ...]]) -> None:
                content.writelines(
                    table_row(_EMPTY if value is None else cell(value) for cell, value in zip(cells, row, strict=True))
                    for row in rows
                )

            yield write
            content.write("</table:table>")
            _write_text(content, sheets.COLUMNS, [DICTIONARY_HEADER, *dictionary_of(table)])
            _write_text(content, sheets.ABOUT, list(about.items()))
            content.write(_TAIL)


def manifest(members: Iterable[str]) -> str:
    """The list of what an archive of OpenDocument holds, as META-INF/manifest.xml has it."""
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="text/xml"/>' for name in members
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        f'manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:media-type="{MIME_TYPE}"/>{entries}</manifest:manifest>'
    )


def _compressed(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, BEGUN)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _begin(name: str, columns: int) -> str:
    return f'<table:table table:name={quoteattr(name)}><table:table-column table:number-columns-repeated="{columns}"/>'


def table_row(cells: Iterable[str]) -> str:
    """A row of cells."""
    return f"<table:table-row>{''.join(cells)}</table:table-row>\n"


def _write_text(content: io.TextIOWrapper, name: str, rows: list[tuple[str | int, ...]]) -> None:
    content.write(_begin(name, len(rows[0])))
    content.writelines(table_row(text(str(value)) for value in row) for row in rows)
    content.write("</table:table>")


def _cell(table: Table, column: Column) -> Callable[[Any], str]:
    """What makes a cell of a value of a column."""
    if column.kind == "string":
        return lambda value: text(sheets.text(value, table, column))
    if column.kind == "boolean":
        return _truth
    if column.kind == "date":
        return lambda value: date(value, "day")
    if column.kind == "datetime":
        return lambda value: date(sheets.moment(value), "moment")
    return number


def xml_text(value: str) -> str:
    """A text as XML may hold it: what is no character of XML 1.0 is replaced."""
    return escape(_NO_XML.sub("\ufffd", value))


def text(value: str, style: str = "") -> str:
    """A cell of text: never a formula, whatever it begins with. A line of it is a paragraph, spaces in a row would be one."""
    told = xml_text(value)
    if "  " in told or told[:1] == " " or "\n" in told or "\t" in told:
        told = _SPACES.sub(lambda found: f'<text:s text:c="{len(found[0])}"/>', told)
        told = told.replace("\t", "<text:tab/>").replace("\n", "</text:p><text:p>")
    return f'<table:table-cell{_styled(style)} office:value-type="string"><text:p>{told}</text:p></table:table-cell>'


def number(value: Any, style: str = "", shown: str = "") -> str:
    """A cell of a number; of text where it is none that a cell can hold.

    Args:
        shown: how it is seen; by itself where that is not said.
    """
    if not math.isfinite(value):
        return text(str(value))
    return f'<table:table-cell{_styled(style)} office:value-type="float" office:value="{value}"><text:p>{shown or value}</text:p></table:table-cell>'


def _styled(style: str) -> str:
    return f' table:style-name="{style}"' if style else ""


def _truth(value: bool) -> str:
    word = "true" if value else "false"
    return f'<table:table-cell office:value-type="boolean" office:boolean-value="{word}"><text:p>{word.upper()}</text:p></table:table-cell>'


def date(value: dt.date, style: str, shown: str = "") -> str:
    """A cell of a day or a moment."""
    return (
        f'<table:table-cell table:style-name="{style}" office:value-type="date" office:date-value="{value.isoformat()}">'
        f"<text:p>{shown or value}</text:p></table:table-cell>"
    )
