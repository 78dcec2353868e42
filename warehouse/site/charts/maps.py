"""London in squares and London in outlines: a value a borough, by classes that the rows name; the City is outlined as not one of the 32."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from warehouse.site.charts import axes, style
from warehouse.site.charts.classes import Classes, classes_of, edge
from warehouse.site.charts.drawing import Canvas, Chart, Points, render, through
from warehouse.site.charts.rows import Row, check, number, truth, words
from warehouse.site.charts.text import SMALL, wrap
from warehouse.site.geography.boroughs import ATTRIBUTION, CITY, COLUMNS, ROWS, TILES, Tile, names, outlines

NEEDED = ("area_code", "area_name", "value", "class_label")
# Where a short name stands beside the middle of its borough, in parts of the map's width: those two would cover one another.
_NUDGED = {"E09000013": (0.006, 0.016), "E09000020": (-0.006, -0.014)}
NOT_OF_32 = "City of London: not in the 32"


def tiles(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A square a borough, in a grid of our own, with its short name and its value.

    Args:
        rows: area_code (of one of the 32 boroughs; that of the City changes nothing), area_name, value (null: no figure), class_label (of its class, in words;
            classes are painted from the lowest values to the highest, seven at most). A borough without a row has no figure. Also, where there: is_this, for a
            thick edge.

    Raises:
        ValueError: no rows, a column missing, another area, two rows of one, no value, more than seven classes.
    """
    held = _by_code("tiles", rows)
    classes = classes_of("tiles", rows, "class_label", unit)

    def draw(canvas: Canvas) -> float:
        size = math.floor(min(58.0, canvas.across / COLUMNS))
        left = (canvas.across - size * COLUMNS) / 2
        for tile in TILES:
            x, y = left + tile.column * size + 1, tile.row * size + 1.0
            row = held.get(tile.code)
            _square(canvas, row, classes, x, y, size - 2, tile, unit)
        for tile in TILES:
            if (row := held.get(tile.code)) and truth(row, "is_this"):
                canvas.rect(
                    left + tile.column * size + 1,
                    tile.row * size + 1,
                    size - 2,
                    size - 2,
                    "none",
                    style.INK,
                    3,
                    name="this",
                )
        return (
            _key(
                canvas,
                ROWS * size + 18,
                classes,
                len(held) < 32 or any(number(row, "value") is None for row in held.values()),
            )
            - 8
        )

    return render("tiles", rows, title, subtitle, unit, _spoken(held, classes, unit), draw)


def _square(
    canvas: Canvas,
    row: Row | None,
    classes: Classes,
    x: float,
    y: float,
    size: float,
    tile: Tile,
    unit: str,
) -> None:
    short = tile.short
    if tile.code == CITY:
        canvas.rect(
            x + 0.5, y + 0.5, size - 1, size - 1, style.PAPER, style.SECOND, 1, name="area city", hint=NOT_OF_32
        )
        canvas.text(x + size / 2, y + size / 2 + 4, short, anchor="middle", size=SMALL, fill=style.SECOND)
        return
    value, name = (number(row, "value"), words(row, "area_name")) if row else (None, names()[tile.code])
    if row is None or value is None:
        canvas.rect(x, y, size, size, style.PAPER, style.GREY, 1, name="area", hint=f"{name}: no figure")
        canvas.text(x + size / 2, y + size / 2 - 3, short, anchor="middle", bold=True)
        canvas.text(x + size / 2, y + size / 2 + 12, "–", anchor="middle", size=SMALL)
        return
    fill, label, one = classes.fill(row), axes.figure(value, unit), classes.mark(row)
    colour, middle = style.text_on(fill), x + size / 2
    lift = 5 if one else 0
    canvas.rect(x, y, size, size, fill, edge(fill), 1, name="area", hint=f"{name}: {label}")
    canvas.text(middle, y + size / 2 - 3 - lift, short, anchor="middle", bold=True, fill=colour)
    canvas.text(middle, y + size / 2 + 10 - lift, label, anchor="middle", size=SMALL, fill=colour)
    if one:
        one.paint(canvas, middle, y + size / 2 + 12, 3, colour)


