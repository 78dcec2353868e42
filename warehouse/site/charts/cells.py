"""Tables of cells: a week by the hour, and feeds by the month."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from warehouse.site.charts import axes, style
from warehouse.site.charts.classes import Classes, classes_of, edge
from warehouse.site.charts.drawing import Canvas, Chart, render
from warehouse.site.charts.rows import Row, check, day, number, words
from warehouse.site.charts.text import LEADING, SIZE, SMALL, widest, width, wrap

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def heatmap(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A week by the hour: a cell for each hour of each day, in the colour of its class; figures in the cells where they have room.

    Args:
        rows: weekday ("1 Monday", "Monday" or 1 to 7), hour (0 to 23, "07", or a stretch as "08-11"), value (null or no row: empty), class (in words;
            painted from the lowest values to the highest, seven at most; null throughout: colours go from zero to the highest value).

    Raises:
        ValueError: no rows, a column missing, a day that is none, two rows of one cell, no value, more than seven classes.
    """
    check("heatmap", rows, ("weekday", "hour", "value", "class"))
    classes = classes_of("heatmap", rows, "class", unit)
    cells: dict[tuple[str, str], Row] = {}
    for row in rows:
        cell = (_weekday(row), words(row, "hour").zfill(2))
        if cell in cells:
            raise ValueError(f"a heatmap has one row a cell, and there are two of {cell[0]} {cell[1]}")
        cells[cell] = row
    week = _Week(cells, _hours({hour for _, hour in cells}), classes, unit)

    def draw(canvas: Canvas) -> float:
        bottom = week.upright(canvas) if canvas.is_narrow else week.lying(canvas)
        return canvas.key(bottom + 18, classes.entries(canvas, week.has_empty)) - 8

    return render("heatmap", rows, title, subtitle, unit, week.spoken(), draw)


def _weekday(row: Row) -> str:
    given = words(row, "weekday")
    found = [name for place, name in enumerate(DAYS, 1) if given in (str(place), name, f"{place} {name}")]
    if not found:
        raise ValueError(f"weekday is no day of the week: {given!r}")
    return found[0]


def _hours(given: set[str]) -> list[str]:
    """All hours of a day, or all stretches that are as long as the earliest one given."""
    stretch = re.fullmatch(r"(\d\d)-(\d\d)", min(given))
    step = int(stretch.group(2)) - int(stretch.group(1)) + 1 if stretch else 1
    if step < 1 or 24 % step:
        return sorted(given)
    return sorted(given | {f"{i:02d}-{i + step - 1:02d}" if stretch else f"{i:02d}" for i in range(0, 24, step)})


@dataclass(frozen=True)
class _Week:
    """The cells of a week, by weekday and hour."""

    cells: Mapping[tuple[str, str], Row]
    hours: Sequence[str]
    classes: Classes
    unit: str

    @functools.cached_property
    def known(self) -> dict[str, float]:
        """Each cell that has a value."""
        return {
            f"{name} {hour}": v for (name, hour), row in self.cells.items() if (v := number(row, "value")) is not None
        }

    @functools.cached_property
    def room(self) -> float:
        """How wide the widest figure is."""
        return widest([axes.figure(one) for one in self.known.values()], SMALL)

    @property
    def has_empty(self) -> bool:
        """Whether a cell has no value."""
        return len(self.known) < len(DAYS) * len(self.hours)

    def spoken(self) -> str:
        """Which cells have most."""
        highest = max(self.known.values())
        if self.classes.ends:
            return f"Most, {axes.figure(highest, self.unit)}: {', '.join(name for name, value in self.known.items() if value == highest)}."
        label = self.classes.fills[-1][0]
        named = [
            f"{name} {hour}"
            for (name, hour), row in self.cells.items()
            if words(row, "class") == label and f"{name} {hour}" in self.known
        ]
        return f"{label}: {', '.join(named)}."

    def lying(self, canvas: Canvas) -> float:
        """A row a day, a column an hour."""
        left = widest(DAYS) + 8
        across, height = (canvas.across - left) / len(self.hours), 25.0
        for place, hour in enumerate(self.hours):
            canvas.text(left + (place + 0.5) * across, 12, hour, anchor="middle", size=SMALL, fill=style.SECOND)
        for down, name in enumerate(DAYS):
            canvas.text(left - 8, 18 + (down + 0.5) * height + 4, name, anchor="end")
            for place, hour in enumerate(self.hours):
                self.cell(canvas, (name, hour), left + place * across, 18 + down * height, across, height)
        return 18 + len(DAYS) * height

    def upright(self, canvas: Canvas) -> float:
        """A row an hour, a column a day: for a narrow screen."""
        left = widest(self.hours, SMALL) + 8
        across, height = (canvas.across - left) / len(DAYS), 21.0
        for place, name in enumerate(DAYS):
            canvas.text(left + (place + 0.5) * across, 12, name[:3], anchor="middle", size=SMALL, fill=style.SECOND)
        for down, hour in enumerate(self.hours):
            canvas.text(left - 8, 18 + (down + 0.5) * height + 4, hour, anchor="end", size=SMALL, fill=style.SECOND)
            for place, name in enumerate(DAYS):
                self.cell(canvas, (name, hour), left + place * across, 18 + down * height, across, height)
        return 18 + len(self.hours) * height

    def cell(self, canvas: Canvas, cell: tuple[str, str], x: float, y: float, across: float, height: float) -> None:
        """A cell; its figure is written where those of all cells have room, else shown under the pointer."""
        row = self.cells.get(cell)
        value = None if row is None else number(row, "value")
        if row is None or value is None:
            canvas.rect(x + 0.5, y + 0.5, across - 1, height - 1, style.PAPER, style.GRID, 0.6, name="cell empty")
            return
        fill = self.classes.fill(row)
        is_written = self.room <= across - 3
        hint = "" if is_written else f"{' '.join(cell)}: {axes.figure(value, self.unit)}"
        canvas.rect(x + 0.5, y + 0.5, across - 1, height - 1, fill, edge(fill), 0.6, name="cell", hint=hint)
        if is_written:
            canvas.text(
                x + across / 2,
                y + height / 2 + 4,
                axes.figure(value),
                anchor="middle",
                size=SMALL,
                fill=style.text_on(fill),
            )


