"""Workbooks (XLSX): what a cell says, and what a workbook may not hold."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO
from xml.parsers import expat

import python_calamine

from ingest.readers.faults import HEADER, THE_FILE, Fault

LARGEST = 512 * 1024**2  # bytes a workbook may have when unpacked
PACKED_AT_MOST = 200  # times smaller than unpacked: real sheets reach 30
CELLS = 20_000_000  # places the sheets of a workbook may span, or strings it may share: the longest real one spans 10,500,000
SPARSE = 50  # times more places than cells that a sheet may span, once it spans more than SPARSE_FROM
SPARSE_FROM = 1_000_000

Cell = str | float | int | bool | dt.datetime | dt.date | dt.time | dt.timedelta


def cell_text(cell: Cell) -> str:
    """A cell as text: numbers without a point where they are whole, dates as YYYY-MM-DD, times of day with the date."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    return str(cell)


def refused_archive(file: Path) -> list[Fault]:
    """Why the archive that a workbook is must not even be opened: a bomb, members outside of it or that are encrypted."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        return [Fault(HEADER, THE_FILE, None, f"is no workbook that can be read: {error}")]
    unpacked = sum(member.file_size for member in members)
    if unpacked > LARGEST or unpacked > PACKED_AT_MOST * max(file.stat().st_size, 1):
        return [Fault(HEADER, THE_FILE, None, f"unpacks to {unpacked:,} bytes, which no real workbook does")]
    names = [member.filename for member in members]
    outside = [name for name in names if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name)]
    if outside:
        return [Fault(HEADER, THE_FILE, outside[0], "is the name of a member that leads out of the archive")]
    if any(member.flag_bits & 1 for member in members):
        return [Fault(HEADER, THE_FILE, None, "is encrypted")]
    # Which of two is read is for each reader to say, and what looks at a workbook must look at what is read of it.
    if len({name.replace("\\", "/").lower() for name in names}) != len(names):
        return [Fault(HEADER, THE_FILE, None, "holds two members of one name")]
    if "xl/workbook.xml" not in names:
        return [Fault(HEADER, THE_FILE, None, f"is a zip archive and no workbook: it holds {', '.join(names[:5])}")]
    return []


def refused_extent(file: Path, is_wanted: Callable[[str], object]) -> list[Fault]:
    """Why sheets of a workbook must not be read: they span more places than any real ones, or their text unpacks to too much.

    A reader takes memory for every place between the first cell of a sheet and the last, and for a shared string as often as a cell
    refers to it: a few hundred bytes can ask for more than a machine has, and end the process where nothing can be told of it.

    Args:
        is_wanted: whether a sheet of this name is to be read; the others may span what they like.
    """
    places = text = 0
    try:
        with zipfile.ZipFile(file) as archive:
            strings = _string_sizes(archive)
            for name, path, _ in _paths(archive):
                if not is_wanted(name):
                    continue
                with archive.open(path) as stream:
                    extent = _Extent(strings)
                    _parse(stream, extent.start, extent.text)
                where = f"sheet {name}"
                spanned = (extent.last_row + 1) * (extent.last_column + 1)
                places += max(spanned, extent.cells)
                text += extent.bytes
                if spanned > max(SPARSE_FROM, SPARSE * extent.cells):
                    told = f"spans {spanned:,} places and has {extent.cells:,} cells, the furthest in row"
                    far = f"{told} {extent.last_row + 1:,} or column {extent.last_column + 1:,}: no real sheet is so empty"
                    return [Fault(HEADER, where, None, far)]
                if places > CELLS:
                    return [Fault(HEADER, where, None, f"brings the places to {places:,}, which no real workbook has")]
                if text > LARGEST:
                    told = f"brings the text of the cells to {text:,} bytes, which no real workbook has"
                    return [Fault(HEADER, where, None, told)]
    except _TooManyStrings:
        return [Fault(HEADER, THE_FILE, None, f"shares more than {CELLS:,} strings, which no real workbook does")]
    except (
        zipfile.BadZipFile,
        OSError,
        KeyError,
        ValueError,
        RuntimeError,
        expat.ExpatError,
    ) as error:
        return [Fault(HEADER, THE_FILE, None, f"is no workbook that can be read: {error}")]
    return []


class _TooManyStrings(Exception):
    """A workbook shares more strings than any real one."""


def _parse(stream: IO[bytes], start: Callable[[str, dict[str, str]], None], text: Callable[[str], None]) -> None:
    """Parse XML as it is unpacked. Nothing is held of it, for a sheet may unpack to 512 MB.

    Raises:
        ValueError: it declares a document type. No real part does, and one could give cells a place that other readers do not see.
    """

    def refuse(*_: object) -> None:
        raise ValueError("a part declares a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    while chunk := stream.read(1024 * 1024):
        parser.Parse(chunk)
    parser.Parse(b"", True)


def _string_sizes(archive: zipfile.ZipFile) -> array[int]:
    """The bytes of each shared string, in their order; a reader finds the part whatever the case of its name."""
    sizes = array("Q")

    def start(tag: str, _: dict[str, str]) -> None:
        if tag == "si" or tag.endswith(":si"):
            if len(sizes) == CELLS:
                raise _TooManyStrings
            sizes.append(0)

    def text(found: str) -> None:
        if sizes:
            sizes[-1] += len(found.encode())

    for name in archive.namelist():
        if name.lower() == "xl/sharedstrings.xml":
            with archive.open(name) as stream:
                _parse(stream, start, text)
    return sizes


class _Extent:
    """How far the cells of one sheet reach, counted from 0, how many hold anything, and the bytes of the shared strings in them."""

    def __init__(self, strings: array[int]) -> None:
        self.last_row = self.last_column = -1
        self.cells = self.bytes = 0
        self._strings = strings
        self._row = self._column = -1  # of the cell being parsed, or the one before
        self._cell_row = 0
        self._row_named = ""
        self._is_shared = False
        self._columns: dict[str, int] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins. A real workbook has 20 million of them: the commonest are asked for first, and columns remembered."""
        if tag == "v" or tag == "is":  # a cell with a style and nothing in it takes no place
            self.cells += 1
            if self._cell_row > self.last_row:
                self.last_row = self._cell_row
            if self._column > self.last_column:
                self.last_column = self._column
        elif tag == "c":
            self._is_shared = attributes.get("t") == "s"
            place = attributes.get("r")
            if place is None:  # a cell that does not say where it is stands after the one before
                self._column += 1
                self._cell_row = self._row
                return
            column = self._columns.get(place.removesuffix(self._row_named))
            if column is not None:  # as nearly every cell: in the row it stands in, below a cell that came already
                self._column, self._cell_row = column, self._row
                return
            letters = place.rstrip("0123456789")
            self._column = self._columns[letters] = _index(letters.upper())
            self._cell_row = int(place[len(letters) :]) - 1
        elif tag == "row":
            self._column = -1
            place = attributes.get("r")
            self._row = self._row + 1 if place is None else int(place) - 1
            self._row_named = str(self._row + 1)
        elif ":" in tag:
            self.start(tag.rpartition(":")[2], attributes)

    def text(self, found: str) -> None:
        """Text of an element: of a cell with a shared string, which one. A comment parts it in two, and either may be what is read."""
        if self._is_shared and (found.isdecimal() or found.strip().isdecimal()):
            number = int(found)
            if number < len(self._strings):
                self.bytes += self._strings[number]


