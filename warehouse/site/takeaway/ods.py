"""A pack as ODS (OpenDocument 1.2): the same sheets as its XLSX, as OpenDocument has them: header rows, a database range a table, the language in its styles."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import quoteattr

from warehouse.exports import opendocument
from warehouse.site.model import Column
from warehouse.site.takeaway import content, packing
from warehouse.site.takeaway.book import LANGUAGE, Cell, NumberFormat, Sheet, sheets_of
from warehouse.site.takeaway.content import Pack

_MEMBERS = ("content.xml", "styles.xml", "meta.xml", "settings.xml")
_CHARACTER = 0.19  # centimetres of a column for a character
_DAYS = "<number:day/><number:text> </number:text>"
_MONTHS = '<number:month number:style="long" number:textual="true"/><number:text> </number:text><number:year number:style="long"/>'
_CLOCK = '<number:text>, </number:text><number:hours number:style="long"/><number:text>:</number:text><number:minutes number:style="long"/>'
_DATES = {"month": _MONTHS, "day": _DAYS + _MONTHS, "moment": _DAYS + _MONTHS + _CLOCK}
_LANGUAGE, _COUNTRY = LANGUAGE.split("-")


def write(pack: Pack, file: Path) -> None:
    """Write a pack's workbook; the same pack gives the same bytes.

    Raises:
        ValueError: a table cannot be a sheet.
    """
    sheets = sheets_of(pack)
    parts = {
        "mimetype": opendocument.MIME_TYPE,
        "META-INF/manifest.xml": opendocument.manifest(_MEMBERS),
        "content.xml": _content(sheets),
        "styles.xml": _styles(pack),
        "meta.xml": _meta(pack),
        "settings.xml": _settings(sheets),
    }
    packing.write(file, [(name, text.encode()) for name, text in parts.items()], plain="mimetype")


@dataclasses.dataclass
class _Formats:
    """Styles of cells, made as they are first used."""

    names: dict[NumberFormat, str] = dataclasses.field(default_factory=dict)

    def of(self, given: NumberFormat) -> str:
        return self.names.setdefault(given, f"n{len(self.names)}")


def _content(sheets: list[Sheet]) -> str:
    formats = _Formats()
    tables = "".join(_table(sheet, formats) for sheet in sheets)
    widths = sorted({width for sheet in sheets for width in _widths(sheet)})
    styles = [
        *(f'<style:style style:name="w{width}" style:family="table-column"><style:table-column-properties style:column-width="{width * _CHARACTER:.2f}cm"/></style:style>' for width in widths),
        *(f'<number:date-style style:name="d{kind}" number:language="{_LANGUAGE}" number:country="{_COUNTRY}">{parts}</number:date-style>{_cell_style(kind, f"d{kind}")}' for kind, parts in _DATES.items()),
        *(_number_style(name, given) for given, name in formats.names.items()),
        '<style:style style:name="title" style:family="table-cell"><style:text-properties fo:font-weight="bold" fo:font-size="14pt"/></style:style>',
        '<style:style style:name="head" style:family="table-cell"><style:table-cell-properties fo:background-color="#e8eef4" fo:wrap-option="wrap"/><style:text-properties fo:font-weight="bold"/></style:style>',
        '<style:style style:name="long" style:family="table-cell"><style:table-cell-properties fo:wrap-option="wrap" style:vertical-align="top"/></style:style>',
    ]  # fmt: skip
    ranges = "".join(
        f'<table:database-range table:name="table_{sheet.name.replace("-", "_")}" table:contains-header="true" table:display-filter-buttons="false" '
        f"table:target-range-address={quoteattr(_address(sheet))}/>"
        for sheet in sheets
        if sheet.columns
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {opendocument.NAMESPACES} office:version="1.2">'
        f"<office:automatic-styles>{''.join(styles)}</office:automatic-styles><office:body><office:spreadsheet>{tables}"
        f"<table:database-ranges>{ranges}</table:database-ranges></office:spreadsheet></office:body></office:document-content>"
    )


def _widths(sheet: Sheet) -> list[int]:
    return sheet.widths if sheet.columns else [100]


def _table(sheet: Sheet, formats: _Formats) -> str:
    words = "".join(
        opendocument.table_row([opendocument.text(text, "title" if place == 0 else "" if sheet.columns else "long")])
        for place, text in enumerate(sheet.words)
    )
    columns = "".join(f'<table:table-column table:style-name="w{width}"/>' for width in _widths(sheet))
    if sheet.columns:
        head = opendocument.table_row([opendocument.text(column.heading, "head") for column in sheet.columns])
        words += f"<table:table-header-rows>{head}</table:table-header-rows>"
    return f"<table:table table:name={quoteattr(sheet.name)}>{columns}{words}{''.join(_rows(sheet, formats))}</table:table>"


def _rows(sheet: Sheet, formats: _Formats) -> Iterable[str]:
    for cells in sheet.rows:
        yield opendocument.table_row(
            [_cell(sheet, column, cell, formats) for column, cell in zip(sheet.columns, cells, strict=True)]
        )


def _cell(sheet: Sheet, column: Column, cell: Cell, formats: _Formats) -> str:
    if isinstance(cell, str):
        return opendocument.text(cell, "long" if column.kind == "long" else "")
    if isinstance(cell, dt.date):
        return opendocument.date(cell, column.kind, sheet.shown(column, cell))
    return opendocument.number(cell, formats.of(sheet.number_format(column, cell)), sheet.shown(column, cell))


def _address(sheet: Sheet) -> str:
    head = len(sheet.words) + 1
    return f"'{sheet.name}'.A{head}:'{sheet.name}'.{_letters(len(sheet.columns))}{head + len(sheet.rows)}"


def _letters(column: int) -> str:
    """A column's letters, from its number: 1 is A, 27 is AA."""
    rest, last = divmod(column - 1, 26)
    return (_letters(rest) if rest else "") + chr(ord("A") + last)


