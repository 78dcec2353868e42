"""Lines over time: a measure and what it is compared with, indices side by side, and the line that stands in a table's cell."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence

from warehouse.site.charts import axes, style
from warehouse.site.charts.breaks import Break, Rules, breaks_of
from warehouse.site.charts.drawing import Canvas, Chart, Points, render
from warehouse.site.charts.endings import Endings
from warehouse.site.charts.rows import Row, check, day, number, numbers, some_number, truth, words

TREND = ("period_start_date", "value", "lower", "upper", "series", "is_provisional", "is_break", "break_label")


def trend(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A measure over time, with its limits, beside what it is compared with.

    A line is cut where a row is_break and the cut has a rule with its label; a value that is null, or a period that no row is of, leaves a hole;
    provisional periods are dashed with hollow points. The axis begins at zero.

    Args:
        rows: period_start_date (date), value, lower, upper (numbers or null), series (the first to come is what the chart is of), is_provisional,
            is_break (the period is the first of a new meaning; of any series, for all), break_label.
        unit: of the values; "%" stands at each tick, anything else once.

    Raises:
        ValueError: no rows, a column missing, no value.
    """
    check("trend", rows, TREND)
    some_number("trend", rows, "value")
    rows = from_first_value(rows)
    grouped = by_series(rows)
    cuts = breaks_of(rows)
    shows = " ".join([
        "; ".join(_newest(name, held, unit) for name, held in grouped.items()) + ".",
        *(f"Not comparable across {axes.month(one.day)}: {one.label}." for one in cuts),
        *(["Provisional where dashed."] if any(truth(row, "is_provisional") for row in rows) else []),
    ])  # fmt: skip

    def draw(canvas: Canvas) -> float:
        return _trend(canvas, grouped, cuts, unit)

    return render("trend", rows, title, subtitle, unit, shows, draw)


def _trend(canvas: Canvas, grouped: dict[str, list[Row]], cuts: list[Break], unit: str) -> float:
    rows = [row for held in grouped.values() for row in held]
    values = axes.ticks(min(0.0, *numbers(rows, "value", "lower")), max(numbers(rows, "value", "upper")), 5)
    endings = Endings(canvas, list(grouped))
    days = [day(row, "period_start_date") for row in rows]
    left, right = axes.left_room(values, unit), canvas.across - endings.room
    x = axes.timeline(days, left, right)
    rules = Rules(canvas, cuts, x)
    top = 8 + axes.unit_room(unit) + rules.height
    plot = axes.Plot(left, top, right, top + (200 if canvas.is_narrow else 230))
    y = axes.upright(canvas, plot, values, unit)
    axes.calendar(canvas, plot, x, days)
    rules.paint(plot)
    starts = {one.day for one in cuts}
    pieces = {name: list(runs(held, x, starts)) for name, held in grouped.items()}
    colours = {name: style.SERIES[place % len(style.SERIES)] for place, name in enumerate(grouped)}
    # Bands first: no line lies below one. Of the lines, what the chart is of is on top.
    for name in grouped:
        for piece in pieces[name]:
            _band(canvas, piece, x, y, colours[name])
    for place, name in reversed(list(enumerate(grouped))):
        for piece in pieces[name]:
            _line(canvas, piece, x, y, place, colours[name])
        if pieces[name]:
            newest = pieces[name][-1][-1]
            value = axes.figure(number(newest, "value") or 0, unit)
            endings.add(*_points([newest], x, y)[0], name, value, colours[name], place == 0)
    lowest = endings.paint(plot)
    entries: list[tuple[Callable[[float, float], None], str]] = []
    if numbers(rows, "lower"):
        tint = style.tint(style.NAVY)
        entries.append((lambda cx, cy: canvas.rect(cx - 9, cy - 5, 18, 10, tint, style.NAVY, 0.6), "95% limits"))
    if any(truth(row, "is_provisional") for row in rows):
        entries.append((lambda cx, cy: _provisional_key(canvas, cx, cy), "provisional"))
    return max(canvas.key(rules.paint_below(plot.bottom + 38) - 2, entries) - 8, lowest + 4)


