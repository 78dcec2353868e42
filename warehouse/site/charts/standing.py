"""How a figure stands beside what it is compared with, as the marts say it: a shape, a colour and words for each answer."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.site.charts import style
from warehouse.site.charts.drawing import Canvas


@dataclass(frozen=True)
class Standing:
    """An answer.

    Attributes:
        order: its place in a key, from higher to lower.
        shape: of its mark, painted as often as times says; not at all where nothing was tested.
        fill: behind a figure in a cell or on a map; the text on it is chosen to be readable.
        colour: of its mark on white.
        is_weak: whether a stronger answer of the same kind exists; its single mark is hollow.
    """

    order: int
    shape: str
    times: int
    fill: str
    colour: str
    meaning: str
    is_weak: bool = False

    def paint(self, canvas: Canvas, x: float, y: float, size: float, colour: str = "") -> None:
        """Its mark, about a middle."""
        for place in range(self.times):
            canvas.mark(self.shape, x + (place - (self.times - 1) / 2) * size * 2.2, y, size, colour or self.colour)

    def paint_once(self, canvas: Canvas, x: float, y: float, size: float) -> None:
        """Its mark where a middle means a figure: never doubled."""
        shape = self.shape if self.times else "circle"
        is_hollow = self.is_weak or not self.times
        canvas.mark(shape, x, y, size + (1 if is_hollow else 1.6), style.PAPER)
        canvas.mark(shape, x, y, size, style.PAPER if is_hollow else self.colour, self.colour, 1.6, name="here")


_KNOWN = {
    "high (0.001)": Standing(0, "up", 2, "#801650", "#801650", "higher, beyond the 99.8% limits"),
    "high (0.025)": Standing(1, "up", 1, "#e9bcd3", "#a8477c", "higher, beyond the 95% limits", is_weak=True),
    "not significant": Standing(4, "circle", 1, "#f2f2f2", "#6b6b6b", "no significant difference"),
    "low (0.025)": Standing(6, "down", 1, "#bcdaf3", "#2f6ea5", "lower, beyond the 95% limits", is_weak=True),
    "low (0.001)": Standing(7, "down", 2, "#12436d", "#12436d", "lower, beyond the 99.8% limits"),
}
_NONE = Standing(9, "circle", 0, "#ffffff", "#6b6b6b", "not tested")
_ALIKE = re.compile(r"\b(similar|same|not|no|like|line|near|close)\b")
_HIGHER = re.compile(r"\b(high|higher|above|more)\b")
_LOWER = re.compile(r"\b(low|lower|below|less|fewer)\b")


def standing(answer: str) -> Standing:
    """What an answer looks like.

    Args:
        answer: as marts.rpt_borough_measure or rpt_drivers has it, or a page's own words for it ("above London").
    """
    code = answer.lower()
    if not code:
        return _NONE
    if code in _KNOWN:
        return _KNOWN[code]
    if _ALIKE.search(code):
        return Standing(4, "circle", 1, "#f2f2f2", "#6b6b6b", answer)
    if _HIGHER.search(code):
        return Standing(2, "up", 1, "#a8477c", "#a8477c", answer)
    if _LOWER.search(code):
        return Standing(5, "down", 1, "#2f6ea5", "#2f6ea5", answer)
    return Standing(8, "square", 1, style.PAPER, "#6b6b6b", answer)


def are_standings(answers: Sequence[str]) -> bool:
    """Whether these say how figures stand beside another one, so that the colours go two ways: one says "no difference", the others higher or lower."""
    shapes = {standing(answer).shape for answer in answers if answer}
    return "circle" in shapes and shapes <= {"circle", "up", "down"}


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
