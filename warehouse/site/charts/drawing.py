"""What a chart is made of: the SVG elements, its name and description, and the ids that are its own."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from warehouse.site.charts import style
from warehouse.site.charts.rows import Row
from warehouse.site.charts.text import LEADING, SIZE, SMALL, width, wrap

Points = Sequence[tuple[float, float]]
WIDE, NARROW = 640, 320  # of the viewBox: text is readable where a chart is shown at this width or more


@dataclass(frozen=True)
class Chart:
    """A chart of a page, twice: at a reading width, and laid out anew for a narrow screen. A page shows one of them.

    Attributes:
        svg: an <svg> with role="img", <title> and <desc>, to be put into a page or a file as it is; no width, a viewBox WIDE across.
        description: what it shows, in words: the text alternative, the same as its <desc>.
        narrow: the same for a viewBox NARROW across.
    """

    svg: str
    description: str
    narrow: str


class Canvas:
    """Elements in the order they are painted. Everything is placed in units of the viewBox; nothing is moved, turned or scaled.

    name becomes an element's class, hint its <title>, which a browser shows under the pointer.
    """

    def __init__(self, across: int, prefix: str) -> None:
        self.across = across
        self.prefix = prefix
        self.is_narrow = across < WIDE
        self.parts: list[str] = []

    def add(
        self, tag: str, content: str = "", *, name: str = "", hint: str = "", **attributes: str | float | None
    ) -> None:
        """An element; content is markup, and an attribute without a value is left out."""
        inner = (f"<title>{plain(hint)}</title>" if hint else "") + content
        given = "".join(
            f" {key.replace('_', '-')}={quoteattr(value if isinstance(value, str) else at(value))}"
            for key, value in (("class", name), *attributes.items())
            if value is not None and value != ""
        )
        self.parts.append(f"<{tag}{given}>{inner}</{tag}>" if inner else f"<{tag}{given}/>")

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: str = "",
        size: float = SIZE,
        bold: bool = False,
        fill: str = style.INK,
        is_over: bool = False,
        name: str = "",
    ) -> None:
        """Words on a baseline, with a white edge where they stand over marks (is_over); nothing where there are none."""
        if words:
            self.add(
                "text", plain(words), name=name, x=x, y=y, text_anchor=anchor, font_size=None if size == SIZE else size,
                font_weight="bold" if bold else None, fill=None if fill == style.INK else fill,
                stroke=style.PAPER if is_over else None, stroke_width=3 if is_over else None, paint_order="stroke" if is_over else None,
            )  # fmt: skip

    def lines(
        self,
        x: float,
        y: float,
        texts: Sequence[str],
        *,
        anchor: str = "",
        size: float = SIZE,
        bold: bool = False,
        fill: str = style.INK,
    ) -> None:
        """Lines of words below one another, the first on the baseline y."""
        for place, one in enumerate(texts):
            self.text(x, y + place * size * LEADING, one, anchor=anchor, size=size, bold=bold, fill=fill)

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        stroke: str,
        thick: float = 1,
        dash: str = "",
        *,
        name: str = "",
    ) -> None:
        """A straight line."""
        self.add(
            "line", name=name, x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=thick, stroke_dasharray=dash
        )

    def rect(
        self,
        x: float,
        y: float,
        across: float,
        down: float,
        fill: str,
        stroke: str = "",
        thick: float = 1,
        *,
        name: str = "",
        hint: str = "",
    ) -> None:
        """A rectangle."""
        self.add(
            "rect",
            name=name,
            hint=hint,
            x=x,
            y=y,
            width=across,
            height=down,
            fill=fill,
            stroke=stroke,
            stroke_width=thick if stroke else None,
        )

    def path(self, points: Points, stroke: str, thick: float = 2, dash: str = "", *, name: str = "") -> None:
        """A line through points."""
        self.add(
            "path",
            name=name,
            d=through(points),
            fill="none",
            stroke=stroke,
            stroke_width=thick,
            stroke_dasharray=dash,
            stroke_linejoin="round",
        )

    def area(
        self,
        points: Points,
        fill: str,
        stroke: str = "",
        thick: float = 1,
        *,
        opacity: float | None = None,
        name: str = "",
        hint: str = "",
    ) -> None:
        """A filled shape with these corners."""
        self.add(
            "path", name=name, hint=hint, d=through(points) + "Z", fill=fill, fill_opacity=None if opacity is None else f"{opacity:.2f}",
            stroke=stroke, stroke_width=thick if stroke else None,
        )  # fmt: skip

    def mark(
        self,
        shape: str,
        x: float,
        y: float,
        size: float,
        fill: str,
        stroke: str = "",
        thick: float = 1,
        *,
        name: str = "",
        hint: str = "",
    ) -> None:
        """A point: circle, square, diamond, up or down (triangles) or cross; size is half of its height."""
        if shape == "circle":
            self.add(
                "circle",
                name=name,
                hint=hint,
                cx=x,
                cy=y,
                r=size,
                fill=fill,
                stroke=stroke,
                stroke_width=thick if stroke else None,
            )
        elif shape == "cross":
            strokes = "".join(through([(x - size, y + end * size), (x + size, y - end * size)]) for end in (-1, 1))
            self.add(
                "path", name=name, hint=hint, d=strokes, fill="none", stroke=stroke or fill, stroke_width=max(thick, 2)
            )
        else:
            self.area(
                [(x + a * size, y + b * size) for a, b in _CORNERS[shape]], fill, stroke, thick, name=name, hint=hint
            )

    def key(self, y: float, entries: Sequence[tuple[Callable[[float, float], None], str]], x: float = 0) -> float:
        """What the marks mean, in a row that goes on below where it is full.

        Args:
            y: the middle of the first row.
            entries: for each what draws its mark (given the middle of a place 18 across) and what it means.

        Returns:
            The middle of the row below the last.
        """
        left, row = x, y
        for draw, meaning in entries:
            texts = wrap(meaning, self.across - x - 26, SMALL)
            needed = 24 + max(width(one, SMALL) for one in texts)
            if left > x and left + needed > self.across:
                left, row = x, row + 17
            draw(left + 9, row)
            self.lines(left + 23, row + 4, texts, size=SMALL, fill=style.SECOND)
            row += (len(texts) - 1) * SMALL * LEADING
            left += needed + 14
        return row + 17 if entries else y


_CORNERS = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "up": ((0, -1.2), (1.15, 0.9), (-1.15, 0.9)),
    "down": ((0, 1.2), (1.15, -0.9), (-1.15, -0.9)),
}


def render(
    kind: str,
    rows: Sequence[Row],
    title: str,
    subtitle: str,
    unit: str,
    shows: str,
    draw: Callable[[Canvas], float],
    widths: tuple[int, int] = (WIDE, NARROW),
) -> Chart:
    """Draw a chart at both widths.

    Args:
        kind: of chart.
        rows: as given; with the titles they decide the ids, so that the same chart always has the same bytes.
        shows: what is to be seen, in sentences.
        draw: paints on a canvas and returns the height it took.
        widths: of the two viewBoxes.
    """
    description = " ".join(part for part in (_sentence(subtitle), shows) if part)
    given = json.dumps([kind, title, subtitle, unit, [sorted(row.items()) for row in rows]], default=str)
    svgs = []
    for across in widths:
        prefix = "c" + hashlib.sha256(f"{across} {given}".encode()).hexdigest()[:10]
        canvas = Canvas(across, prefix)
        height = math.ceil(draw(canvas))
        svgs.append(
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart {kind}" role="img" aria-labelledby="{prefix}t" aria-describedby="{prefix}d" '
            f'viewBox="0 0 {across} {height}" font-family="{style.FONTS}" font-size="{SIZE}" fill="{style.INK}">'
            f'<title id="{prefix}t">{plain(title)}</title><desc id="{prefix}d">{plain(description)}</desc>{"".join(canvas.parts)}</svg>'
        )
    return Chart(svg=svgs[0], description=description, narrow=svgs[1])


def plain(words: str) -> str:
    """Words as the text of an element: markup escaped, and no character that XML does not allow."""
    return escape("".join(c if c.isprintable() else " " for c in words))


def at(value: float) -> str:
    """A coordinate, to a tenth."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def through(points: Points) -> str:
    """A path through points, as the d of a <path>."""
    return "M" + "L".join(f"{at(x)} {at(y)}" for x, y in points)


def _sentence(words: str) -> str:
    return words if not words or words.endswith((".", "!", "?")) else f"{words}."
