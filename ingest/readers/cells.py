"""The cells of any file, as far as they can be had: what is looked through for what no file may carry, before anything is kept of it.

It reads what the readers of a dataset would refuse as well (a damaged line, an ODS, a JSON), because what is refused would be kept too.
It vouches for nothing. A file that cannot be opened safely gives no cells; such a file is never read later either.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

import python_calamine

from ingest.readers import bounds
from ingest.readers.text import ZIP, encoding_of
from ingest.readers.workbook import cell_text
from ingest.readers.workbook_size import LARGEST, PACKED_AT_MOST, archive_faults, measure_sheets

Rows = Iterator[list[str]]
BLOCK = 4 * 1024**2  # bytes
SEPARATORS = ",;\t|"
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError, expat.ExpatError,
    python_calamine.CalamineError,
)  # fmt: skip


def tables_of(file: Path, may_matter: Callable[[IO[bytes]], int | None]) -> Iterator[Rows]:
    """Every table of a file: a text, each page or text of an archive, each sheet of a workbook (XLSX, ODS), a JSON.

    Args:
        may_matter: looks through a text as bytes and says how many of its lines are worth the reading; None: all.
    """
    with file.open("rb") as handle:
        if handle.read(len(ZIP)) != ZIP:
            handle.seek(0)
            yield _text(handle, may_matter)
            return
    try:
        yield from _archive(file, may_matter)
    except UNREADABLE:
        return


def _archive(file: Path, may_matter: Callable[[IO[bytes]], int | None]) -> Iterator[Rows]:
    members = bounds.members_of(file)
    if sum(member.file_size for member in members) > min(LARGEST, PACKED_AT_MOST * file.stat().st_size):
        return
    names = {member.filename for member in members}
    if "xl/workbook.xml" in names:
        yield from _workbook(file)
        return
    with zipfile.ZipFile(file) as archive:
        for member in members:
            with archive.open(member) as stream:
                if member.filename == "content.xml":
                    yield from _opendocument(stream)
                elif not member.is_dir() and not member.flag_bits & 1:
                    yield _text(io.BytesIO(stream.read(member.file_size)), may_matter)


def _workbook(file: Path) -> Iterator[Rows]:
    if archive_faults(file):
        return
    workbook = python_calamine.CalamineWorkbook.from_path(file)
    _, too_large = measure_sheets(file, lambda name: True)
    for name in workbook.sheet_names:
        if not (too_large and measure_sheets(file, name.__eq__)[1]):
            yield ([cell_text(cell) for cell in row] for row in workbook.get_sheet_by_name(name).iter_rows())


def _opendocument(stream: IO[bytes]) -> Iterator[Rows]:
    """The sheets of an OpenDocument; a cell or row that is repeated stands once, in its first place."""
    tables: list[list[list[str]]] = []
    said: list[str] = []
    skipped = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal skipped
        if name == "table:table":
            tables.append([])
        elif name == "table:table-row" and tables:
            tables[-1].append([])
            skipped = 0
        elif name in {"table:table-cell", "table:covered-table-cell"}:
            said.clear()
            repeated = attributes.get("table:number-columns-repeated", "1")
            skipped = min(int(repeated) if repeated.isdigit() else 1, bounds.COLUMNS) - 1
            for key in ("office:date-value", "office:value"):
                if key in attributes:
                    said.append(attributes[key] + " ")
                    break

    def end(name: str) -> None:
        if name in {"table:table-cell", "table:covered-table-cell"} and tables and tables[-1]:
            row = tables[-1][-1]
            if len(row) < bounds.COLUMNS:
                row += ["".join(said).strip(), *[""] * skipped]
        elif name == "text:p":
            said.append(" ")

    def refuse(*_: object) -> None:
        raise ValueError("it declares a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = said.append, refuse
    while chunk := stream.read(1024 * 1024):
        parser.Parse(chunk)
    parser.Parse(b"", True)
    yield from map(iter, tables)


def _text(handle: IO[bytes], may_matter: Callable[[IO[bytes]], int | None]) -> Rows:
    most = may_matter(handle)
    handle.seek(0)
    first = handle.read(64)
    handle.seek(0)
    if first.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}:
        return _records(handle)
    return _lines(io.TextIOWrapper(_Kept(handle), encoding=encoding_of(first[:4]), errors="replace"), most)


class _Kept(io.BufferedReader):
    """A file that outlives what reads it as text."""

    def __init__(self, handle: IO[bytes]) -> None:
        super().__init__(io.BytesIO(handle.read()))


def _lines(text: io.TextIOWrapper, most: int | None) -> Rows:
    separator = ""
    number = 0
    while (line := text.readline(bounds.LINE)) and (most is None or number < most):
        separator = separator or max(SEPARATORS, key=line.count)
        number += 1
        try:
            yield from csv.reader([line.replace("\0", "")], delimiter=separator)
        except csv.Error:
            yield line.split(separator)


def _records(handle: IO[bytes]) -> Rows:
    """Each value of a JSON as a table of one column: the name it stands under, and what stands there."""
    try:
        found = json.loads(handle.read())
    except (ValueError, RecursionError):
        handle.seek(0)
        yield from _lines(io.TextIOWrapper(_Kept(handle), encoding="utf-8-sig", errors="replace"), None)
        return
    columns: dict[str, int] = {}
    rows: list[dict[int, str]] = []
    ahead: list[Any] = [found]
    while ahead:
        one = ahead.pop()
        if isinstance(one, dict):
            rows.append({})
            for name, value in one.items():
                if isinstance(value, (dict, list)):
                    ahead.append(value)
                else:
                    rows[-1][columns.setdefault(name, len(columns))] = "" if value is None else str(value)
        elif isinstance(one, list):
            ahead += [value for value in one if isinstance(value, (dict, list))]
            rows += [
                {columns.setdefault("", len(columns)): str(value)} for value in one if isinstance(value, (str, int))
            ]
    yield list(columns)
    for row in rows:
        yield [row.get(index, "") for index in range(len(columns))]
