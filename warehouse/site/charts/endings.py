"""Names of lines at their ends, in the room to the right of a plot, moved apart where they would cover one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.site.charts import style
from warehouse.site.charts.axes import Plot
from warehouse.site.charts.drawing import Canvas
from warehouse.site.charts.text import LEADING, SIZE, apart, widest, wrap


@dataclass(frozen=True)
class _Ending:
    x: float
    y: float
    lines: list[str]
    colour: str
    is_bold: bool


class Endings:
    """The names at the ends of the lines of a plot.

    Attributes:
        room: what they take to the right of the plot.
    """

    def __init__(self, canvas: Canvas, names: Sequence[str]) -> None:
        self.canvas = canvas
        self.across = 84 if canvas.is_narrow else 124
        self.room = 14 + max(44.0, widest([line for name in names for line in self._lines(name)], bold=True))
        self.held: list[_Ending] = []

    def add(self, x: float, y: float, name: str, value: str, colour: str = style.SECOND, is_bold: bool = False) -> None:
        """The end of a line, its name and its value."""
        lines = [*(self._lines(name) if name else []), *([value] if value else [])]
        self.held.append(_Ending(x, y, lines, colour, is_bold))

    def _lines(self, name: str) -> list[str]:
        """A name in three lines at most; the description has it whole."""
        lines = wrap(name, self.across, bold=True)
        return lines if len(lines) <= 3 else [*lines[:2], wrap(lines[2], self.across - SIZE, bold=True)[0] + "…"]

    def paint(self, plot: Plot) -> float:
        """Write them, each with a thin line to its end where it had to move or its line ends early.

        Returns:
            Where the lowest ends.
        """
        sizes = [len(one.lines) * SIZE * LEADING + 3 for one in self.held]
        middles = apart([one.y for one in self.held], sizes, plot.top - 10, plot.bottom + 10)
        for one, middle in zip(self.held, middles, strict=True):
            first = middle - len(one.lines) * SIZE * LEADING / 2 + SIZE * 0.95
            self.canvas.lines(plot.right + 12, first, one.lines, bold=one.is_bold, fill=one.colour)
            if abs(one.y - middle) > SIZE or one.x < plot.right - 24:
                self.canvas.line(min(one.x + 4, plot.right), one.y, plot.right + 9, middle, one.colour, 0.8)
        return max((middle + size / 2 for middle, size in zip(middles, sizes, strict=True)), default=plot.bottom)
