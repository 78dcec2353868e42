"""Classes that rows name, as colours from the lightest for the lowest values to the darkest for the highest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.site.charts import style
from warehouse.site.charts.rows import Row, number, words


@dataclass(frozen=True)
class Classes:
    """Labels and their colours, from the lowest.

    Attributes:
        column: of the rows that has the label.
    """

    column: str
    fills: tuple[tuple[str, str], ...]

    def fill(self, row: Row) -> str:
        """The colour of a row's class."""
        return dict(self.fills)[words(row, self.column)]


def classes_of(kind: str, rows: Sequence[Row], column: str) -> Classes:
    """The classes of the rows that have a value, ordered by the lowest of each.

    Raises:
        ValueError: no row has a value, or there are more classes than colours that can be told apart.
    """
    lowest: dict[str, float] = {}
    for row in rows:
        value, label = number(row, "value"), words(row, column)
        if value is not None:
            lowest[label] = min(value, lowest.get(label, value))
    if not lowest:
        raise ValueError(f"a {kind} chart needs a number in value, and no row has one")
    if len(lowest) > max(style.SEQUENCE):
        raise ValueError(f"a {kind} chart has colours for {max(style.SEQUENCE)} classes, and there are {len(lowest)}")
    ordered = sorted(lowest, key=lambda label: (lowest[label], label))
    return Classes(column, tuple(zip(ordered, style.SEQUENCE[len(ordered)], strict=True)))
