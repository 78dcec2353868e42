"""A pack as sheets, whatever the form of the workbook, by the Analysis Function's rules: cover, contents, notes, and a table a sheet."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

from warehouse.site import formats
from warehouse.site.model import Column
from warehouse.site.takeaway import content
from warehouse.site.takeaway.content import Pack

Cell = str | int | float | dt.date | dt.datetime
DATES = frozenset({"month", "day", "moment"})
CHARACTERS = 32_767  # of a cell in Excel
LANGUAGE = "en-GB"
_WIDEST, _NARROWEST = 60, 9  # characters of a column


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A sheet: words from A1 on, a row each, then one table.

    Attributes:
        name: of 31 characters or fewer, without spaces.
        words: title first, then what has to be said of the table.
        columns: of the table; none of a sheet that has words alone.
        rows: of the table, no cell of them empty.
    """

    name: str
    words: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()

    @property
    def widths(self) -> list[int]:
        """Of each column, in characters."""
        shown = ((self.shown(column, row[place]) for row in self.rows) for place, column in enumerate(self.columns))
        return [
            min(_WIDEST, max(_NARROWEST, len(column.heading) + 3, *(len(text) + 2 for text in texts)))
            for column, texts in zip(self.columns, shown, strict=True)
        ]

    @staticmethod
    def shown(column: Column, cell: Cell) -> str:
        """A cell as it is seen."""
        return cell if isinstance(cell, str) else formats.cell(column, cell)

    def number_format(self, column: Column, cell: Cell) -> NumberFormat:
        """How a number is to be seen: as the page has it."""
        text = self.shown(column, cell)
        _, _, after = text.partition(".")
        return NumberFormat(sum(one.isdigit() for one in after), column.kind == "signed", text.endswith("%"))


@dataclasses.dataclass(frozen=True)
class NumberFormat:
    """How a number is seen: digits after the point, whether with its sign, whether with a sign of per cent behind it (not multiplied)."""

    places: int
    is_signed: bool
    is_percent: bool


def sheets_of(pack: Pack) -> list[Sheet]:
    """Every sheet of a pack's workbook.

    Raises:
        ValueError: two columns of a table have one heading, or a text is longer than a cell.
    """
    tables = [_figure(pack, *one) for one in pack.figures if one[2].rows]
    tables += [
        _table("sentences", f"What the figures say of {pack.area.name}", "Sentences of the pack, page by page", content.SENTENCES,
               [row for page in pack.body for row in content.sentences(page)]),
        _table("gaps", "What cannot be said yet", "Questions that the data held here answer in part or not at all, and who holds what would answer them",
               content.GAPS, [row for page in pack.body for row in pack.gaps(page)]),
        _table("measures", "What is counted", "Each measure of the pack: what it is, its licence and whom to name", content.MEASURES,
               [{**one, "says": content.definition(one)} for one in pack.measures]),
    ]  # fmt: skip
    tables = [_marked(pack, sheet) for sheet in tables if sheet.rows]
    return [_cover(pack), _contents(pack, tables), _notes(pack), *tables]


def _figure(pack: Pack, page: Any, place: int, figure: Any) -> Sheet:
    name = f"{page.context['number']}_{place:02d}_{page.context['slug']}"
    return _table(
        name, figure.title, figure.subtitle, figure.columns, figure.rows, (figure.note,) if figure.note else ()
    )


def _table(
    name: str, title: str, subtitle: str, columns: Sequence[Column], rows: Sequence[Any], more: tuple[str, ...] = ()
) -> Sheet:
    headings = [column.heading for column in columns]
    if len(set(headings)) < len(headings):
        raise ValueError(f"two columns of {name} have one heading")
    cells = tuple(tuple(_cell(column, row[column.name]) for column in columns) for row in rows)
    return Sheet(name, (title, subtitle, *more), tuple(columns), cells)


def _cell(column: Column, value: Any) -> Cell:
    """A value of a figure as a cell holds it: numbers and days as such, to the last digit; what is missing by its marker."""
    if value is None or value == "":
        return formats.MISSING if column.kind != "flag" else formats.cell(column, value)
    if column.kind in formats.NUMERIC:
        if not math.isfinite(value):
            return formats.MISSING
        return value if isinstance(value, int) else float(f"{value:.15g}")  # as many digits as a spreadsheet holds
    if column.kind in DATES:
        return formats.local(value).replace(tzinfo=None) if isinstance(value, dt.datetime) else value
    text = formats.cell(
        column, value
    )  # every text is written as text, so that none is a formula, whatever it begins with
    if len(text) > CHARACTERS:
        raise ValueError(f"a text of {column.heading} is longer than a cell")
    return text


def _marked(pack: Pack, sheet: Sheet) -> Sheet:
    """The sheet with what stands on every one: classification, notices, where markers are explained."""
    title, *others = sheet.words
    said = (
        *others,
        f"{pack.area.name}. {pack.marking}. {pack.release}.",
        *(f"{banner['label']} {banner['text']}" for banner in pack.banners),
        "This sheet has one table. Markers such as [x] (not available) are explained on the sheet notes.",
    )
    return dataclasses.replace(sheet, words=(title, *said))


def _cover(pack: Pack) -> Sheet:
    return Sheet("cover", (
        pack.title, pack.marking, content.EDITION_SAYS[pack.edition], *(f"{banner['label']} {banner['text']}" for banner in pack.banners),
        *(f"{name}: {value}" for name, value in pack.status_lines), content.LICENCE,
    ))  # fmt: skip


def _contents(pack: Pack, tables: Sequence[Sheet]) -> Sheet:
    columns = (Column("sheet", "Sheet"), Column("title", "Table"), Column("rows", "Rows", "count"))
    rows = tuple((sheet.name, sheet.words[0], len(sheet.rows)) for sheet in tables)
    return _marked(pack, Sheet("contents", ("Contents", f"{len(rows)} tables, a sheet each"), columns, rows))


def _notes(pack: Pack) -> Sheet:
    columns = (Column("marker", "Marker"), Column("meaning", "Meaning", "long"))
    return _marked(
        pack,
        Sheet("notes", ("Notes", "Markers that stand in place of a figure, or beside one"), columns, content.MARKERS),
    )
