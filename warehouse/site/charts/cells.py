"""Tables of cells: a week by the hour, and feeds by the month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from warehouse.site.charts import axes, style
from warehouse.site.charts.classes import Classes, classes_of
from warehouse.site.charts.drawing import Canvas, Chart, render
from warehouse.site.charts.rows import Row, check, day, number, words
from warehouse.site.charts.text import LEADING, SIZE, SMALL, widest, width, wrap

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def heatmap(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A week by the hour: a cell for each hour of each day, in the colour of its class; figures in the cells where they have room.

    Args:
        rows: weekday ("1 Monday", "Monday" or 1 to 7), hour (0 to 23, "07", or a stretch as "08-11"), value (null or no row: empty), class (in words; painted from the
            lowest values to the highest, seven at most).

    Raises:
        ValueError: no rows, a column missing, a day that is none, two rows of one cell, no value, more than seven classes.
    """
    check("heatmap", rows, ("weekday", "hour", "value", "class"))
    classes = classes_of("heatmap", rows, "class")
    cells: dict[tuple[str, str], Row] = {}
    for row in rows:
        cell = (_weekday(row), words(row, "hour").zfill(2))
        if cell in cells:
            raise ValueError(f"a heatmap has one row a cell, and there are two of {cell[0]} {cell[1]}")
        cells[cell] = row
    hours = sorted(
        {hour for _, hour in cells}
        | ({f"{i:02d}" for i in range(24)} if not any("-" in hour for _, hour in cells) else set())
    )
    top = [
        f"{weekday} {hour}"
        for (weekday, hour), row in cells.items()
        if words(row, "class") == classes.fills[-1][0] and number(row, "value") is not None
    ]
    shows = f"{classes.fills[-1][0]}: {', '.join(top)}."

    def draw(canvas: Canvas) -> float:
        bottom = (_upright if canvas.is_narrow else _lying)(canvas, cells, hours, classes, unit)
        return (
            canvas.key(
                bottom + 18,
                _swatches(
                    canvas, classes, len(cells) < 7 * len(hours) or any(number(r, "value") is None for r in rows)
                ),
            )
            - 8
        )

    return render("heatmap", rows, title, subtitle, unit, shows, draw)


def _weekday(row: Row) -> str:
    given = words(row, "weekday")
    found = [name for place, name in enumerate(DAYS, 1) if given in (str(place), name, f"{place} {name}")]
    if not found:
        raise ValueError(f"weekday is no day of the week: {given!r}")
    return found[0]


def _lying(
    canvas: Canvas, cells: Mapping[tuple[str, str], Row], hours: Sequence[str], classes: Classes, unit: str
) -> float:
    left = widest(DAYS) + 8
    across, height = (canvas.across - left) / len(hours), 25.0
    for place, hour in enumerate(hours):
        canvas.text(left + (place + 0.5) * across, 12, hour, anchor="middle", size=SMALL, fill=style.SECOND)
    for down, name in enumerate(DAYS):
        y = 18 + down * height
        canvas.text(left - 8, y + height / 2 + 4, name, anchor="end")
        for place, hour in enumerate(hours):
            _filled(canvas, cells.get((name, hour)), classes, (left + place * across, y, across, height), unit)
    return 18 + 7 * height


def _upright(
    canvas: Canvas, cells: Mapping[tuple[str, str], Row], hours: Sequence[str], classes: Classes, unit: str
) -> float:
    left = widest(hours, SMALL) + 8
    across, height = (canvas.across - left) / 7, 21.0
    for place, name in enumerate(DAYS):
        canvas.text(left + (place + 0.5) * across, 12, name[:3], anchor="middle", size=SMALL, fill=style.SECOND)
    for down, hour in enumerate(hours):
        y = 18 + down * height
        canvas.text(left - 8, y + height / 2 + 4, hour, anchor="end", size=SMALL, fill=style.SECOND)
        for place, name in enumerate(DAYS):
            _filled(canvas, cells.get((name, hour)), classes, (left + place * across, y, across, height), unit)
    return 18 + len(hours) * height


def _filled(
    canvas: Canvas, row: Row | None, classes: Classes, box: tuple[float, float, float, float], unit: str
) -> None:
    """A cell (left, top, width, height), its figure written where it fits."""
    x, y, across, height = box
    value = None if row is None else number(row, "value")
    if row is None or value is None:
        canvas.rect(x + 0.5, y + 0.5, across - 1, height - 1, style.PAPER, style.GRID, 0.6, name="cell empty")
        return
    fill, label = classes.fill(row), axes.figure(value)
    edge = style.GREY if style.contrast(fill, style.PAPER) < 3 else ""
    hint = f"{words(row, 'weekday')}, {words(row, 'hour')}: {axes.figure(value, unit)}"
    canvas.rect(x + 0.5, y + 0.5, across - 1, height - 1, fill, edge, 0.6, name="cell", hint=hint)
    if width(label, SMALL) <= across - 3:
        canvas.text(x + across / 2, y + height / 2 + 4, label, anchor="middle", size=SMALL, fill=style.text_on(fill))


def _swatches(canvas: Canvas, classes: Classes, lacks: bool) -> list[tuple[Callable[[float, float], None], str]]:
    def swatch(fill: str) -> Callable[[float, float], None]:
        return lambda cx, cy: canvas.rect(
            cx - 8, cy - 6, 16, 12, fill, style.GREY if style.contrast(fill, style.PAPER) < 3 else "", 0.8
        )

    return [
        *((swatch(fill), label) for label, fill in classes.fills),
        *([(swatch(style.PAPER), "no figure")] if lacks else []),
    ]


# A state's shape, colour and place in the key; the first whose words are in the state's name. Another state has the last.
STATES = (
    (("not expected", "not due", "none expected"), "", style.GREY),
    (("missing", "not delivered", "not submitted", "absent", "no file", "gap"), "cross", "#c2410c"),
    (("late", "partial", "incomplete", "piece", "some"), "diamond", style.PLUM),
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
    edge = 0.0
    for place, month in enumerate(months):
        x = room + place * across
        label = str(month.year) if month.month == 1 or place == 0 else axes.month(month)[:3] if across > 24 else ""
        if label and x + 2 > edge:
            canvas.line(x, y + 2, x, y + 16, style.GRID)
            canvas.text(x + 3, y + 12, label, size=SMALL, fill=style.SECOND)
            edge = x + width(label, SMALL) + 6
    y += 18
    for label in labels:
        lines = wrap(label, room - 8, SMALL)
        height = max(18.0, len(lines) * SMALL * LEADING + 5)
        canvas.lines(0, y + height / 2 - (len(lines) - 1) * SMALL * LEADING / 2 + 4, lines, size=SMALL)
        for place, month in enumerate(months):
            x = room + place * across
            canvas.rect(x, y, across, height, style.PAPER, style.GRID, 0.6)
            if state := cells.get((label, month)):
                _marker(canvas, state)(x + across / 2, y + height / 2)
        y += height
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
        return lambda cx, cy: canvas.mark("circle", cx, cy, size, style.PAPER, colour, 1.6, name="state", hint=state)
    return lambda cx, cy: canvas.mark(shape, cx, cy, size, colour, name="state", hint=state)