def refused_content(file: Path, sheets: Sequence[str], header_row: int, *, sums_are_data: bool = False) -> list[Fault]:
    """What the sheets to be read hold that is not data: formulas, merged cells from the header down; and hidden sheets.

    Formulas are refused because the file keeps only what they came to when it was last saved, if anything. Cells merged in rows
    that hold nothing else are a note, and no data are lost in them.

    Args:
        sums_are_data: a formula that sums cells above it is as good as its number where it comes to it now.
    """
    faults: list[Fault] = []
    try:
        with zipfile.ZipFile(file) as archive:
            for name, path, is_hidden in _paths(archive):
                if name not in sheets:
                    continue
                if is_hidden:
                    faults.append(Fault(HEADER, f"sheet {name}", None, "is hidden"))
                with archive.open(path) as stream:
                    faults += _not_data(file, name, stream.read(), header_row, sums_are_data)
    except (zipfile.BadZipFile, KeyError, ValueError, expat.ExpatError, RuntimeError) as error:
        return [Fault(HEADER, THE_FILE, None, f"is no workbook that can be read: {error}")]
    return faults


def _paths(archive: zipfile.ZipFile) -> list[tuple[str, str, bool]]:
    """Name, path and whether hidden, of each sheet (ECMA-376 part 1, 18.2.19), found as the reader of its cells finds them.

    That goes by names with their prefix and not by namespaces, and to the workbook that the archive's root names.

    Raises:
        ValueError: it could find another workbook, or other sheets, than were looked at.
    """
    books = [one for one in _elements(archive, "_rels/.rels", "Relationship") if "workbook" in one.get("Target", "")]
    if [one.get("Target", "").removeprefix("/") for one in books] != ["xl/workbook.xml"]:
        raise ValueError("its root does not name xl/workbook.xml, and that alone, as the workbook")
    relations = _elements(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    targets = {one.get("Id", ""): one.get("Target", "") for one in relations}
    sheets = _elements(archive, "xl/workbook.xml", "sheet")
    names = [one.get("name", "") for one in sheets]
    if len(targets) != len(relations) or len(set(names)) != len(names):
        raise ValueError("two of its sheets have one name, or two of its relations one id")
    if any(("r:id" in one) == ("relationships:id" in one) for one in sheets):
        raise ValueError("a sheet does not say, or says twice, where it is")
    return [
        (
            one.get("name", ""),
            _below_xl(targets[one.get("r:id") or one["relationships:id"]]),
            one.get("state", "visible") != "visible",
        )
        for one in sheets
    ]


def _elements(archive: zipfile.ZipFile, part: str, name: str) -> list[dict[str, str]]:
    """The attributes of each element of a part that has this name, whatever its prefix."""
    found: list[dict[str, str]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == name:
            found.append(attributes)

    with archive.open(part) as stream:
        _parse(stream, start, lambda _: None)
    return found


def _below_xl(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _not_data(file: Path, sheet: str, xml: bytes, header_row: int, sums_are_data: bool) -> list[Fault]:
    faults = []
    where = f"sheet {sheet}"
    formulas = re.findall(
        rb'<(?:\w+:)?c\s(?:[^>]*\s)?r="([A-Z]+)([0-9]+)"[^>]*>\s*<(?:\w+:)?f(?:\s[^>]*?)?(?:/>|>([^<]*))', xml
    )
    merges = [
        (first.decode(), int(top), last.decode(), int(bottom))
        for first, top, last, bottom in re.findall(
            rb'<(?:\w+:)?mergeCell\s[^>]*ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"', xml
        )
        if int(bottom) >= header_row
    ]
    rows = _rows(file, sheet) if formulas or merges else []
    for column, row, text in formulas:
        cell = f"{column.decode()}{row.decode()}"
        if not sums_are_data or not _is_sum_of_column(text.decode(), column.decode()):
            faults.append(Fault(HEADER, where, None, f"holds a formula in cell {cell}"))
            break
        if not _adds_up(rows, column.decode(), int(row), text.decode()):
            faults.append(Fault(HEADER, where, None, f"holds a sum in cell {cell} that its cells do not come to"))
            break
    for first, top, last, bottom in merges:
        inside = range(_index(first), _index(last) + 1)
        has_data = any(
            cell != "" and index not in inside for row in rows[top - 1 : bottom] for index, cell in enumerate(row)
        )
        if has_data or top <= header_row:
            faults.append(Fault(HEADER, where, None, f"has the cells {first}{top}:{last}{bottom} merged"))
            break
    return faults


def _rows(file: Path, sheet: str) -> list[list[Cell]]:
    """Every cell of a sheet, from A1 on."""
    found = python_calamine.CalamineWorkbook.from_path(file).get_sheet_by_name(sheet)
    return found.to_python(skip_empty_area=False)


_SUM = re.compile(r"SUM\(\$?([A-Z]+)\$?([0-9]+):\$?([A-Z]+)\$?([0-9]+)\)")


def _is_sum_of_column(formula: str, column: str) -> bool:
    found = _SUM.fullmatch(formula)
    return found is not None and found[1] == found[3] == column


def _adds_up(rows: list[list[Cell]], column: str, row: int, formula: str) -> bool:
    found = _SUM.fullmatch(formula)
    assert found is not None  # noqa: S101 - the caller looked
    first, last, index = int(found[2]), int(found[4]), _index(column)
    if not first <= last < row:
        return False
    cells = [line[index] for line in rows[first - 1 : last]]
    numbers = [cell for cell in cells if isinstance(cell, (int, float)) and not isinstance(cell, bool)]
    return sum(numbers) == rows[row - 1][index]


def _index(column: str) -> int:
    """0 for column A."""
    number = 0
    for letter in column:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
