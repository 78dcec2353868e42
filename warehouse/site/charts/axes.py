"""Where values and days stand in a picture, and the axes that say so."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from warehouse.site.charts import style
from warehouse.site.charts.drawing import Canvas
from warehouse.site.charts.text import SIZE, SMALL, widest, width


@dataclass(frozen=True)
class Scale:
    """A straight scale: where between two ends of the picture a number of its domain lies."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


@dataclass(frozen=True)
class Plot:
    """The part of a picture that has the marks."""

    left: float
    top: float
    right: float
    bottom: float


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers from at or below low to at or above high, about so many.

    Returns:
        Two or more, in steps of 1, 2, 2.5 or 5 times a power of ten.
    """
    if high <= low:
        high = low + (abs(low) or 1.0)
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def figure(value: float, unit: str = "") -> str:
    """A number as it stands beside a mark: three digits that count, thousands parted, with the sign of a percentage."""
    size = abs(value)
    places = 0 if size >= 99.95 or value == round(value) else 1 if size >= 9.995 else 2
    text = f"{value:,.{places}f}"
    if places == 2 and text.endswith("0"):
        text = text[:-1]
    return text.replace("-", "−") + ("%" if unit == "%" else "")


def column(values: Sequence[float | None], unit: str = "") -> list[str]:
    """Numbers that stand below one another, with as many decimals each as their largest allows; empty where there is none."""
    held = [value for value in values if value is not None]
    most = max((abs(value) for value in held), default=0.0)
    places = 0 if most >= 1000 or all(value == round(value) for value in held) else 1 if most >= 20 else 2
    texts = ["" if value is None else f"{value:,.{places}f}".replace("-", "−") for value in values]
    return [text + "%" if text and unit == "%" else text for text in texts]


def marks_of(values: Sequence[float], unit: str = "") -> list[str]:
    """The ticks of an axis in words, all but zero with as many decimals as any of them needs."""
    places = max((len(f"{value:.6f}".rstrip("0").partition(".")[2]) for value in values), default=0)
    texts = [f"{value:,.{places if value else 0}f}".replace("-", "−") for value in values]
    return [text + "%" if unit == "%" else text for text in texts]


def said(unit: str) -> str:
    """What stands over an axis: its unit, or nothing where every tick says it."""
    return "" if unit == "%" else unit


def unit_room(unit: str) -> int:
    """How much what stands over an axis takes."""
    return 18 if said(unit) else 0


def month(day: dt.date) -> str:
    """A month as it is written in a label."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def left_room(values: Sequence[float], unit: str) -> float:
    """How much the labels of a vertical axis take."""
    return widest(marks_of(values, unit)) + 8


def upright(canvas: Canvas, plot: Plot, values: Sequence[float], unit: str) -> Scale:
    """A vertical axis: faint lines at the ticks, their labels, and the unit at the top of the picture.

    Args:
        values: the ticks, from the lowest.
    """
    scale = Scale(values[0], values[-1], plot.bottom, plot.top)
    for value, label in zip(values, marks_of(values, unit), strict=True):
        y = scale(value)
        canvas.line(plot.left, y, plot.right, y, style.SECOND if value == 0 else style.GRID)
        canvas.text(plot.left - 6, y + 4, label, anchor="end", fill=style.SECOND)
    canvas.text(0, 11, said(unit), size=SMALL, fill=style.SECOND)
    return scale


def level(canvas: Canvas, plot: Plot, values: Sequence[float], unit: str, is_zero_bold: bool = True) -> Scale:
    """A horizontal axis below the plot: faint lines at the ticks, their labels, and the unit below them."""
    scale = Scale(values[0], values[-1], plot.left, plot.right)
    edge = -math.inf
    for value, label in zip(values, marks_of(values, unit), strict=True):
        x, half = scale(value), width(label) / 2
        canvas.line(x, plot.top, x, plot.bottom, style.SECOND if value == 0 and is_zero_bold else style.GRID)
        middle = min(max(x, half), canvas.across - half)
        if middle - half > edge:
            canvas.text(middle, plot.bottom + 16, label, anchor="middle", fill=style.SECOND)
            edge = middle + half + 6
    if said(unit):
        half = width(unit, SMALL) / 2
        middle = min(max((plot.left + plot.right) / 2, half), canvas.across - half)
        canvas.text(middle, plot.bottom + 32, unit, anchor="middle", size=SMALL, fill=style.SECOND)
    return scale


@dataclass(frozen=True)
class Calendar:
    """A scale of days, for points that stand at the first day of their period.

    Attributes:
        step: days from one period to the next, the fewest there are.
    """

    place: Callable[[float], float]
    step: int
    first: dt.date

    def __call__(self, day: dt.date) -> float:
        """The place of a day."""
        return self.place((day - self.first).days)

    def follows(self, earlier: dt.date, later: dt.date) -> bool:
        """Whether no period lies between the two."""
        return (later - earlier).days < self.step * 1.5

    def begin(self, day: dt.date, before: dt.date | None) -> float:
        """Where a period begins: half-way from the one before."""
        gap = (day - before).days if before and self.follows(before, day) else self.step
        return self.place((day - self.first).days - gap / 2)


def timeline(days: Sequence[dt.date], left: float, right: float) -> Calendar:
    """A scale of days whose first and last point stand half a step inside its ends."""
    held = sorted(set(days))
    step = min(((b - a).days for a, b in itertools.pairwise(held)), default=30)
    return Calendar(Scale(-step / 2, (held[-1] - held[0]).days + step / 2, left, right), step, held[0])


def calendar(canvas: Canvas, plot: Plot, x: Calendar, days: Sequence[dt.date]) -> None:
    """A horizontal axis of days: years, or months where there are few, below the plot."""
    edge = -math.inf
    for day, label in _labels(sorted(set(days)), x.step):
        half = width(label) / 2
        middle = min(max(x(day), half), canvas.across - half)
        if middle - half > edge:
            canvas.line(x(day), plot.bottom, x(day), plot.bottom + 5, style.SECOND)
            canvas.text(middle, plot.bottom + 18, label, anchor="middle", fill=style.SECOND)
            edge = middle + half + SIZE / 2


def _labels(held: Sequence[dt.date], step: int) -> list[tuple[dt.date, str]]:
    """The days to label, and how: every period where there are few, else months, else years."""
    if step > 80 or len(held) <= 6:
        return [(day, month(day) if step < 360 or day.month != 1 else str(day.year)) for day in held]
    first, span = held[0].replace(day=1), (held[-1] - held[0]).days
    months = [
        dt.date(first.year + (first.month - 1 + i) // 12, (first.month - 1 + i) % 12 + 1, 1)
        for i in range(span // 28 + 2)
    ]
    within = [day for day in months if held[0] <= day <= held[-1]]
    if span < 1000:
        every = 3 if span < 500 else 6
        return [(day, month(day)) for day in within if (day.month - 1) % every == 0]
    return [(day, str(day.year)) for day in within if day.month == 1]
