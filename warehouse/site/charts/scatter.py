"""Areas by two of their figures: the funnel plot, and the curve of how much of a count lies in how few places."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from warehouse.site.charts import axes, style
from warehouse.site.charts.drawing import Canvas, Chart, render
from warehouse.site.charts.rows import Row, check, number, numbers, some_number, truth, words
from warehouse.site.charts.text import LEADING, SIZE, SMALL, width, wrap

LIMITS = (("upper_3", "", 1.4), ("upper_2", "4 3", 1.2), ("lower_2", "4 3", 1.2), ("lower_3", "", 1.4))
FUNNEL = ("area_name", "denominator", "value", "centre", "lower_2", "upper_2", "lower_3", "upper_3", "is_this")


def funnel(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """Areas by how many residents they have and their value, between the limits of chance; those outside the outer ones and this one are named.

    Args:
        rows: area_name, denominator, value, centre, lower_2, upper_2, lower_3, upper_3 (95 % and 99.8 %), is_this. The limits are drawn through the rows in the
            order of their denominators; a row without a value is a point of the limits alone.

    Raises:
        ValueError: no rows, a column missing, no value beside a denominator.
    """
    check("funnel", rows, FUNNEL)
    held = sorted(
        (row for row in rows if number(row, "denominator") is not None), key=lambda row: number(row, "denominator") or 0
    )
    areas = [row for row in held if number(row, "value") is not None]
    some_number("funnel", areas, "value")
    outside = [row for row in areas if _outside(row)]
    this = [
        f"{words(row, 'area_name')}: {axes.figure(number(row, 'value') or 0, unit)}, {_where(row)}"
        for row in areas
        if truth(row, "is_this")
    ]
    named = ", ".join(f"{words(row, 'area_name')} ({_outside(row)})" for row in outside)
    shows = " ".join(
        f"{one}."
        for one in (*this, f"Outside the 99.8% limits: {named}" if named else "No area is outside the 99.8% limits")
    )
    values = axes.ticks(0.0, max(numbers(held, "value", "upper_3", "upper_2")), 5)
    people = [number(row, "denominator") or 0 for row in held]
    sizes = axes.ticks(min(people), max(people), 5)

    def draw(canvas: Canvas) -> float:
        top = 8.0 + axes.unit_room(unit)
        plot = axes.Plot(axes.left_room(values, unit), top, canvas.across - 8, top + (250 if canvas.is_narrow else 300))
        y = axes.upright(canvas, plot, values, unit)
        x = axes.level(canvas, plot, sizes, "residents", is_zero_bold=False)
        for column, dash, thick in (*LIMITS, ("centre", "7 3 2 3", 1.4)):
            points = [
                (x(number(row, "denominator") or 0), y(v)) for row in held if (v := number(row, column)) is not None
            ]
            if len(points) > 1:
                canvas.path(points, style.SECOND, thick, dash, name=column)
        order = sorted(areas, key=lambda row: (truth(row, "is_this"), bool(_outside(row))))
        taken: list[tuple[float, float, float, float]] = []
        for row in order:
            spot = (x(number(row, "denominator") or 0), y(number(row, "value") or 0))
            where, is_this = _outside(row), truth(row, "is_this")
            shape = {"above": "up", "below": "down", "": "circle"}[where]
            canvas.mark(
                shape, *spot, 6 if is_this else 4.5, style.NAVY if is_this else "#c2410c" if where else style.GREY, style.PAPER, 1,
                name="this" if is_this else "area", hint=f"{words(row, 'area_name')}: {axes.figure(number(row, 'value') or 0, unit)}",
            )  # fmt: skip
            taken.append((spot[0] - 6, spot[1] - 6, spot[0] + 6, spot[1] + 6))
        for row in sorted(
            areas,
            key=lambda row: (
                not truth(row, "is_this"),
                -abs((number(row, "value") or 0) - (number(row, "centre") or 0)),
            ),
        ):
            if truth(row, "is_this") or _outside(row):
                _name(canvas, plot, row, x(number(row, "denominator") or 0), y(number(row, "value") or 0), taken)
        entries: list[tuple[Callable[[float, float], None], str]] = [
            (lambda cx, cy: canvas.line(cx - 9, cy, cx + 9, cy, style.SECOND, 1.4), "99.8% limits"),
            (lambda cx, cy: canvas.line(cx - 9, cy, cx + 9, cy, style.SECOND, 1.2, "4 3"), "95% limits"),
            (lambda cx, cy: canvas.line(cx - 9, cy, cx + 9, cy, style.SECOND, 1.4, "7 3 2 3"), "centre"),
            (lambda cx, cy: canvas.mark("circle", cx, cy, 4.5, style.GREY), "inside"),
            (lambda cx, cy: canvas.mark("up", cx, cy, 4.5, "#c2410c"), "above 99.8%"),
            (lambda cx, cy: canvas.mark("down", cx, cy, 4.5, "#c2410c"), "below 99.8%"),
        ]
        return canvas.key(plot.bottom + 50, entries) - 8

    return render("funnel", rows, title, subtitle, unit, shows, draw)


def _outside(row: Row) -> str:
    """On which side of the outer limits a row lies, empty between them."""
    value, low, high = number(row, "value"), number(row, "lower_3"), number(row, "upper_3")
    if value is not None and high is not None and value > high:
        return "above"
    return "below" if value is not None and low is not None and value < low else ""


def _where(row: Row) -> str:
    return {"above": "above the 99.8% limits", "below": "below the 99.8% limits", "": "between the 99.8% limits"}[
        _outside(row)
    ]


def _name(
    canvas: Canvas, plot: axes.Plot, row: Row, x: float, y: float, taken: list[tuple[float, float, float, float]]
) -> None:
    """The name of an area beside its mark, where it covers nothing; one that finds no place near by is not written, but this area's is led to."""
    is_this, label = truth(row, "is_this"), words(row, "area_name")
    across = width(label, SMALL, is_this)
    near = [
        (x + 9, y + 4),
        (x - 9 - across, y + 4),
        (x - across / 2, y - 10),
        (x - across / 2, y + 18),
        (x + 7, y - 8),
        (x - 7 - across, y - 8),
    ]
    far = [
        (x - across / 2 + aside, y + down) for down in (-28, 34, -44, 50, -60, 66, -90, 96) for aside in (0, -30, 30)
    ]
    for left, baseline in [*near, *far] if is_this else near:
        box = (left - 2, baseline - 9, left + across + 2, baseline + 3)
        is_inside = plot.left < box[0] and box[2] < canvas.across and plot.top - 4 < box[1] and box[3] < plot.bottom
        if is_inside and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            taken.append(box)
            if abs(baseline - y) > 20:
                canvas.line(x, y + (7 if baseline > y else -7), x, baseline + (-10 if baseline > y else 4), style.NAVY)
            canvas.text(
                left, baseline, label, size=SMALL, bold=is_this, fill=style.NAVY if is_this else style.INK, is_over=True
            )
            return


