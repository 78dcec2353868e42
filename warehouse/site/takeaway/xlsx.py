"""A pack as XLSX: a marked-up table a sheet, typed cells that look as they do on the page, the language said."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import xlsxwriter

from warehouse.site.model import Column
from warehouse.site.takeaway import content, packing
from warehouse.site.takeaway.book import LANGUAGE, Cell, NumberFormat, Sheet, sheets_of
from warehouse.site.takeaway.content import Pack

_CORE = "docProps/core.xml"
_AFTER = b"<dcterms:created"
_DATES = {"month": "mmmm yyyy", "day": "d mmmm yyyy", "moment": "d mmmm yyyy, hh:mm"}
_WORDS_WIDTH = 100  # of the cover's one column


def write(pack: Pack, file: Path) -> None:
    """Write a pack's workbook; the same pack gives the same bytes.

    Raises:
        ValueError: a table cannot be a sheet.
    """
    made = io.BytesIO()
    published = dt.datetime.fromisoformat(pack.said["published_at"]).astimezone(dt.UTC).replace(tzinfo=None)
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        book.set_properties({
            "title": pack.title, "subject": content.EDITION_SAYS[pack.edition], "author": content.AUTHOR, "created": published,
            "keywords": pack.marking, "comments": " ".join([pack.release + ".", *(banner["text"] for banner in pack.banners)]),
        })  # fmt: skip
        writer = _Writer(book, pack)
        for sheet in sheets_of(pack):
            writer.add(sheet)
    with zipfile.ZipFile(made) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    # xlsxwriter has no property for it, and a program that reads aloud asks the file for its language.
    said = f"<dc:language>{LANGUAGE}</dc:language>".encode()
    packing.write(
        file, [(name, data.replace(_AFTER, said + _AFTER, 1) if name == _CORE else data) for name, data in members]
    )


class _Writer:
    """Sheets of one workbook, and the formats they share."""

    def __init__(self, book: Any, pack: Pack) -> None:
        self._book = book
        self._pack = pack
        self._formats: dict[str, Any] = {}
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._head = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8EEF4", "bottom": 1}
        )
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self._link = book.get_default_url_format()

    def add(self, sheet: Sheet) -> None:
        """A sheet: its words, then its table."""
        page = self._book.add_worksheet(sheet.name)
        page.set_paper(9)
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.set_footer(f"&L{self._pack.marking}&C{self._pack.release}&RPage &P of &N")
        if not sheet.columns:
            page.set_column(0, 0, _WORDS_WIDTH)
        for row, words in enumerate(sheet.words):
            page.write_string(row, 0, words, self._title if row == 0 else None if sheet.columns else self._wrapped)
        if sheet.columns:
            self._add_table(page, sheet)

    def _add_table(self, page: Any, sheet: Sheet) -> None:
        head = len(sheet.words)
        for place, width in enumerate(sheet.widths):
            page.set_column(place, place, width)
        page.add_table(head, 0, head + len(sheet.rows), len(sheet.columns) - 1, {
            "name": f"table_{sheet.name.replace('-', '_')}", "style": None, "autofilter": False,
            "columns": [{"header": column.heading, "header_format": self._head} for column in sheet.columns],
        })  # fmt: skip
        page.freeze_panes(head + 1, 1)
        page.repeat_rows(head)
        for row, cells in enumerate(sheet.rows, start=head + 1):
            for place, (column, cell) in enumerate(zip(sheet.columns, cells, strict=True)):
                if sheet.name == "contents" and place == 0:
                    page.write_url(row, place, f"internal:'{cell}'!A1", self._link, str(cell))
                else:
                    self._write(page, sheet, column, cell)(row, place, cell)

    def _write(self, page: Any, sheet: Sheet, column: Column, cell: Cell) -> Any:
        """What writes a cell."""
        if isinstance(cell, str):
            write = page.write_string
            return (lambda row, place, text: write(row, place, text, self._wrapped)) if column.kind == "long" else write
        if isinstance(cell, dt.date):
            return partial(self._put, page.write_datetime, _DATES[column.kind])
        return partial(self._put, page.write_number, _code(sheet.number_format(column, cell)))

    def _put(self, write: Any, code: str, row: int, place: int, value: Cell) -> None:
        if code not in self._formats:
            self._formats[code] = self._book.add_format({"num_format": code})
        write(row, place, value, self._formats[code])


def _code(given: NumberFormat) -> str:
    digits = "#,##0" + (f".{'0' * given.places}" if given.places else "")
    digits += '"%"' if given.is_percent else ""
    return f"+{digits};\N{MINUS SIGN}{digits};+{digits}" if given.is_signed else digits
