"""A control chart: a value by month between the limits of chance, and what signals that more than chance is at work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from warehouse.site.charts import axes, style
from warehouse.site.charts.breaks import Rules, breaks_of
from warehouse.site.charts.drawing import Canvas, Chart, Points, render
from warehouse.site.charts.endings import Endings
from warehouse.site.charts.lines import from_first_value, runs
from warehouse.site.charts.rows import Row, check, day, number, numbers, some_number, truth, words
from warehouse.site.charts.text import SMALL, width

COLUMNS = ("period_start_date", "value", "centre", "lower_2", "upper_2", "lower_3", "upper_3", "signal")
# Column of a limit, its dashes, its thickness and its name.
LIMITS = (
    ("upper_3", "7 3", 1.4, "upper limit"),
    ("upper_2", "2 3", 1.2, "upper warning"),
    ("centre", "", 1.4, "centre"),
    ("lower_2", "2 3", 1.2, "lower warning"),
    ("lower_3", "7 3", 1.4, "lower limit"),
)
# Signals of marts.fct_window: shape, colour, meaning. Another code has a shape of its own and its own words.
SIGNALS = {
    "above_upper_limit": ("up", "#c2410c", "above the upper limit"),
    "below_lower_limit": ("down", "#c2410c", "below the lower limit"),
    "eight_above_centre": ("diamond", style.PLUM, "eight or more in a row above the centre"),
    "eight_below_centre": ("square", style.PLUM, "eight or more in a row below the centre"),
}


def control(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A value by month with its centre and limits; signals by shape, colour and label.

    Args:
        rows: period_start_date (date), value, centre, lower_2, upper_2, lower_3, upper_3 (numbers or null; a limit that is null throughout is not
            drawn), signal (a code of marts.fct_window or other words; null or none for no signal). Also, where there: is_provisional (hollow),
            is_break and break_label (as of a trend).

    Raises:
        ValueError: no rows, a column missing, no value.
    """
    check("control", rows, COLUMNS)
    some_number("control", rows, "value")
    held = sorted(from_first_value(rows), key=lambda row: day(row, "period_start_date"))
    newest = next(row for row in reversed(held) if number(row, "value") is not None)
    limits = [f"{name} {axes.figure(v, unit)}" for c, _, _, name in LIMITS if (v := number(newest, c)) is not None]
    signals = [
        f"{meaning_of(code)[2]} in {axes.month(day(row, 'period_start_date'))}"
        for row in held
        if (code := signal_of(row))
    ]
    shows = (
        f"{axes.figure(number(newest, 'value') or 0, unit)} in {axes.month(day(newest, 'period_start_date'))}"
        f"{'; ' if limits else ''}{', '.join(limits)}. {'Signals: ' + '; '.join(signals) if signals else 'No signal'}."
    )
    return render("control", rows, title, subtitle, unit, shows, lambda canvas: _control(canvas, held, unit))


def signal_of(row: Row) -> str:
    """The code of a row's signal, empty where there is none."""
    code = words(row, "signal")
    return "" if code.lower() == "none" else code


def meaning_of(code: str) -> tuple[str, str, str]:
    """Shape, colour and meaning of a signal."""
    return SIGNALS.get(code, ("cross", style.PLUM, code.replace("_", " ")))


