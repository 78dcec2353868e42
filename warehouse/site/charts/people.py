"""Who: a pyramid of people by age and sex beside the residents they are of."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from warehouse.site.charts import axes, style
from warehouse.site.charts.drawing import Canvas, Chart, render
from warehouse.site.charts.rows import Row, check, number, numbers, some_number, words
from warehouse.site.charts.text import SMALL, widest, width, wrap


def pyramid(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "%") -> Chart:
    """Shares of people by age, women and girls to the left, men and boys to the right, with the residents' shares as outlines.

    Args:
        rows: age_band ("0-12", "65+", "unknown"), sex ("female", "male"; where rows have neither, all lie on one side), share, residents_share (per cent, or null). The oldest are
            on top; an age that is not known stands apart below, and shares of another sex as a line of words.

    Raises:
        ValueError: no rows, a column missing, two rows of one age and sex, no share.
    """
    check("pyramid", rows, ("age_band", "sex", "share", "residents_share"))
    unit = unit or "%"
    known = some_number("pyramid", rows, "share") + numbers(rows, "residents_share")
    held: dict[tuple[str, str], Row] = {}
    for row in rows:
        place = (words(row, "sex").lower(), words(row, "age_band"))
        if place in held:
            raise ValueError(f"a pyramid has one row an age and sex, and there are two of {place[0]} {place[1]}")
        held[place] = row
    sexes = {sex for sex, _ in held}
    sides = ["female", "male"] if sexes & {"female", "male"} else [min(sexes)]
    bands = sorted({band for sex, band in held if sex in sides}, key=_oldest_first)
    others = [row for (sex, _), row in held.items() if sex not in sides]
    shows = "; ".join(_spoken(row, unit) for row in rows)
    values = axes.ticks(0.0, max(known), 3)

    def draw(canvas: Canvas) -> float:
        middle = widest(bands, SMALL) + 16
        half = (canvas.across - middle - 12) / 2 if len(sides) == 2 else canvas.across - middle - 44
        step, y = 24.0, 24.0
        bottom = y + step * len(bands) + (8 if any(not _is_age(band) for band in bands) else 0)
        scales = {}
        for place, side in enumerate(sides):
            is_left = len(sides) == 2 and place == 0
            zero = half + 6 if is_left else (half + 6 + middle if len(sides) == 2 else middle)
            scales[side] = axes.Scale(0, values[-1], zero, zero - half if is_left else zero + half)
            if len(sides) == 2:
                canvas.text(zero + (-half / 2 if is_left else half / 2), 12, side, anchor="middle", bold=True)
            for value, label in zip(values, axes.marks_of(values, unit), strict=True):
                x = scales[side](value)
                canvas.line(x, 20, x, bottom, style.SECOND if value == 0 else style.GRID)
                anchor = "middle" if value else ("end" if is_left else "start")
                canvas.text(
                    min(max(x, 14), canvas.across - 14) if value else x,
                    bottom + 15,
                    label,
                    anchor=anchor,
                    size=SMALL,
                    fill=style.SECOND,
                )
        for band in bands:
            if not _is_age(band):
                y += 8
            centre = half + 6 + middle / 2 if len(sides) == 2 else middle - 8
            canvas.text(centre, y + step / 2 + 4, band, anchor="middle" if len(sides) == 2 else "end", size=SMALL)
            for side in sides:
                if row := held.get((side, band)):
                    _bar(canvas, row, scales[side], y, step, unit)
            y += step
        y = bottom + 34
        entries: list[tuple[Callable[[float, float], None], str]] = [
            (lambda cx, cy: canvas.rect(cx - 9, cy - 5, 18, 10, style.MIDDLE, style.NAVY, 0.8), "people counted")
        ]
        if numbers(rows, "residents_share"):
            entries.append((lambda cx, cy: canvas.rect(cx - 9, cy - 5, 18, 10, "none", style.INK, 2), "residents"))
        y = canvas.key(y, entries)
        if others:
            lines = wrap("Apart: " + "; ".join(_spoken(row, unit) for row in others), canvas.across, SMALL)
            canvas.lines(0, y + 2, lines, size=SMALL, fill=style.SECOND)
            y += len(lines) * SMALL * 1.2 + 4
        return y - 6

    return render("pyramid", rows, title, subtitle, unit, f"{shows}.", draw)


def _bar(canvas: Canvas, row: Row, x: axes.Scale, y: float, step: float, unit: str) -> None:
    share, residents = number(row, "share"), number(row, "residents_share")
    label = "–" if share is None else axes.figure(share, unit)
    is_left = x.end < x.start
    for value, fill, edge, thick, inset in (
        (share, style.MIDDLE, style.NAVY, 0.8, 4),
        (residents, "none", style.INK, 2, 3),
    ):
        if value is not None:
            start, end = sorted((x(0), x(value)))
            canvas.rect(
                start,
                y + inset,
                end - start,
                step - 2 * inset,
                fill,
                edge,
                thick,
                name="bar" if value is share and fill != "none" else "residents",
            )
    # A figure stands at the end of its bar, beyond the residents' edge where that would go through it, within the bar where the plot ends.
    outward, needed = (-1 if is_left else 1), width(label, SMALL) + 9
    end = abs(x(share or 0) - x(0))
    far = abs(x(residents) - x(0)) if residents is not None else 0.0
    beyond = far if end - 2 <= far <= end + needed else end
    is_within = beyond + needed > abs(x.end - x(0)) + 4
    place = x(0) + outward * (end - 5 if is_within else beyond + 5)
    canvas.text(place, y + step / 2 + 4, label, anchor="end" if is_left != is_within else "start", size=SMALL)


def _is_age(band: str) -> bool:
    return band[:1].isdigit()


def _oldest_first(band: str) -> tuple[int, int, str]:
    """Ages from the oldest; what is no age comes last."""
    found = re.match(r"\d+", band)
    return (0, -int(found.group()), band) if found else (1, 0, band)


def _spoken(row: Row, unit: str) -> str:
    share, residents = number(row, "share"), number(row, "residents_share")
    beside = "" if residents is None else f" (residents {axes.figure(residents, unit)})"
    return f"{words(row, 'sex')} {words(row, 'age_band')}: {'no figure' if share is None else axes.figure(share, unit)}{beside}"