def index_lines(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """Series as indices of one base, each with a line of its own style and its name at the end.

    Args:
        rows: period_start_date (date), series, value (100 at the base; null leaves a hole).

    Raises:
        ValueError: no rows, a column missing, no value.
    """
    check("index_lines", rows, ("period_start_date", "series", "value"))
    every = some_number("index_lines", rows, "value")
    grouped = by_series(rows)
    shows = "; ".join(_newest(name, held, unit) for name, held in grouped.items()) + "."
    values = axes.ticks(min(100.0, *every), max(100.0, *every), 5)

    def draw(canvas: Canvas) -> float:
        endings = Endings(canvas, list(grouped))
        top = 8 + axes.unit_room(unit)
        plot = axes.Plot(
            axes.left_room(values, unit), top, canvas.across - endings.room, top + (200 if canvas.is_narrow else 240)
        )
        y = axes.upright(canvas, plot, values, unit)
        canvas.line(plot.left, y(100), plot.right, y(100), style.SECOND)
        days = [day(row, "period_start_date") for row in rows]
        x = axes.timeline(days, plot.left, plot.right)
        axes.calendar(canvas, plot, x, days)
        for place, (name, held) in reversed(list(enumerate(grouped.items()))):
            colour = style.SERIES[place % len(style.SERIES)]
            pieces = list(runs(held, x, set()))
            for piece in pieces:
                points = _points(piece, x, y)
                if len(points) > 1:
                    canvas.path(points, colour, 2.2, style.DASHES[place % len(style.DASHES)], name="series")
                if len(points) == 1 or piece is pieces[-1]:
                    canvas.mark(style.SHAPES[place % len(style.SHAPES)], *points[-1], 3.5, colour)
            if pieces:
                newest = pieces[-1][-1]
                value = axes.figure(number(newest, "value") or 0, unit)
                endings.add(*_points([newest], x, y)[0], name, value, colour)
        return max(endings.paint(plot) + 4, plot.bottom + 26)

    return render("index_lines", rows, title, subtitle, unit, shows, draw)


_LEAST_SPARK = 0.2  # of the highest value


def sparkline(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A line as high as a line of text, with a point at its newest value; its scale is its own: from its lowest value to its highest, and a fifth of that at least, so that a wobble stays one.

    Args:
        rows: period_start_date (date), value (null leaves a hole).

    Raises:
        ValueError: no rows, a column missing, no value.
    """
    check("sparkline", rows, ("period_start_date", "value"))
    values = some_number("sparkline", rows, "value")
    highest = max(values) or 1.0
    lowest = min(*values, (1 - _LEAST_SPARK) * highest)
    held = sorted(rows, key=lambda row: day(row, "period_start_date"))

    def draw(canvas: Canvas) -> float:
        y = axes.Scale(lowest, highest, 21, 3)
        x = axes.timeline([day(row, "period_start_date") for row in held], 2, canvas.across - 4)
        pieces = list(runs(held, x, set()))
        for piece in pieces:
            points = _points(piece, x, y)
            if len(points) > 1:
                canvas.path(points, style.NAVY, 1.5, name="series")
            else:
                canvas.mark("circle", *points[0], 1, style.NAVY)
        canvas.mark("circle", *_points(pieces[-1][-1:], x, y)[0], 2.5, style.NAVY, name="newest")
        return 24

    return render("sparkline", rows, title, subtitle, unit, _newest("", held, unit) + ".", draw, widths=(100, 100))


def by_series(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each series in the order of their days; series in the order in which they come."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(words(row, "series"), []).append(row)
    return {name: sorted(held, key=lambda row: day(row, "period_start_date")) for name, held in grouped.items()}


def from_first_value(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows without those of periods before the first that has any value."""
    first = min(day(row, "period_start_date") for row in rows if number(row, "value") is not None)
    return [row for row in rows if day(row, "period_start_date") >= first]


def runs(held: Sequence[Row], x: axes.Calendar, starts: set[dt.date]) -> Iterator[list[Row]]:
    """Rows that one line joins: no value missing between them, and none of `starts` among them but as the first."""
    piece: list[Row] = []
    before: dt.date | None = None
    for row in held:
        here = day(row, "period_start_date")
        is_cut = any((before is None or before < one) and one <= here for one in starts)
        if piece and (is_cut or number(row, "value") is None or (before and not x.follows(before, here))):
            yield piece
            piece = []
        if number(row, "value") is not None:
            piece.append(row)
        before = here
    if piece:
        yield piece


def _points(piece: Sequence[Row], x: axes.Calendar, y: axes.Scale) -> Points:
    return [(x(day(row, "period_start_date")), y(number(row, "value") or 0)) for row in piece]


def _line(canvas: Canvas, piece: Sequence[Row], x: axes.Calendar, y: axes.Scale, place: int, colour: str) -> None:
    """A piece of a line: solid to the last final period, dashed from there; provisional periods as hollow points, as many as have room."""
    thick = 2.4 if place == 0 else 1.6
    points = _points(piece, x, y)
    open_ = [truth(row, "is_provisional") for row in piece]
    first = 0
    for last in range(1, len(points)):
        if last == len(points) - 1 or open_[last + 1] != open_[last]:
            dash = style.PROVISIONAL if open_[last] else ""
            canvas.path(points[first : last + 1], colour, thick, dash, name="provisional" if open_[last] else "final")
            first = last
    step = x.place(x.step) - x.place(0)
    size, every = (2.6 if place == 0 else 2.1), max(1, math.ceil(7 / step))
    for one in range(len(points)):
        if open_[one] and (len(points) - 1 - one) % every == 0:
            canvas.mark("circle", *points[one], size, style.PAPER, colour, 1.2, name="hollow")
        elif len(points) == 1:
            canvas.mark("circle", *points[one], size, colour)


def _band(canvas: Canvas, piece: Sequence[Row], x: axes.Calendar, y: axes.Scale, colour: str) -> None:
    """The limits of a piece, where it has them."""
    limits = [(x(day(row, "period_start_date")), number(row, "lower"), number(row, "upper")) for row in piece]
    stretch: list[tuple[float, float, float]] = []
    for at, low, high in [*limits, (0.0, None, None)]:
        if low is not None and high is not None:
            stretch.append((at, y(low), y(high)))
            continue
        if len(stretch) > 1:
            corners = [(at_, high_) for at_, _, high_ in stretch] + [(at_, low_) for at_, low_, _ in reversed(stretch)]
            canvas.area(corners, style.tint(colour), colour, 0.6, name="band")
        elif stretch:
            canvas.line(stretch[0][0], stretch[0][1], stretch[0][0], stretch[0][2], colour, 1, name="band")
        stretch = []


def _provisional_key(canvas: Canvas, x: float, y: float) -> None:
    canvas.line(x - 9, y, x + 9, y, style.NAVY, 2, style.PROVISIONAL)
    canvas.mark("circle", x, y, 2.6, style.PAPER, style.NAVY, 1.2)


def _newest(name: str, held: Sequence[Row], unit: str) -> str:
    """The newest value of a series, and between which it moved, in words."""
    rows = [row for row in held if number(row, "value") is not None]
    if not rows:
        return f"{name}: no value".strip(": ")
    value = axes.figure(number(rows[-1], "value") or 0, unit)
    low, high = (axes.figure(f(numbers(rows, "value")), unit) for f in (min, max))
    first, last = (axes.month(day(row, "period_start_date")) for row in (rows[0], rows[-1]))
    return f"{name + ': ' if name else ''}{value} in {last}; lowest {low} and highest {high} since {first}"