# A state's shape, colour and place in the key; the first whose words are in the state's name. Another state has the last.
STATES = (
    (("not expected", "not due", "none expected"), "", style.GREY),
    (("missing", "not delivered", "not submitted", "absent", "no file", "gap"), "cross", "#c2410c"),
    (("late", "partial", "incomplete", "piece"), "diamond", style.PLUM),
    (("quarantin", "held", "refused", "withheld"), "down", "#c2410c"),
    (("provisional", "not yet"), "hollow", style.NAVY),
    (("delivered", "submitted", "complete", "received", "there", "whole", "full"), "square", style.NAVY),
)


def grid(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """What came of each feed in each month: a mark a cell, its shape by the state.

    Args:
        rows: label, month (date), state (words; null or no row: nothing was to come). "missing", "late", "partial", "held", "provisional", "delivered" and their like have
            shapes of their own; any other state is a circle.

    Raises:
        ValueError: no rows, a column missing, two rows of one cell.
    """
    check("grid", rows, ("label", "month", "state"))
    cells: dict[tuple[str, dt.date], str] = {}
    for row in rows:
        cell = (words(row, "label"), day(row, "month"))
        if cell in cells:
            raise ValueError(f"a grid has one row a cell, and there are two of {cell[0]} in {axes.month(cell[1])}")
        cells[cell] = words(row, "state")
    labels = list(dict.fromkeys(label for label, _ in cells))
    months = sorted({month for _, month in cells})
    states = sorted({state for state in cells.values() if state}, key=lambda state: (-_state(state)[2], state))
    spoken = []
    for state in states:
        if _state(state)[0] not in ("square", ""):
            spoken.append(
                f"{state}: "
                + ", ".join(f"{label} {axes.month(month)}" for (label, month), held in cells.items() if held == state)
            )
    shows = ". ".join([f"{len(labels)} rows from {axes.month(months[0])} to {axes.month(months[-1])}", *spoken]) + "."

    def draw(canvas: Canvas) -> float:
        room = 112.0 if canvas.is_narrow else 190.0
        y = 0.0
        across = min(26.0, (canvas.across - room - 2) / min(len(months), 24))
        for start in range(0, len(months), 24):
            y = _block(canvas, labels, months[start : start + 24], cells, room, across, y) + 14
        return canvas.key(y + 4, [(_marker(canvas, state), state) for state in states]) - 8

    return render("grid", rows, title, subtitle, unit, shows, draw)


def _block(
    canvas: Canvas,
    labels: Sequence[str],
    months: Sequence[dt.date],
    cells: Mapping[tuple[str, dt.date], str],
    room: float,
    across: float,
    y: float,
) -> float:
    for place, month in enumerate(months):
        january = next((i for i, one in enumerate(months[place:]) if one.month == 1), len(months))
        if month.month == 1 or (place == 0 and january * across > width(str(month.year), SMALL) + 8):
            canvas.text(room + place * across + 3, y + 12, str(month.year), size=SMALL, fill=style.SECOND)
    y += 18
    top = y
    for label in labels:
        lines = wrap(label, room - 8, SMALL)
        height = max(18.0, len(lines) * SMALL * LEADING + 5)
        canvas.lines(0, y + height / 2 - (len(lines) - 1) * SMALL * LEADING / 2 + 4, lines, size=SMALL)
        for place, month in enumerate(months):
            x = room + place * across
            if state := cells.get((label, month)):
                _marker(canvas, state)(x + across / 2, y + height / 2)
        y += height
        canvas.line(0, y, room + len(months) * across, y, style.GRID)
    for place, month in enumerate(months):
        if month.month == 1:
            canvas.line(room + place * across, top, room + place * across, y, style.GREY)
    return y


def _state(state: str) -> tuple[str, str, int]:
    """Shape, colour and place of a state."""
    for place, (named, shape, colour) in enumerate(STATES):
        if any(word in state.lower() for word in named):
            return shape, colour, place
    return "circle", style.VIOLET, -1


def _marker(canvas: Canvas, state: str) -> Callable[[float, float], None]:
    shape, colour, _ = _state(state)
    size = 3.2 if canvas.is_narrow else SIZE / 3
    if shape == "":
        return lambda cx, cy: canvas.line(cx - 2, cy, cx + 2, cy, colour, 1.4, name="state")
    if shape == "hollow":
        return lambda cx, cy: canvas.mark("circle", cx, cy, size, style.PAPER, colour, 1.6, name="state")
    return lambda cx, cy: canvas.mark(shape, cx, cy, size, colour, name="state")
