"""Many measures of one area at once: the tartan rug and the spine chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from warehouse.site.charts import axes, style
from warehouse.site.charts.drawing import Canvas, Chart, render
from warehouse.site.charts.rows import Row, check, number, numbers, some_number, words
from warehouse.site.charts.standing import paint_key, standing
from warehouse.site.charts.text import LEADING, SIZE, SMALL, width, wrap

SPINE = ("measure_name", "value", "low", "q1", "median", "q3", "high", "benchmark", "significance")


def rug(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A tartan rug: measures by columns, in each cell the figure and a mark of how it stands; colour only repeats the mark.

    Args:
        rows: measure_name, column (its heading), significance (an answer of the marts; null: not tested), value (null: no figure); measures and columns in the order in
            which they come, a pair that no row has stays empty.

    Raises:
        ValueError: no rows, a column missing, two rows of one cell.
    """
    check("rug", rows, ("measure_name", "column", "significance", "value"))
    cells: dict[tuple[str, str], Row] = {}
    for row in rows:
        cell = (words(row, "measure_name"), words(row, "column"))
        if cell in cells:
            raise ValueError(f"a rug has one row a cell, and there are two of {cell[0]} and {cell[1]}")
        cells[cell] = row
    measures = list(dict.fromkeys(measure for measure, _ in cells))
    columns = _columns(cells, measures)
    shows = "; ".join(
        f"{measure}, {column}: {'no figure' if (v := number(row, 'value')) is None else axes.figure(v, unit)}, {standing(words(row, 'significance')).meaning}"
        for (measure, column), row in cells.items()
    )

    def draw(canvas: Canvas) -> float:
        names = 0.0 if canvas.is_narrow else 200.0
        across = (canvas.across - names) / len(columns)
        is_stacked = any(_takes(row, unit) > across for row in rows)
        heads = [wrap(column, across - 6, SMALL, bold=True) for column in columns]
        y = max(len(head) for head in heads) * SMALL * LEADING + 4
        for place, head in enumerate(heads):
            first = y - (len(head) - 1) * SMALL * LEADING - 6
            canvas.lines(names + (place + 0.5) * across, first, head, anchor="middle", size=SMALL, bold=True)
        for measure in measures:
            label = wrap(measure, (names or canvas.across) - 8)
            if canvas.is_narrow:
                canvas.lines(0, y + 14, label)
                y += len(label) * SIZE * LEADING + 4
            height = (
                (36.0 if is_stacked else 24.0)
                if canvas.is_narrow
                else max(36.0 if is_stacked else 26.0, len(label) * SIZE * LEADING + 8)
            )
            if not canvas.is_narrow:
                canvas.lines(0, y + height / 2 - (len(label) - 1) * SIZE * LEADING / 2 + 4, label)
            for place, column in enumerate(columns):
                if row := cells.get((measure, column)):
                    _cell(canvas, row, (names + place * across, y, across, height), is_stacked, unit)
            y += height + (6 if canvas.is_narrow else 0)
        return paint_key(canvas, y + 18, [words(row, "significance") for row in rows]) - 8

    return render("rug", rows, title, subtitle, unit, f"{shows}.", draw)


def _columns(cells: Mapping[tuple[str, str], Row], measures: Sequence[str]) -> list[str]:
    """The columns in the order of the measure that has most of them; what it has not comes after."""
    held = [[column for measure, column in cells if measure == one] for one in measures]
    return list(dict.fromkeys([*max(held, key=len), *(column for _, column in cells)]))


def _takes(row: Row, unit: str) -> float:
    """How wide a cell must be for its mark and its figure side by side."""
    value = number(row, "value")
    return (
        width("–" if value is None else axes.figure(value, unit))
        + standing(words(row, "significance")).times * 8.4
        + 14
    )


def _cell(canvas: Canvas, row: Row, box: tuple[float, float, float, float], is_stacked: bool, unit: str) -> None:
    """A cell (left, top, width, height): its fill, its mark and its figure, side by side or one below the other."""
    x, y, across, height = box
    one, value = standing(words(row, "significance")), number(row, "value")
    label = "–" if value is None else axes.figure(value, unit)
    edge = style.GREY if style.contrast(one.fill, style.PAPER) < 3 else ""
    canvas.rect(x + 1, y + 1, across - 2, height - 2, one.fill, edge, 0.8, name="cell")
    colour, middle = style.text_on(one.fill), x + across / 2
    marked = one.times * 8.4
    if not one.times:
        canvas.text(middle, y + height / 2 + 4, label, anchor="middle", fill=colour)
    elif is_stacked:
        one.paint(canvas, middle, y + height - 10, 3.6, colour)
        canvas.text(middle, y + 15, label, anchor="middle", fill=colour)
    else:
        start = middle - (width(label) + marked + 6) / 2
        one.paint(canvas, start + marked / 2, y + height / 2, 3.6, colour)
        canvas.text(start + marked + 6, y + height / 2 + 4, label, fill=colour)