def _control(canvas: Canvas, held: Sequence[Row], unit: str) -> float:
    drawn = [limit for limit in LIMITS if numbers(held, limit[0])]
    values = axes.ticks(0.0, max(numbers(held, "value", *(limit[0] for limit in drawn))), 5)
    endings = Endings(canvas, [limit[3] for limit in drawn])
    days = [day(row, "period_start_date") for row in held]
    left, right = axes.left_room(values, unit), canvas.across - endings.room
    x = axes.timeline(days, left, right)
    cuts = breaks_of(held)
    rules = Rules(canvas, cuts, x)
    top = 8 + axes.unit_room(unit) + rules.height
    plot = axes.Plot(left, top, right, top + (200 if canvas.is_narrow else 230))
    y = axes.upright(canvas, plot, values, unit)
    axes.calendar(canvas, plot, x, days)
    rules.paint(plot)
    half = (x.place(x.step) - x.place(0)) / 2
    for column, dash, thick, name in drawn:
        for points in _steps(held, column, x, y, half):
            canvas.path(points, style.SECOND, thick, dash, name=column)
            last = points[-1]
        newest = [value for row in held if (value := number(row, column)) is not None][-1]
        endings.add(*last, name, axes.figure(newest, unit))
    for piece in runs(held, x, {one.day for one in cuts}):
        points = [(x(day(row, "period_start_date")), y(number(row, "value") or 0)) for row in piece]
        if len(points) > 1:
            canvas.path(points, style.NAVY, 1.8, name="series")
        for row, point in zip(piece, points, strict=True):
            if not signal_of(row):
                is_open = truth(row, "is_provisional")
                canvas.mark(
                    "circle",
                    *point,
                    2.3,
                    style.PAPER if is_open else style.NAVY,
                    style.NAVY,
                    1.2,
                    name="hollow" if is_open else "",
                )
    _signals(canvas, held, plot, x, y, unit)
    endings.paint(plot)
    entries: list[tuple[Callable[[float, float], None], str]] = []
    for code in sorted({signal_of(row) for row in held if number(row, "value") is not None} - {""}):
        shape, colour, meaning = meaning_of(code)
        entries.append((lambda cx, cy, s=shape, c=colour: canvas.mark(s, cx, cy, 4.5, c), meaning))  # type: ignore[misc]
    if any(truth(row, "is_provisional") for row in held):
        entries.append((lambda cx, cy: canvas.mark("circle", cx, cy, 2.6, style.PAPER, style.NAVY, 1.2), "provisional"))
    return canvas.key(rules.paint_below(plot.bottom + 38) - 2, entries) - 8


def _steps(held: Sequence[Row], column: str, x: axes.Calendar, y: axes.Scale, half: float) -> list[Points]:
    """A limit, level through each month; it is interrupted where there is none."""
    steps: list[list[tuple[float, float]]] = []
    is_going = False
    for row in held:
        value = number(row, column)
        if value is None:
            is_going = False
            continue
        middle, height = x(day(row, "period_start_date")), y(value)
        if not is_going:
            steps.append([(middle - half, height)])
        elif steps[-1][-1][1] != height:
            steps[-1].append((middle - half, height))
        if len(steps[-1]) > 1 and steps[-1][-1][1] == height and steps[-1][-2][1] == height:
            steps[-1].pop()
        steps[-1].append((middle + half, height))
        is_going = True
    return [list(one) for one in steps]


def _signals(canvas: Canvas, held: Sequence[Row], plot: axes.Plot, x: axes.Calendar, y: axes.Scale, unit: str) -> None:
    """The signals, each with a mark of its shape, and with its figure where that has room."""
    taken: list[tuple[float, float]] = []
    for row in held:
        value, code = number(row, "value"), signal_of(row)
        if value is None or not code:
            continue
        shape, colour, meaning = meaning_of(code)
        here, height, label = x(day(row, "period_start_date")), y(value), axes.figure(value, unit)
        is_open = truth(row, "is_provisional")
        canvas.mark(
            shape, here, height, 4.5, style.PAPER if is_open else colour, colour, 1.4, name="signal",
            hint=f"{axes.month(day(row, 'period_start_date'))}: {label}, {meaning}",
        )  # fmt: skip
        half = width(label, SMALL, True) / 2
        is_below = shape in ("down", "square") or height - plot.top < 12
        baseline = height + 16 if is_below else height - 8
        is_free = all(here + half < left - 3 or here - half > right + 3 for left, right in taken)
        if is_free and plot.left < here - half and here + half < plot.right and baseline < plot.bottom:
            canvas.text(here, baseline, label, anchor="middle", size=SMALL, bold=True, fill=colour)
            taken.append((here - half, here + half))