def choropleth(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
    """A map of the boroughs by class, with the attribution that its outlines ask for.

    Args:
        rows: as of tiles.

    Raises:
        ValueError: as tiles.
    """
    held = _by_code("choropleth", rows)
    classes = classes_of("choropleth", rows, "class_label", unit)

    def draw(canvas: Canvas) -> float:
        place, height = _projection(canvas.across)
        shapes = {code: [[place(*corner) for corner in part] for part in parts] for code, parts in outlines().items()}
        fills = {code: _fill(held.get(code), classes) for code in shapes}
        for code in sorted(
            shapes, key=lambda code: (code == CITY, _is_this(held.get(code)), style.luminance(fills[code]), code)
        ):
            row = held.get(code)
            value = number(row, "value") if row else None
            name = words(row, "area_name") if row else names().get(code, "")
            # Dark neighbours are parted by white; light ones have a dark edge, painted over it.
            stroke = style.INK if _is_this(row) else style.SECOND if edge(fills[code]) else style.PAPER
            canvas.add(
                "path", name="area city" if code == CITY else "area", d="".join(through(part) + "Z" for part in shapes[code]), fill=fills[code],
                stroke=stroke, stroke_width=3.0 if _is_this(row) else 0.9, stroke_linejoin="round",
                hint=NOT_OF_32 if code == CITY else f"{name}: {'no figure' if value is None else axes.figure(value, unit)}",
            )  # fmt: skip
        for tile in TILES:
            row = held.get(tile.code)
            one = classes.mark(row) if row is not None and number(row, "value") is not None else None
            fill = fills[tile.code]
            x, y = _middle(max(shapes[tile.code], key=lambda part: abs(_doubled(part))))
            aside, down = _NUDGED.get(tile.code, (0.0, 0.0))
            x, y = x + aside * canvas.across, y + down * canvas.across
            if tile.code != CITY and not canvas.is_narrow:
                canvas.text(x, y + (2 if one else 4), tile.short, anchor="middle", size=SMALL, fill=style.text_on(fill))
            if one:
                one.paint(
                    canvas, x, y + (0 if canvas.is_narrow else 8), 2 if canvas.is_narrow else 2.6, style.text_on(fill)
                )
        lacks = len(held) < 32 or any(number(row, "value") is None for row in held.values())
        y = _key(canvas, height + 20, classes, lacks)
        lines = wrap(ATTRIBUTION, canvas.across, SMALL)
        canvas.lines(0, y + 6, lines, size=SMALL, fill=style.SECOND)
        return y + 6 + len(lines) * SMALL * 1.2

    return render("choropleth", rows, title, subtitle, unit, _spoken(held, classes, unit), draw)


def _is_this(row: Row | None) -> bool:
    return row is not None and truth(row, "is_this")


def _fill(row: Row | None, classes: Classes) -> str:
    return style.PAPER if row is None or number(row, "value") is None else classes.fill(row)


def _by_code(kind: str, rows: Sequence[Row]) -> Mapping[str, Row]:
    check(kind, rows, NEEDED)
    held: dict[str, Row] = {}
    for row in rows:
        code = words(row, "area_code")
        if code not in {tile.code for tile in TILES}:
            raise ValueError(f"a {kind} chart shows London's boroughs, and {code!r} is none")
        if code in held:
            raise ValueError(f"a {kind} chart has one row an area, and there are two of {code}")
        if code != CITY:
            held[code] = row
    return held


def _spoken(held: Mapping[str, Row], classes: Classes, unit: str) -> str:
    """Which boroughs are in which class."""
    parts = []
    if classes.ends:
        known = sorted(
            (row for row in held.values() if number(row, "value") is not None), key=lambda row: words(row, "area_name")
        )
        parts = [
            "; ".join(f"{words(row, 'area_name')} {axes.figure(number(row, 'value') or 0, unit)}" for row in known)
            + "."
        ]
    for label, _ in () if classes.ends else classes.fills:
        members = sorted(
            words(row, "area_name")
            for row in held.values()
            if words(row, "class_label") == label and number(row, "value") is not None
        )
        meaning = classes.standings[label].meaning if label in classes.standings else label or "not classed"
        parts.append(f"{meaning[:1].upper()}{meaning[1:]}: {', '.join(members)}.")
    lacking = [words(row, "area_name") for row in held.values() if number(row, "value") is None]
    lacking = sorted([*lacking, *(name for code, name in names().items() if code not in held)])
    return " ".join([*parts, *([f"No figure: {', '.join(lacking)}."] if lacking else []), f"{NOT_OF_32}."])


def _key(canvas: Canvas, y: float, classes: Classes, lacks: bool) -> float:
    def city(x: float, y: float) -> None:
        canvas.rect(x - 9, y - 6, 18, 12, style.PAPER, style.SECOND, 1)

    return canvas.key(y, [*classes.entries(canvas, lacks), (city, NOT_OF_32)])


def _projection(across: float) -> tuple[Callable[[float, float], tuple[float, float]], float]:
    """What places a longitude and latitude, true to scale at London's middle, and how high the map is."""
    corners = [corner for parts in outlines().values() for part in parts for corner in part]
    west, east = min(x for x, _ in corners), max(x for x, _ in corners)
    south, north = min(y for _, y in corners), max(y for _, y in corners)
    squeeze = math.cos(math.radians((south + north) / 2))
    scale = (across - 4) / ((east - west) * squeeze)

    def place(longitude: float, latitude: float) -> tuple[float, float]:
        return 2 + (longitude - west) * squeeze * scale, 2 + (north - latitude) * scale

    return place, (north - south) * scale + 4


def _doubled(part: Points) -> float:
    """Twice the area of a shape, negative where its corners run the other way."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(part, [*part[1:], part[0]], strict=True))


def _middle(part: Points) -> tuple[float, float]:
    """The middle of a shape's area."""
    pairs = list(zip(part, [*part[1:], part[0]], strict=True))
    six = 3 * _doubled(part)
    x = sum((x1 + x2) * (x1 * y2 - x2 * y1) for (x1, y1), (x2, y2) in pairs) / six
    return x, sum((y1 + y2) * (x1 * y2 - x2 * y1) for (x1, y1), (x2, y2) in pairs) / six