def spine(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A spine chart: for each measure where this area stands between the lowest and the highest, on a scale of its own round its benchmark.

    Args:
        rows: measure_name, value, low, q1, median, q3, high (of all areas), benchmark (in the middle of each row; null: the median is), significance. A row
            without a value keeps its range and says so; one without a range has its figure alone.

    Raises:
        ValueError: no rows, a column missing, no value.
    """
    check("spine", rows, SPINE)
    some_number("spine", rows, "value")
    shows = "; ".join(_spoken(row, unit) for row in rows)

    def draw(canvas: Canvas) -> float:
        names, figures = (canvas.across - 126.0, 68.0) if canvas.is_narrow else (190.0, 68.0)
        left = 4.0 if canvas.is_narrow else names + 2 * figures + 12
        right = canvas.across - 4.0
        first = canvas.across - figures if canvas.is_narrow else names + figures - 6
        for x, head in ((first, "here"), (first + figures, "benchmark")):
            canvas.text(x, 11, head, anchor="end", size=SMALL, fill=style.SECOND)
        if not canvas.is_narrow:
            canvas.text(left, 11, "lower", size=SMALL, fill=style.SECOND)
            canvas.text(right, 11, "higher", anchor="end", size=SMALL, fill=style.SECOND)
        y = 18.0
        for row in rows:
            label = wrap(words(row, "measure_name"), names - 8)
            texts = [*axes.column([number(row, "value"), number(row, "benchmark")], unit)]
            height = len(label) * SIZE * LEADING + (30 if canvas.is_narrow else 12)
            middle = y + height - 14 if canvas.is_narrow else y + height / 2
            base = y + 14 if canvas.is_narrow else middle + 4
            canvas.lines(0, base - (0 if canvas.is_narrow else (len(label) - 1) * SIZE * LEADING / 2), label)
            canvas.text(first, base, texts[0] or "–", anchor="end", bold=True)
            canvas.text(first + figures, base, texts[1] or "–", anchor="end", fill=style.SECOND)
            _backbone(canvas, row, left, right, middle)
            y += height
        middle = (left + right) / 2
        if not canvas.is_narrow:
            canvas.line(middle, 18, middle, y, style.INK, 1.2)
        y += 16
        y = canvas.key(y, [
            (lambda cx, cy: canvas.rect(cx - 9, cy - 4, 18, 8, "#e3e3e3", style.GREY, 0.8), "lowest to highest area"),
            (lambda cx, cy: canvas.rect(cx - 9, cy - 4, 18, 8, "#a6a6a6", style.GREY, 0.8), "middle half of areas"),
            (lambda cx, cy: canvas.line(cx, cy - 6, cx, cy + 6, style.INK, 1.6), "benchmark"),
        ])  # fmt: skip
        return paint_key(canvas, y, [words(row, "significance") for row in rows], is_single=True) - 8

    return render("spine", rows, title, subtitle, unit, f"{shows}.", draw)


def _backbone(canvas: Canvas, row: Row, left: float, right: float, y: float) -> None:
    """The range of a measure, its middle half, its benchmark, and this area's mark."""
    centre = number(row, "benchmark") if number(row, "benchmark") is not None else number(row, "median")
    known = numbers([row], "value", "low", "q1", "q3", "high")
    if centre is None or not known:
        return
    reach = max(abs(value - centre) for value in known) or 1.0
    x = axes.Scale(centre - reach, centre + reach, left + 6, right - 6)
    for low, high, fill in (("low", "high", "#e3e3e3"), ("q1", "q3", "#a6a6a6")):
        start, end = number(row, low), number(row, high)
        if start is not None and end is not None:
            canvas.rect(x(start), y - 6, x(end) - x(start), 12, fill, style.GREY, 0.8, name=low)
    canvas.line(x(centre), y - 9, x(centre), y + 9, style.INK, 1.6, name="benchmark")
    value = number(row, "value")
    if value is not None:
        one = standing(words(row, "significance"))
        one.paint_once(canvas, x(value), y, 5.5)


def _spoken(row: Row, unit: str) -> str:
    value, mark = number(row, "value"), number(row, "benchmark")
    parts = [f"{words(row, 'measure_name')}: {'no figure' if value is None else axes.figure(value, unit)}"]
    if mark is not None:
        parts.append(f"benchmark {axes.figure(mark, unit)}")
    if value is not None:
        parts.append(standing(words(row, "significance")).meaning)
    return ", ".join(parts)
