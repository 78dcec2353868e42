"""A pack as PDF: tagged (PDF/UA-1), set by Typst with a template of ours, the charts of the pages in it as they are."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import font_source_sans_pro
import typst

from warehouse.site import formats, rendering
from warehouse.site.charts import style
from warehouse.site.model import Column
from warehouse.site.rendering import Page
from warehouse.site.shown import Shown, table
from warehouse.site.takeaway import content
from warehouse.site.takeaway.content import Pack

FONT = "Source Sans Pro"
# Rows of a table that is set: of one that stands alone as many as a page of the site shows, of one beside its chart half.
LONGEST, LONGEST_BESIDE = 40, 20
TEMPLATE = Path(__file__).with_name("pack.typ")
_FONT_FILES = Path(font_source_sans_pro.__file__).with_name("files")
_FACES = ("Regular", "Bold", "It")
_REMEMBERED = 10  # documents
_UPRIGHT, _TURNED = 481.8, 728.4  # points across A4 within its margins
_CHART_ACROSS, _CHART_DOWN = 414.0, 600.0  # points: the text of a chart is then as large as that of a table, or smaller
# The white edge of words that stand over marks: Typst sets such words as outlines, which nobody can copy and which take a tenth of the file.
_EDGE = f' stroke="{style.PAPER}" stroke-width="3" paint-order="stroke"'
_VIEW = re.compile(r'viewBox="0 0 (\d+) (\d+)"')
_INSET = 6.2  # points beside the words of a cell, both sides together
_CHARACTER = 0.52  # the width of a character of the font as a share of its size, bold ones and capitals included
_SIZES = (7.5, 6.5)  # points, of the words of a table
_FOLDED, _WIDEST = 24, 44  # characters


def write(pack: Pack, file: Path) -> None:
    """Write a pack's PDF; the same pack gives the same bytes.

    Raises:
        Exception: what Typst finds wrong, such as a chart without words (typst.TypstError), or a chart that cannot be drawn.
    """
    published = dt.datetime.fromisoformat(pack.said["published_at"]).astimezone(dt.UTC)
    with tempfile.TemporaryDirectory(prefix=".pdf-", dir=file.parent) as folder:
        root = Path(folder)
        shutil.copy(TEMPLATE, root / "pack.typ")
        (root / "pack.json").write_text(json.dumps(_said(pack), ensure_ascii=False), encoding="utf-8")
        (root / "fonts").mkdir()
        for face in _FACES:  # of its two dozen files, in two formats, those that are meant
            shutil.copy(_FONT_FILES / f"SourceSansPro-{face}.ttf", root / "fonts")
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[root / "fonts"])
        compiler = typst.Compiler(root / "pack.typ", root=root, font_paths=fonts)
        _, warnings = compiler.compile_with_warnings(
            output=root / "pack.pdf",
            format="pdf",
            sys_inputs={"pack": "pack.json"},
            pdf_standards=["ua-1"],
            timestamp=published,
        )
        # Typst remembers what it set for its next ten documents, 70 MB each, for the life of the process: these ten are empty, and take 0.1 s.
        for _ in range(_REMEMBERED):
            compiler.compile(b"x", format="svg")
        if warnings:
            raise ValueError(f"Typst warns of {'; '.join(str(one) for one in warnings)}")
        # A tenth of the time in which a command starts, and most write no PDF.
        import pikepdf

        pikepdf.settings.set_flate_compression_level(9)

        # Tags are thousands of small objects, which Typst writes one by one: packed in streams they take a fifth.
        with pikepdf.open(root / "pack.pdf") as document:
            document.save(
                file,
                object_stream_mode=pikepdf.ObjectStreamMode.generate,
                recompress_flate=True,
                deterministic_id=True,
            )


def _said(pack: Pack) -> dict[str, Any]:
    return {
        "title": pack.title,
        "author": content.AUTHOR,
        "description": f"{pack.marking}. {pack.release}. {' '.join(banner['text'] for banner in pack.banners)}".strip(),
        "keywords": [pack.area.name, "violence", content.TITLE],
        "font": FONT,
        "marking": pack.marking,
        "area": pack.area.name,
        "edition": content.EDITION_SAYS[pack.edition],
        "banners": pack.banners,
        "release": pack.release,
        "status_lines": pack.status_lines,
        "topics": [_topic(page, pack.gaps(page)) for page in pack.body],
        "measures": [
            {
                "name": one["measure_name"],
                "says": content.definition(one),
                "licence": f"{one['attribution']} {one['licence']}.",
            }
            for one in pack.measures
        ],
        "editions": pack.editions,
        "markers": [f"{marker} {meaning}" for marker, meaning in content.MARKERS],
        "licence": content.LICENCE,
    }


def _topic(page: Page, gaps: list[dict[str, Any]]) -> dict[str, Any]:
    given = page.context
    return {
        "heading": given["heading"],
        "asks": given["asks"],
        "cards": [_card(group) for group in given["cards"]],
        "facts": [
            {"sentence": row["sentence"], "source": " ".join(filter(None, (row["source_line"], row["caveat"])))}
            for row in given["facts"]
        ],
        "facts_heading": given["facts_heading"],
        "facts_are_last": len(given["facts"]) > 6,
        "figures": [_figure(figure, page) for figure in page.figures],
        "nothing": "" if page.figures or given["facts"] else given["nothing"],
        "gaps": _table(
            content.GAPS,
            [[formats.cell(column, row[column.name]) for column in content.GAPS] for row in gaps],
        )
        if gaps
        else None,
    }


def _card(group: dict[str, Any]) -> dict[str, Any]:
    available = {"exact": "Exact", "proxy": "Proxy"}.get(group["availability"], "Not available")
    answers = [
        {
            "who": answer["who"],
            "says": f"{answer['value']} {answer['unit']}. {answer['counted']}, {answer['period']}; {answer['limits']}. {answer['change']}"
            if answer["value"]
            else answer["reason"],
        }
        for answer in group["answers"]
    ]
    return {"name": group["name"], "availability": available, "answers": answers}


def _figure(figure: Shown, page: Page) -> dict[str, Any]:
    chart = rendering.draw(figure, page.area)
    is_set = len(figure.rows) <= (LONGEST_BESIDE if chart else LONGEST)
    return {
        "title": figure.title,
        "subtitle": figure.subtitle,
        "missing": figure.missing,
        "note": figure.note,
        "svg": chart.svg.replace(_EDGE, "") if chart else "",
        "across": _across(chart.svg) if chart else 0,
        "alt": f"{figure.title}. {figure.subtitle}",
        "table": _table(figure.columns, table(figure)) if figure.rows and is_set else None,
        "table_is": ""
        if is_set
        else f"The table of the same figures has {len(figure.rows):,} rows: it is in the pack's workbooks (XLSX, ODS) and on the site, page {page.context['heading']}.",
    }


def _across(svg: str) -> float:
    """How wide a chart is set, in points: all of it on one page, heading and all."""
    across, down = map(float, _VIEW.search(svg).groups())  # type: ignore[union-attr] # every chart has one
    return min(_CHART_ACROSS, _CHART_DOWN * across / down)


def _table(columns: Sequence[Column], rows: list[list[str]]) -> dict[str, Any]:
    """A table with the widths of its columns, in points, upright where it can be read so, else on a page turned round."""
    heads = [{"text": column.heading, "is_number": column.kind in formats.NUMERIC} for column in columns]
    by_column = list(zip(*rows, strict=True))
    wanted = [_wanted(column.heading, cells) for column, cells in zip(columns, by_column, strict=True)]
    least = [
        min(want, _least(column.heading, cells)) for want, column, cells in zip(wanted, columns, by_column, strict=True)
    ]
    size, across, is_turned = next(
        (
            (size, across, across > _UPRIGHT)
            for across in (_UPRIGHT, _TURNED)
            for size in _SIZES
            if _fitted(wanted, least, size, across)
        ),
        (_SIZES[-1], _TURNED, True),
    )
    widths = _fitted(wanted, least, size, across) or [across / len(columns)] * len(columns)
    lengths = [f"{width:.1f}" for width in widths]
    return {"heads": heads, "rows": rows, "widths": lengths, "size": size, "is_turned": is_turned}


def _wanted(heading: str, cells: Sequence[str]) -> int:
    """How many characters across a column reads best at: its longest cell, folded where that is a sentence."""
    longest = max(map(len, cells))
    return max(_longest_word(heading), longest if longest <= _FOLDED else min(_WIDEST, max(_FOLDED, longest // 3)))


def _least(heading: str, cells: Sequence[str]) -> int:
    """How many characters across a column needs: no word is cut, no cell has more than some ten lines."""
    return max(_longest_word(heading), max(map(_longest_word, cells)), max(map(len, cells)) // 10)


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=1)


def _fitted(wanted: Sequence[int], least: Sequence[int], size: float, across: float) -> list[float]:
    """Widths of columns that take no more than what there is across; none where the least is more."""
    points = size * _CHARACTER
    room = across - _INSET * len(wanted) - points * sum(least)
    if room < 0:
        return []
    more = points * (sum(wanted) - sum(least))
    share = min(1.0, room / more) if more else 0.0
    return [_INSET + points * (low + share * (want - low)) for want, low in zip(wanted, least, strict=True)]
