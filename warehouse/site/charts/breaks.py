"""Breaks of a series: a rule where the new meaning begins, with its month and its label above the plot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.site.charts import axes, style
from warehouse.site.charts.drawing import Canvas
from warehouse.site.charts.rows import Row, day, truth, words
from warehouse.site.charts.text import LEADING, SMALL, apart, width, wrap


@dataclass(frozen=True)
class Break:
    """The first period of a new meaning.

    Attributes:
        before: the period before it that the chart has, none where it is the first.
    """

    day: dt.date
    before: dt.date | None
    label: str

    @property
    def says(self) -> str:
        """What stands above its rule."""
        return f"{axes.month(self.day)}: {self.label}" if self.label else axes.month(self.day)


def breaks_of(rows: Sequence[Row]) -> list[Break]:
    """The breaks that rows tell of, one a period; a break in the first period of all cuts nothing and is none."""
    labels: dict[dt.date, list[str]] = {}
    days = sorted({day(row, "period_start_date") for row in rows})
    for row in rows:
        if truth(row, "is_break"):
            held = labels.setdefault(day(row, "period_start_date"), [])
            if words(row, "break_label") not in held:
                held.append(words(row, "break_label"))
    befores = dict(zip(days[1:], days, strict=False))
    return [Break(one, befores[one], "; ".join(filter(None, labels[one]))) for one in sorted(labels) if one in befores]


@dataclass(frozen=True)
class _Label:
    """A label that has found its place: its rule, its lines, their left and right end, and its row, 0 the lowest."""

    rule: float
    lines: list[str]
    left: float
    right: float
    row: int

    def clashes(self, other: _Label) -> bool:
        """Whether the two cover one another, or the rule of the higher goes through the lower."""
        if self.row == other.row:
            return self.left < other.right + 8 and other.left < self.right + 8
        high, low = (self, other) if self.row > other.row else (other, self)
        return low.left - 3 < high.rule < low.right + 3


_ROWS = 3


class Rules:
    """Where the labels of breaks go: above the plot where they fit, else numbers there and the labels below the picture.

    Attributes:
        height: what they take above the plot.
    """

    def __init__(self, canvas: Canvas, cuts: Sequence[Break], x: axes.Calendar) -> None:
        self.canvas, self.cuts = canvas, cuts
        self.places = [x.begin(one.day, one.before) for one in cuts]
        self.labels = self._labels()
        if self.labels is None:
            self.height = 20.0
        else:
            deepest = [
                max((len(one.lines) for one in self.labels if one.row == row), default=0) for row in range(_ROWS)
            ]
            self.bottoms = [sum(deepest[:row]) * SMALL * LEADING + 3 * row for row in range(_ROWS)]
            self.height = sum(deepest) * SMALL * LEADING + 3 * sum(1 for one in deepest if one) + (4 if cuts else 0)

    def _labels(self) -> list[_Label] | None:
        placed: list[_Label] = []
        for cut, rule in reversed(list(zip(self.cuts, self.places, strict=True))):
            lines = wrap(cut.says, 150 if self.canvas.is_narrow else 200, SMALL)
            across = max(width(line, SMALL) for line in lines)
            left = max(0.0, min(rule - 1, self.canvas.across - across))
            tries = (_Label(rule, lines, left, left + across, row) for row in range(_ROWS))
            found = next((one for one in tries if not any(one.clashes(other) for other in placed)), None)
            if found is None:
                return None
            placed.append(found)
        return placed

    def paint(self, plot: axes.Plot) -> None:
        """Draw the rules through the plot, each up to its label."""
        if self.labels is not None:
            for one in self.labels:
                foot = plot.top - 5 - self.bottoms[one.row]
                self.canvas.line(one.rule, foot + 2, one.rule, plot.bottom, style.INK, 1.2, name="break")
                first = foot - (len(one.lines) - 1) * SMALL * LEADING - 2
                self.canvas.lines(one.left, first, one.lines, size=SMALL)
            return
        spots = apart(self.places, [18.0] * len(self.places), plot.left, plot.right)
        for number, (rule, spot) in enumerate(zip(self.places, spots, strict=True), 1):
            self.canvas.line(rule, plot.top, rule, plot.bottom, style.INK, 1.2, name="break")
            self.canvas.line(spot, plot.top - 6, rule, plot.top, style.INK, 1.2)
            self.canvas.text(spot, plot.top - 9, str(number), anchor="middle", size=SMALL, bold=True)

    def paint_below(self, y: float) -> float:
        """Write the labels below the picture where only numbers stand above the plot.

        Args:
            y: the first baseline.

        Returns:
            The baseline after the last.
        """
        if self.labels is None:
            for number, cut in enumerate(self.cuts, 1):
                self.canvas.text(0, y, str(number), size=SMALL, bold=True)
                lines = wrap(cut.says, self.canvas.across - 20, SMALL)
                self.canvas.lines(18, y, lines, size=SMALL)
                y += len(lines) * SMALL * LEADING + 3
        return y
