"""How large a workbook (XLSX) is, found before a reader takes memory for it: its archive, and what its sheets span and hold."""

from __future__ import annotations

import re
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from xml.parsers import expat

from ingest.readers import bounds
from ingest.readers.faults import HEADER, THE_FILE, Fault, file_fault

LARGEST = 512 * 1024**2  # bytes a workbook may have when unpacked
PACKED_AT_MOST = 100  # times smaller than unpacked: real workbooks reach 9, their members 37
CELLS = 20_000_000  # places the sheets of a workbook may span: the longest real one spans 10,500,000
CELLS_A_BYTE = 2  # places for each byte of the file, above ALWAYS: real ones reach 0.22
TEXT_A_BYTE = 20  # bytes of text in cells for each byte of the file, above 16 times ALWAYS: real ones reach 1.1
ALWAYS = 1_000_000
SPARSE = 50  # times more places than cells that a sheet may span, once it spans more than ALWAYS
SUMS = 10_000  # formulas of a sheet that are looked at, and merged cells it may have: 27
LONGEST_TOKEN = 1024**2  # bytes of a comment or a tag

SUM = re.compile(r"SUM\(\$?([A-Z]+)\$?([0-9]+):\$?([A-Z]+)\$?([0-9]+)\)")  # a formula that sums cells of columns


def archive_faults(file: Path) -> list[Fault]:
    """Why the archive that a workbook is must not even be opened: a bomb, members outside of it or that are encrypted."""
    try:
        members = bounds.members_of(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        return [file_fault("ARCHIVE_DAMAGED", f"is not a readable workbook: {error}")]
    most = min(LARGEST, PACKED_AT_MOST * max(file.stat().st_size, 1))
    unpacked = sum(member.file_size for member in members)
    if unpacked > most:
        return [file_fault("ARCHIVE_UNSAFE", f"unpacks to {unpacked:,} bytes, which no real workbook does")]
    names = [member.filename for member in members]
    outside = [name for name in names if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name)]
    if outside:
        return [
            Fault(
                "ARCHIVE_UNSAFE", HEADER, THE_FILE, outside[0], "is the name of a member that leads out of the archive"
            )
        ]
    if any(member.flag_bits & 1 for member in members):
        return [file_fault("ARCHIVE_UNSAFE", "is encrypted")]
    # Which of two is read is for each reader to say, and what looks at a workbook must look at what is read of it.
    if len({name.replace("\\", "/").lower() for name in names}) != len(names):
        return [file_fault("ARCHIVE_UNSAFE", "holds two members of one name")]
    if "xl/workbook.xml" not in names:
        return [file_fault("NOT_THE_FILE", f"is a zip archive and no workbook: it holds {', '.join(names[:5])}")]
    try:
        # The reader of the cells unpacks a member to its end, wherever the directory says that this is.
        bounds.check_sizes(file)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        return [file_fault("ARCHIVE_DAMAGED", f"is not a readable workbook: {error}")]
    return []