def _cell_style(name: str, data_style: str) -> str:
    return f'<style:style style:name="{name}" style:family="table-cell" style:data-style-name="{data_style}"/>'


def _number_style(name: str, given: NumberFormat) -> str:
    digits = (
        f'<number:number number:decimal-places="{given.places}" number:min-integer-digits="1" number:grouping="true"/>'
    )
    digits += "<number:text>%</number:text>" if given.is_percent else ""
    if not given.is_signed:
        return (
            f'<number:number-style style:name="f{name}">{digits}</number:number-style>{_cell_style(name, f"f{name}")}'
        )
    return (
        f'<number:number-style style:name="g{name}"><number:text>+</number:text>{digits}</number:number-style>'
        f'<number:number-style style:name="f{name}"><number:text>\N{MINUS SIGN}</number:text>{digits}'
        f'<style:map style:condition="value()&gt;=0" style:apply-style-name="g{name}"/></number:number-style>{_cell_style(name, f"f{name}")}'
    )


def _styles(pack: Pack) -> str:
    footer = f"{opendocument.xml_text(pack.marking)} {opendocument.xml_text(pack.release)}"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-styles {opendocument.NAMESPACES} office:version="1.2"><office:styles>'
        f'<style:default-style style:family="table-cell"><style:text-properties style:font-name="Arial" fo:language="{_LANGUAGE}" fo:country="{_COUNTRY}"/></style:default-style>'
        "</office:styles><office:automatic-styles>"
        '<style:page-layout style:name="page"><style:page-layout-properties style:print-orientation="landscape" fo:page-width="29.7cm" fo:page-height="21cm" style:scale-to-X="1" style:scale-to-Y="0"/></style:page-layout>'
        '</office:automatic-styles><office:master-styles><style:master-page style:name="Default" style:page-layout-name="page">'
        f"<style:footer><text:p>{footer}</text:p></style:footer></style:master-page></office:master-styles></office:document-styles>"
    )


def _meta(pack: Pack) -> str:
    at = dt.datetime.fromisoformat(pack.said["published_at"]).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    said = " ".join([f"{pack.release}.", *(banner["text"] for banner in pack.banners)])
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-meta {opendocument.NAMESPACES} office:version="1.2"><office:meta>'
        f"<dc:title>{opendocument.xml_text(pack.title)}</dc:title><dc:subject>{opendocument.xml_text(content.EDITION_SAYS[pack.edition])}</dc:subject>"
        f"<dc:description>{opendocument.xml_text(said)}</dc:description><meta:keyword>{opendocument.xml_text(pack.marking)}</meta:keyword>"
        f"<meta:initial-creator>{opendocument.xml_text(content.AUTHOR)}</meta:initial-creator><dc:language>{LANGUAGE}</dc:language>"
        f"<meta:creation-date>{at}</meta:creation-date><dc:date>{at}</dc:date></office:meta></office:document-meta>"
    )


def _settings(sheets: list[Sheet]) -> str:
    """Which sheet is open first, and what stands still while a table is scrolled: everything down to its header, and its first column."""

    def number(name: str, value: int) -> str:
        kind = "short" if name.endswith("Mode") else "int"
        return f'<config:config-item config:name="{name}" config:type="{kind}">{value}</config:config-item>'

    frozen = {"HorizontalSplitMode": 2, "HorizontalSplitPosition": 1, "PositionRight": 1, "VerticalSplitMode": 2}
    views = "".join(
        f"<config:config-item-map-entry config:name={quoteattr(sheet.name)}>"
        + "".join(
            number(name, value)
            for name, value in (
                {**frozen, "VerticalSplitPosition": len(sheet.words) + 1, "PositionBottom": len(sheet.words) + 1}
            ).items()
        )
        + "</config:config-item-map-entry>"
        for sheet in sheets
        if sheet.columns
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-settings {opendocument.NAMESPACES} office:version="1.2"><office:settings>'
        '<config:config-item-set config:name="ooo:view-settings"><config:config-item-map-indexed config:name="Views"><config:config-item-map-entry>'
        f'<config:config-item config:name="ActiveTable" config:type="string">{opendocument.xml_text(sheets[0].name)}</config:config-item>'
        f'<config:config-item-map-named config:name="Tables">{views}</config:config-item-map-named>'
        "</config:config-item-map-entry></config:config-item-map-indexed></config:config-item-set></office:settings></office:document-settings>"
    )
