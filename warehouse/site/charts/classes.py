"""Classes that rows name, as colours from the lightest for the lowest values to the darkest for the highest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from warehouse.site.charts import axes, style
from warehouse.site.charts.drawing import Canvas
from warehouse.site.charts.rows import Row, number, words
from warehouse.site.charts.standing import Standing, are_standings, standing


@dataclass(frozen=True)
class Classes:
    """Labels and their colours, from the lowest.

    Attributes:
        column: of the rows that has the label.
        fills: label and colour; what stands in the key.
        standings: of the labels, where they say how a value stands beside another: their marks go with the colours.
        ends: lowest and highest value, where rows name no classes and colours go from one to the other.
    """

    column: str
    fills: tuple[tuple[str, str], ...]
    standings: dict[str, Standing]
    ends: tuple[float, float] | None = None

    def fill(self, row: Row) -> str:
        """The colour of a row that has a value."""
        if self.ends is None:
            return dict(self.fills)[words(row, self.column)]
        low, high = self.ends
        part = ((number(row, "value") or 0) - low) / (high - low) if high > low else 1.0
        return _between(style.SEQUENCE[5][0], style.SEQUENCE[5][-1], part)

    def mark(self, row: Row) -> Standing | None:
        """How a row's class stands, none where classes are of another kind."""
        return self.standings.get(words(row, self.column))

    def entries(self, canvas: Canvas, lacks: bool) -> list[tuple[Callable[[float, float], None], str]]:
        """The key, from the lowest; with a white square for "no figure" where something lacks one."""

        def swatch(fill: str, one: Standing | None) -> Callable[[float, float], None]:
            def paint(x: float, y: float) -> None:
                canvas.rect(x - 9, y - 6, 18, 12, fill, edge(fill), 0.8)
                if one:
                    one.paint(canvas, x, y, 3, style.text_on(fill))

            return paint

        found = [
            (
                swatch(fill, self.standings.get(label)),
                self.standings[label].meaning if label in self.standings else label or "not classed",
            )
            for label, fill in self.fills
        ]
        return [*found, *([(swatch(style.PAPER, None), "no figure")] if lacks else [])]


def edge(fill: str) -> str:
    """The colour of the edge that a fill needs beside white, empty where it needs none."""
    return style.GREY if style.contrast(fill, style.PAPER) < 3 else ""


def classes_of(kind: str, rows: Sequence[Row], column: str, unit: str = "") -> Classes:
    """The classes of the rows that have a value, ordered by the lowest of each; from higher to lower where they say how values stand.

    Raises:
        ValueError: no row has a value, or there are more classes than colours that can be told apart.
    """
    lowest: dict[str, float] = {}
    values = []
    for row in rows:
        value, label = number(row, "value"), words(row, column)
        if value is not None:
            values.append(value)
            lowest[label] = min(value, lowest.get(label, value))
    if not lowest:
        raise ValueError(f"a {kind} chart needs a number in value, and no row has one")
    if set(lowest) == {""}:
        low, high = min(0.0, *values), max(values)
        ends = ((axes.figure(low, unit), style.SEQUENCE[5][0]), (axes.figure(high, unit), style.SEQUENCE[5][-1]))
        return Classes(column, ends if high > low else ends[1:], {}, (low, high))
    if are_standings(list(lowest)):
        held = {label: standing(label) for label in lowest}
        ordered = sorted(lowest, key=lambda label: (held[label].order, label))
        return Classes(column, tuple((label, held[label].fill) for label in ordered), held)
    if len(lowest) > max(style.SEQUENCE):
        raise ValueError(f"a {kind} chart has colours for {max(style.SEQUENCE)} classes, and there are {len(lowest)}")
    ordered = sorted(lowest, key=lambda label: (lowest[label], label))
    return Classes(column, tuple(zip(ordered, style.SEQUENCE[len(ordered)], strict=True)), {})


def _between(one: str, other: str, part: float) -> str:
    """A colour between two, part of the way from the one to the other."""
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)
