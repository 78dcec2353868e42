"""Workbooks (XLSX): what a cell says, and what a workbook may not hold."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from ingest.readers.faults import HEADER, THE_FILE, Fault

LARGEST = 512 * 1024**2  # bytes a workbook may have when unpacked
PACKED_AT_MOST = 200  # times smaller than unpacked: real sheets reach 30
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"

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
    if "xl/workbook.xml" not in names:
        return [Fault(HEADER, THE_FILE, None, f"is a zip archive and no workbook: it holds {', '.join(names[:5])}")]
    return []


def refused_content(file: Path, sheets: Sequence[str], header_row: int) -> list[Fault]:
    """What the sheets to be read hold that is not data: formulas, merged cells from the header down; and hidden sheets.

    Formulas are refused because the file keeps only what they came to when it was last saved, if anything.
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
                    faults += _not_data(name, stream.read(), header_row)
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, RuntimeError) as error:
        return [Fault(HEADER, THE_FILE, None, f"is no workbook that can be read: {error}")]
    return faults


def _paths(archive: zipfile.ZipFile) -> list[tuple[str, str, bool]]:
    """Name, path and whether hidden, of each sheet (ECMA-376 part 1, 18.2.19)."""
    # A real workbook's parts declare no entities; one that does is refused by the parser's limits.
    targets = {
        relation.get("Id"): relation.get("Target", "")
        for relation in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - bounded above
    }
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - bounded above
    return [
        (
            sheet.get("name", ""),
            _below_xl(targets[sheet.get(f"{_REL}id")]),
            sheet.get("state", "visible") != "visible",
        )
        for sheet in book.iter(f"{_MAIN}sheet")
    ]


def _below_xl(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _not_data(sheet: str, xml: bytes, header_row: int) -> list[Fault]:
    faults = []
    formula = re.search(rb'<(?:\w+:)?c\s(?:[^>]*\s)?r="([A-Z]+[0-9]+)"[^>]*>\s*<(?:\w+:)?f[\s/>]', xml)
    if formula:
        faults.append(Fault(HEADER, f"sheet {sheet}", None, f"holds a formula in cell {formula[1].decode()}"))
    for merged in re.finditer(rb'<(?:\w+:)?mergeCell\s[^>]*ref="([A-Z]+[0-9]+:[A-Z]+([0-9]+))"', xml):
        if int(merged[2]) >= header_row:
            faults.append(Fault(HEADER, f"sheet {sheet}", None, f"has the cells {merged[1].decode()} merged"))
            break
    return faults
