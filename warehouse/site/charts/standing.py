"""How a figure stands beside what it is compared with, as the marts say it: a shape, a colour and words for each answer."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.site.charts import style
from warehouse.site.charts.drawing import Canvas


@dataclass(frozen=True)
class Standing:
    """An answer.

    Attributes:
        order: its place in a key.
        shape: of its mark, painted as often as times says.
        fill: behind a figure in a cell; the text on it is chosen to be readable.
        colour: of its mark on white.
    """

    order: int
    shape: str
    times: int
    fill: str
    colour: str
    meaning: str

    def paint(self, canvas: Canvas, x: float, y: float, size: float, colour: str = "") -> None:
        """Its mark, about a middle."""
        for place in range(self.times):
            canvas.mark(self.shape, x + (place - (self.times - 1) / 2) * size * 2.2, y, size, colour or self.colour)

    def paint_once(self, canvas: Canvas, x: float, y: float, size: float) -> None:
        """Its mark where a middle means a figure: never doubled, filled where the difference is the stronger, else hollow."""
        is_hollow = self.times == 1 and self.shape in ("up", "down")
        canvas.mark(self.shape, x, y, size + (1 if is_hollow else 1.6), style.PAPER)
        if self.times:
            canvas.mark(
                self.shape, x, y, size, style.PAPER if is_hollow else self.colour, self.colour, 1.6, name="here"
            )
        else:
            canvas.mark("circle", x, y, size, style.PAPER, style.INK, 1.6, name="here")


_KNOWN = {
    "high (0.001)": Standing(0, "up", 2, "#801650", "#801650", "higher, beyond the 99.8% limits"),
    "high (0.025)": Standing(1, "up", 1, "#e9bcd3", "#a8477c", "higher, beyond the 95% limits"),
    "not significant": Standing(4, "circle", 1, "#f2f2f2", "#6b6b6b", "no significant difference"),
    "low (0.025)": Standing(5, "down", 1, "#bcdaf3", "#2f6ea5", "lower, beyond the 95% limits"),
    "low (0.001)": Standing(6, "down", 2, "#12436d", "#12436d", "lower, beyond the 99.8% limits"),
}
_NONE = Standing(9, "circle", 0, "#ffffff", "#6b6b6b", "not tested")


def standing(answer: str) -> Standing:
    """What an answer looks like.

    Args:
        answer: as marts.rpt_borough_measure or rpt_drivers has it; another one keeps its own words, with the shape of its first word.
    """
    code = answer.lower()
    if not code:
        return _NONE
    if code in _KNOWN:
        return _KNOWN[code]
    if code.startswith(("high", "above", "more")):
        return Standing(2, "up", 1, "#e9bcd3", "#a8477c", answer)
    if code.startswith(("low", "below", "less", "fewer")):
        return Standing(7, "down", 1, "#bcdaf3", "#2f6ea5", answer)
    if code.startswith(("worse",)):
        return Standing(3, "diamond", 1, "#f6c7ad", "#b8430f", answer)
    if code.startswith(("better",)):
        return Standing(8, "square", 1, "#b5dfdb", "#1f7f77", answer)
    return Standing(4, "circle", 1, style.PAPER, "#6b6b6b", answer)


def paint_key(canvas: Canvas, y: float, answers: Sequence[str], is_single: bool = False) -> float:
    """What the marks of these answers mean, each once; is_single where the chart paints them once.

    Returns:
        The middle of the row below.
    """
    met = sorted(
        {one for answer in answers if (one := standing(answer)).times or is_single},
        key=lambda one: (one.order, one.meaning),
    )

    def paint(one: Standing, x: float, y: float) -> None:
        if is_single:
            one.paint_once(canvas, x, y, 4.5)
        else:
            one.paint(canvas, x, y, 4)

    return canvas.key(y, [(functools.partial(paint, one), one.meaning) for one in met])