def measure_sheets(file: Path, is_wanted: Callable[[str], object]) -> tuple[dict[str, SheetExtent], list[Fault]]:
    """What the sheets of a workbook span and hold, and why they must not be read: it is more than any real one's, or than its bytes allow.

    A reader takes memory for every place between the first cell of a sheet and the last, and for a shared string as often as a cell
    refers to it: a few hundred bytes can ask for more than a machine has, and end the process where nothing can be told of it.

    Args:
        is_wanted: whether a sheet of this name is to be read; the others may span what they like.

    Returns:
        Each sheet to be read by its name.
    """
    size = file.stat().st_size
    most_places = min(CELLS, ALWAYS + CELLS_A_BYTE * size)
    most_text = min(LARGEST, 16 * ALWAYS + TEXT_A_BYTE * size)
    places = text = 0
    extents: dict[str, SheetExtent] = {}
    try:
        with zipfile.ZipFile(file) as archive:
            strings = _string_sizes(archive)
            for name, path, is_hidden in _paths(archive):
                if not is_wanted(name):
                    continue
                where = f"sheet {name}"
                extent = extents[name] = SheetExtent(strings, is_hidden)
                with archive.open(path) as stream:
                    for _ in _parsed(stream, extent.start, extent.text):
                        is_wide = extent.last_column >= bounds.COLUMNS
                        if is_wide or places + extent.cells > most_places or text + extent.bytes > most_text:
                            break  # what is left of it makes it no smaller
                spanned = (extent.last_row + 1) * (extent.last_column + 1)
                places += max(spanned, extent.cells)
                text += extent.bytes
                if spanned > max(ALWAYS, SPARSE * extent.cells):
                    reason = f"spans {spanned:,} places and has {extent.cells:,} cells, the furthest in row"
                    reason = f"{reason} {extent.last_row + 1:,} or column {extent.last_column + 1:,}: no real sheet is so empty"
                    return {}, [Fault("ARCHIVE_UNSAFE", HEADER, where, None, reason)]
                if places > most_places:
                    reason = f"brings the places to {places:,} or more, which no real workbook of {size:,} bytes has"
                    return {}, [Fault("ARCHIVE_UNSAFE", HEADER, where, None, reason)]
                if text > most_text:
                    reason = f"brings the text of the cells to {text:,} bytes or more, which no real workbook of {size:,} bytes has"
                    return {}, [Fault("ARCHIVE_UNSAFE", HEADER, where, None, reason)]
                if extent.last_column >= bounds.COLUMNS:
                    reason = f"has cells in column {extent.last_column + 1:,}, and a sheet may have {bounds.COLUMNS:,} columns"
                    return {}, [Fault("ARCHIVE_UNSAFE", HEADER, where, None, reason)]
    except _TooMuch as error:
        return {}, [file_fault("ARCHIVE_UNSAFE", f"{error}, and no real workbook does")]
    except (
        zipfile.BadZipFile,
        OSError,
        KeyError,
        ValueError,
        RuntimeError,
        expat.ExpatError,
    ) as error:
        return {}, [file_fault("ARCHIVE_DAMAGED", f"is not a readable workbook: {error}")]
    return extents, []


class _TooMuch(Exception):
    """A workbook has more of something than any real one; says what."""


