"""Bars, always from zero, with their intervals: boroughs ranked, shares of a whole, quintiles; and dots, which need no zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from warehouse.site.charts import axes, style
from warehouse.site.charts.drawing import Canvas, Chart, render
from warehouse.site.charts.rows import Row, check, number, numbers, some_number, truth, words
from warehouse.site.charts.text import LEADING, SIZE, SMALL, widest, width, wrap

BAR = style.GREY
LONDON = "London"


def ranked(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """Areas from the highest value to the lowest, as bars from zero with their intervals, and London as a line through all.

    Args:
        rows: area_name (a row whose name begins with "London" is the line), value (null: the note stands in the bar's place), lower, upper, is_this
            (painted darker), note (what must be known of the value; the same notes share a letter).

    Raises:
        ValueError: no rows, a column missing, no value.
    """
    check("ranked", rows, ("area_name", "value", "lower", "upper", "is_this", "note"))
    some_number("ranked", rows, "value")
    london = next((row for row in rows if words(row, "area_name").startswith(LONDON)), None)
    areas = [row for row in rows if row is not london]
    held = sorted(
        (row for row in areas if number(row, "value") is not None), key=lambda row: -(number(row, "value") or 0)
    )
    without = [row for row in areas if number(row, "value") is None]
    notes = sorted({words(row, "note") for row in held} - {""})
    this = [f"{words(row, 'area_name')}: {_said(row, unit)}" for row in held if truth(row, "is_this")]
    ends = (
        [
            f"{name} {words(row, 'area_name')}, {_said(row, unit)}"
            for name, row in (("Highest:", held[0]), ("Lowest:", held[-1]))
        ]
        if held
        else []
    )
    line = (
        [f"{words(london, 'area_name')}: {_said(london, unit)}"]
        if london and number(london, "value") is not None
        else []
    )
    shows = " ".join(f"{sentence}." for sentence in (*this, *line, *ends))

    def draw(canvas: Canvas) -> float:
        places = [
            Place(
                words(row, "area_name"), number(row, "value"), number(row, "lower"), number(row, "upper"),
                is_this=truth(row, "is_this"), letter=_letter(notes.index(words(row, "note"))) if words(row, "note") in notes else "",
                instead=words(row, "note") or "no figure",
            )
            for row in (*held, *without)
        ]  # fmt: skip
        benchmark = (words(london, "area_name"), number(london, "value")) if london else None
        y = _lying(canvas, places, unit, benchmark)
        for place, note in enumerate(notes):
            canvas.text(0, y + 12, _letter(place), size=SMALL, bold=True)
            lines = wrap(note, canvas.across - 16, SMALL)
            canvas.lines(14, y + 12, lines, size=SMALL, fill=style.SECOND)
            y += len(lines) * SMALL * LEADING + 3
        return y + 4

    return render("ranked", rows, title, subtitle, unit, shows, draw)


def shares(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "%") -> Chart:
    """Shares of a whole as bars from zero with their intervals, in the order given.

    Args:
        rows: label, share (null: "no figure"), lower, upper.

    Raises:
        ValueError: no rows, a column missing, no share.
    """
    check("shares", rows, ("label", "share", "lower", "upper"))
    some_number("shares", rows, "share")
    unit = unit or "%"
    places = [
        Place(words(row, "label"), number(row, "share"), number(row, "lower"), number(row, "upper"), is_alone=True)
        for row in rows
    ]
    shows = "; ".join(one.says(unit) for one in places) + "."
    return render("shares", rows, title, subtitle, unit, shows, lambda canvas: _lying(canvas, places, unit, None) + 4)


@dataclass(frozen=True)
class Place:
    """A bar: its name, value and limits, whether it stands out or all are alike, and what stands there where it has no value."""

    name: str
    value: float | None
    lower: float | None
    upper: float | None
    is_this: bool = False
    is_alone: bool = False
    letter: str = ""
    instead: str = "no figure"

    def says(self, unit: str) -> str:
        """The bar in words."""
        return f"{self.name}: {self.instead if self.value is None else axes.figure(self.value, unit)}"


def _said(row: Row, unit: str) -> str:
    low, high = number(row, "lower"), number(row, "upper")
    limits = f" ({axes.figure(low, unit)} to {axes.figure(high, unit)})" if low is not None and high is not None else ""
    return axes.figure(number(row, "value") or 0, unit) + limits


def _lying(canvas: Canvas, places: Sequence[Place], unit: str, benchmark: tuple[str, float | None] | None) -> float:
    """Bars below one another, their names on the left and their figures on the right. Returns where the picture ends."""
    room = 128 if canvas.is_narrow else 210
    names = [wrap(one.name, room, bold=one.is_this) for one in places]
    figures = axes.column([one.value for one in places], unit)
    left = widest([line for name in names for line in name], bold=True) + 8
    right = canvas.across - widest(figures, bold=True) - 8 - (12 if any(one.letter for one in places) else 0)
    line = benchmark[1] if benchmark else None
    known = [v for one in places for v in (one.value, one.lower, one.upper) if v is not None] + (
        [line] if line is not None else []
    )
    values = axes.ticks(min(0.0, *known), max(0.0, *known), 4 if canvas.is_narrow else 6)
    top = 22.0 if line is not None else 4.0
    heights = [max(18.0, len(name) * SIZE * LEADING + 5) for name in names]
    plot = axes.Plot(left, top, right, top + sum(heights))
    x = axes.level(canvas, plot, values, unit)
    y = top
    for one, name, figure, height in zip(places, names, figures, heights, strict=True):
        middle = y + height / 2
        canvas.lines(left - 8, middle - (len(name) - 1) * SIZE * LEADING / 2 + 4, name, anchor="end", bold=one.is_this)
        if one.value is None:
            canvas.text(
                left + 5, middle + 4, _short(one.instead, right - left - 5), size=SMALL, fill=style.SECOND, is_over=True
            )
        else:
            start, end = sorted((x(0), x(one.value)))
            canvas.rect(
                start, middle - 6, end - start, 12, style.NAVY if one.is_this or one.is_alone else BAR, name="bar"
            )
            canvas.text(right + 8, middle + 4, figure, bold=one.is_this)
            canvas.text(canvas.across, middle + 4, one.letter, anchor="end", size=SMALL, bold=True)
        y += height
    if benchmark and line is not None:
        canvas.line(x(line), top - 4, x(line), plot.bottom, style.INK, 1.6, "5 3", name="benchmark")
        label = f"{benchmark[0]} {axes.figure(line, unit)}"
        half = width(label, SIZE, True) / 2
        canvas.text(min(max(x(line), half), canvas.across - half), 12, label, anchor="middle", bold=True)
    y = top
    for one, height in zip(places, heights, strict=True):
        if one.value is not None:
            _interval(canvas, one.lower, one.upper, x, y + height / 2)
        y += height
    bottom = plot.bottom + (36 if axes.said(unit) else 20)
    return (
        canvas.key(bottom + 12, [_limits_key(canvas)]) - 12 if any(one.lower is not None for one in places) else bottom
    )


def _letter(place: int) -> str:
    """The letter of a note: a to z, then aa to zz."""
    return chr(97 + place) if place < 26 else _letter(place // 26 - 1) + _letter(place % 26)


def _short(text: str, room: float) -> str:
    lines = wrap(text, room, SMALL)
    return lines[0] if len(lines) == 1 else f"{wrap(text, room - 12, SMALL)[0]} …"


def _limits_key(canvas: Canvas) -> tuple[Callable[[float, float], None], str]:
    """The entry of a key for intervals that lie."""

    def paint(x: float, y: float) -> None:
        canvas.line(x - 8, y, x + 8, y, style.INK, 1.4)
        for end in (x - 8, x + 8):
            canvas.line(end, y - 3, end, y + 3, style.INK, 1.4)

    return paint, "95% limits"


def _interval(canvas: Canvas, low: float | None, high: float | None, x: axes.Scale, y: float) -> None:
    """An interval across a bar, with a white edge so that it can be seen on any of them."""
    if low is not None and high is not None:
        canvas.line(x(low), y, x(high), y, style.PAPER, 4)
        canvas.line(x(low), y, x(high), y, style.INK, 1.4, name="interval")
        for end in (x(low), x(high)):
            canvas.line(end, y - 3, end, y + 3, style.INK, 1.4)


def quintiles(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A value by fifth of deprivation, as upright bars from zero with their intervals.

    Args:
        rows: quintile (1 the most deprived to 5, or a label), value (null: "no figure"), lower, upper; in the order given.

    Raises:
        ValueError: no rows, a column missing, no value.
    """
    check("quintiles", rows, ("quintile", "value", "lower", "upper"))
    known = some_number("quintiles", rows, "value")
    values = axes.ticks(min(0.0, *known), max(numbers(rows, "value", "upper")), 5)
    named = {"1": "most deprived", "5": "least deprived"}
    labels = [(words(row, "quintile"), named.get(words(row, "quintile"), "")) for row in rows]
    shows = "; ".join(
        f"{label}{f' ({more})' if more else ''}: {'no figure' if number(row, 'value') is None else _said(row, unit)}"
        for (label, more), row in zip(labels, rows, strict=True)
    )

    def draw(canvas: Canvas) -> float:
        top = 20.0 + axes.unit_room(unit)  # a figure stands over the highest bar
        plot = axes.Plot(axes.left_room(values, unit), top, canvas.across - 2, top + (180 if canvas.is_narrow else 210))
        y = axes.upright(canvas, plot, values, unit)
        step = (plot.right - plot.left) / len(rows)
        thick = min(64.0, step * 0.62)
        deepest, figures = 1, axes.column([number(row, "value") for row in rows], unit)
        for place, (row, (label, more)) in enumerate(zip(rows, labels, strict=True)):
            middle, value = plot.left + (place + 0.5) * step, number(row, "value")
            lines = [line for text in (label, more) if text for line in wrap(text, step - 4)]
            deepest = max(deepest, len(lines))
            canvas.lines(middle, plot.bottom + 17, lines, anchor="middle", fill=style.SECOND)
            if value is None:
                canvas.lines(
                    middle,
                    plot.bottom - 18,
                    wrap("no figure", step - 4, SMALL),
                    anchor="middle",
                    size=SMALL,
                    fill=style.SECOND,
                )
                continue
            canvas.rect(middle - thick / 2, min(y(value), y(0)), thick, abs(y(0) - y(value)), style.NAVY, name="bar")
            low, high = number(row, "lower"), number(row, "upper")
            if low is not None and high is not None:
                canvas.line(middle, y(low), middle, y(high), style.PAPER, 4)
                canvas.line(middle, y(low), middle, y(high), style.INK, 1.4, name="interval")
                for end in (y(low), y(high)):
                    canvas.line(middle - 4, end, middle + 4, end, style.INK, 1.4)
            canvas.text(
                middle,
                min(y(value), y(high) if high is not None else plot.bottom) - 6,
                figures[place],
                anchor="middle",
                bold=True,
            )
        bottom = plot.bottom + 10 + deepest * SIZE * LEADING
        return canvas.key(bottom + 12, [_limits_key(canvas)]) - 10 if numbers(rows, "lower") else bottom

    return render("quintiles", rows, title, subtitle, unit, f"{shows}.", draw)


def dots(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A value a row with its interval, beside what it is compared with: a line where that is the same for all, else a tick a row.

    Args:
        rows: label, value (null: "no figure"), lower, upper, benchmark (or null); in the order given.

    Raises:
        ValueError: no rows, a column missing, no value.
    """
    check("dots", rows, ("label", "value", "lower", "upper", "benchmark"))
    known = some_number("dots", rows, "value") + numbers(rows, "lower", "upper", "benchmark")
    shows = "; ".join(
        f"{words(row, 'label')}: {'no figure' if number(row, 'value') is None else _said(row, unit)}" for row in rows
    )
    marks = {value for row in rows if (value := number(row, "benchmark")) is not None}

    def draw(canvas: Canvas) -> float:
        names = [wrap(words(row, "label"), 128 if canvas.is_narrow else 210) for row in rows]
        figures = axes.column([number(row, "value") for row in rows], unit)
        left, right = (
            widest([line for name in names for line in name]) + 14,
            canvas.across - widest(figures, bold=True) - 12,
        )
        values = axes.ticks(min(0.0, *known), max(known), 4 if canvas.is_narrow else 6)
        heights = [max(22.0, len(name) * SIZE * LEADING + 8) for name in names]
        plot = axes.Plot(left, 6, right, 6 + sum(heights))
        x = axes.level(canvas, plot, values, unit, is_zero_bold=False)
        if len(marks) == 1:
            canvas.line(x(min(marks)), plot.top, x(min(marks)), plot.bottom, style.INK, 1.6, "5 3", name="benchmark")
        top = plot.top
        for row, name, figure, height in zip(rows, names, figures, heights, strict=True):
            middle, value, mark = top + height / 2, number(row, "value"), number(row, "benchmark")
            top += height
            canvas.lines(left - 14, middle - (len(name) - 1) * SIZE * LEADING / 2 + 4, name, anchor="end")
            if len(marks) > 1 and mark is not None:
                canvas.line(x(mark), middle - 8, x(mark), middle + 8, style.INK, 2, name="benchmark")
            if value is None:
                canvas.text(left + 5, middle + 4, "no figure", size=SMALL, fill=style.SECOND, is_over=True)
                continue
            _interval(canvas, number(row, "lower"), number(row, "upper"), x, middle)
            canvas.mark("circle", x(value), middle, 5, style.NAVY, style.PAPER, 1, name="dot")
            canvas.text(canvas.across, middle + 4, figure, anchor="end", bold=True)
        y = plot.bottom + (46 if axes.said(unit) else 32)
        entries: list[tuple[Callable[[float, float], None], str]] = [
            (lambda cx, cy: canvas.mark("circle", cx, cy, 5, style.NAVY), "value")
        ]
        if numbers(rows, "lower"):
            entries.append(_limits_key(canvas))
        if marks:
            dash, meaning = (
                ("5 3", f"compared with {axes.figure(min(marks), unit)}") if len(marks) == 1 else ("", "compared with")
            )
            entries.append((lambda cx, cy: canvas.line(cx, cy - 7, cx, cy + 7, style.INK, 2, dash), meaning))
        return canvas.key(y, entries) - 8

    return render("dots", rows, title, subtitle, unit, f"{shows}.", draw)