def cumulative(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "%") -> Chart:
    """How much of a count lies in the places that have most of it, beside what it would be if all had the same.

    Args:
        rows: a place each, those with most first: count_share (per cent of the count that it has with those before it).

    Raises:
        ValueError: no rows, a column missing, no number.
    """
    check("cumulative", rows, ("count_share",))
    pairs = [
        (place, share) for place, row in enumerate(rows, start=1) if (share := number(row, "count_share")) is not None
    ]
    if not pairs:
        raise ValueError("a cumulative chart needs a number in count_share, and no row has one")
    half = next((pair for pair in pairs if pair[1] >= 50), pairs[-1])
    says = f"{half[0]} of {len(rows)} places have {axes.figure(half[1], '%')} of the count"
    values = axes.ticks(0.0, 100.0, 5)
    places = [tick for tick in axes.ticks(0.0, float(len(rows)), 5) if tick <= len(rows) and tick == int(tick)]

    def draw(canvas: Canvas) -> float:
        canvas.text(0, 11, "share of the count", size=SMALL, fill=style.SECOND)
        plot = axes.Plot(axes.left_room(values, "%"), 26, canvas.across - 18, 26 + (230 if canvas.is_narrow else 290))
        y = axes.upright(canvas, plot, values, "%")
        x = axes.level(canvas, plot, [*places, float(len(rows))] if places[-1] < len(rows) else places, "")
        canvas.text(
            (plot.left + plot.right) / 2,
            plot.bottom + 32,
            "places, those with most first",
            anchor="middle",
            size=SMALL,
            fill=style.SECOND,
        )
        canvas.path([(x(0), y(0)), (x(len(rows)), y(100))], style.SECOND, 1.4, "7 3", name="even")
        canvas.path([(x(0), y(0)), *((x(a), y(b)) for a, b in pairs)], style.NAVY, 2.4, name="series")
        for a, b in pairs if len(pairs) <= 40 else []:
            canvas.mark("circle", x(a), y(b), 2.4, style.NAVY)
        canvas.mark("circle", x(half[0]), y(half[1]), 5, style.NAVY, style.PAPER, 1)
        room = plot.right - x(half[0]) - 16
        is_left = room < 80
        lines = wrap(says, min(170.0, x(half[0]) - plot.left - 16 if is_left else room), bold=True)
        first = min(y(half[1]) + 16, plot.bottom - 6 - (len(lines) - 1) * SIZE * LEADING)
        canvas.lines(
            x(half[0]) + (-14 if is_left else 14),
            first,
            lines,
            anchor="end" if is_left else "",
            bold=True,
            fill=style.NAVY,
        )
        even = (
            lambda cx, cy: canvas.line(cx - 9, cy, cx + 9, cy, style.SECOND, 1.4, "7 3"),
            "if every place had the same",
        )
        return canvas.key(plot.bottom + 50, [even]) - 8

    return render("cumulative", rows, title, subtitle, unit, f"{says}.", draw)