def _parsed(
    stream: IO[bytes], start: Callable[[str, dict[str, str]], None], text: Callable[[str], None]
) -> Iterator[None]:
    """Parse XML as it is unpacked, and give way after each megabyte. Nothing is held of it, for a sheet may unpack to 512 MB.

    Raises:
        ValueError: it declares a document type. No real part does, and one could give cells a place that other readers do not see.
    """

    def refuse(*_: object) -> None:
        raise ValueError("a part declares a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    read = 0
    while chunk := stream.read(1024 * 1024):
        parser.Parse(chunk)
        read += len(chunk)
        if read - parser.CurrentByteIndex > LONGEST_TOKEN:
            # It is read from its beginning again with each megabyte that comes.
            raise ValueError(f"a comment or a tag in it is longer than {LONGEST_TOKEN:,} bytes")
        yield
    parser.Parse(b"", True)


def _parse(stream: IO[bytes], start: Callable[[str, dict[str, str]], None], text: Callable[[str], None]) -> None:
    for _ in _parsed(stream, start, text):
        pass


def _string_sizes(archive: zipfile.ZipFile) -> array[int]:
    """The bytes of each shared string, in their order; a reader finds the part whatever the case of its name."""
    sizes = array("Q")

    def start(tag: str, _: dict[str, str]) -> None:
        if tag == "si" or tag.endswith(":si"):
            if len(sizes) == bounds.STRINGS:
                raise _TooMuch(f"shares more than {bounds.STRINGS:,} strings")
            sizes.append(0)

    def text(found: str) -> None:
        if sizes:
            sizes[-1] += len(found.encode())
            if sizes[-1] > bounds.LINE:
                raise _TooMuch(f"shares a string of more than {bounds.LINE:,} bytes")

    for name in archive.namelist():
        if name.lower() == "xl/sharedstrings.xml":
            with archive.open(name) as stream:
                _parse(stream, start, text)
    return sizes


class SheetExtent:
    """How far the cells of one sheet reach, counted from 0, how many hold anything, and the bytes of the text in them.

    Attributes:
        is_hidden: nobody sees the sheet.
        formulas: cells with a formula (column, row, formula), to the first that is no sum of its column; at most SUMS.
        merges: cells that are merged (A1:B2).
    """

    def __init__(self, strings: array[int], is_hidden: bool = False) -> None:
        self.is_hidden = is_hidden
        self.last_row = self.last_column = -1
        self.cells = self.bytes = 0
        self.formulas: list[tuple[str, int, str]] = []
        self.merges: list[str] = []
        self._strings = strings
        self._row = self._column = -1  # of the cell being parsed, or the one before
        self._cell_row = 0
        self._row_named = ""
        self._is_shared = False
        self._columns: dict[str, int] = {}
        self._room = bounds.LINE  # for the text of this cell
        self._is_in_cell = self._is_in_formula = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins. A real workbook has 20 million of them: the commonest are asked for first, and columns remembered."""
        if tag == "v" or tag == "is":  # a cell with a style and nothing in it takes no place
            self._is_in_formula = False
            self.cells += 1
            if self._cell_row > self.last_row:
                self.last_row = self._cell_row
            if self._column > self.last_column:
                self.last_column = self._column
        elif tag == "c":
            self._room = bounds.LINE
            self._is_in_cell, self._is_in_formula = True, False
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
            self._column = self._columns[letters] = column_index(letters.upper())
            self._cell_row = int(place[len(letters) :]) - 1
        elif tag == "row":
            self._column = -1
            place = attributes.get("r")
            self._row = self._row + 1 if place is None else int(place) - 1
            self._row_named = str(self._row + 1)
        elif ":" in tag:
            self.start(tag.rpartition(":")[2], attributes)
        elif tag == "f" and self._is_in_cell:
            self._is_in_formula = len(self.formulas) < SUMS and all(
                SUM.fullmatch(one) for *_, one in self.formulas[-1:]
            )
            if self._is_in_formula:
                self.formulas.append((column_letters(self._column), self._cell_row + 1, ""))
        elif tag == "mergeCell":
            self._is_in_cell = False
            if len(self.merges) == SUMS:
                raise _TooMuch(f"has more than {SUMS:,} merged cells in a sheet")
            self.merges.append(attributes.get("ref", ""))
        else:
            self._is_in_cell = self._is_in_formula = False

    def text(self, found: str) -> None:
        """Text of an element: of a cell with a shared string, which one. A comment parts it in two, and either may be what is read."""
        if self._is_in_formula:
            column, row, before = self.formulas[-1]
            if len(before) < bounds.LINE:  # of a longer one the beginning says that it is no sum
                self.formulas[-1] = (column, row, before + found)
        elif self._is_shared:
            if found.isdecimal() or found.strip().isdecimal():
                number = int(found)
                if number < len(self._strings):
                    self.bytes += self._strings[number]
        else:
            self.bytes += len(found)
            self._room -= len(found)
            if self._room < 0 and self._is_in_cell:
                raise _TooMuch(f"has a cell of more than {bounds.LINE:,} characters")


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
            if len(found) > bounds.SHEETS:
                raise ValueError(f"it has more than {bounds.SHEETS} elements {name}")

    with archive.open(part) as stream:
        _parse(stream, start, lambda _: None)
    return found


def _below_xl(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def column_index(column: str) -> int:
    """0 for column A."""
    number = 0
    for letter in column:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def column_letters(index: int) -> str:
    """A for column 0."""
    letters = ""
    while index >= 0:
        index, letter = divmod(index, 26)
        letters = chr(ord("A") + letter) + letters
        index -= 1
    return letters
