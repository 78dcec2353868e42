"""What a chart's SVG says when it is read back: its elements, where its texts are, and on what they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from warehouse.site.charts.text import width

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Text:
    """A text: its words, its box in units of the viewBox, its size and colour, and the fill it stands on."""

    words: str
    left: float
    top: float
    right: float
    bottom: float
    size: float
    colour: str
    ground: str

    def covers(self, other: Text) -> bool:
        """Whether two boxes have more than half a unit in common both ways."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > 0.5
            and min(self.bottom, other.bottom) - max(self.top, other.top) > 0.5
        )


def parsed(svg: str) -> ElementTree.Element:
    """The <svg>, of a text that must be well-formed."""
    return ElementTree.fromstring(svg)  # noqa: S314 - ours


def named(svg: str, name: str) -> list[ElementTree.Element]:
    """Its elements of a class."""
    return [one for one in parsed(svg).iter() if name in one.get("class", "").split() and one.tag != f"{SVG}svg"]


def points(element: ElementTree.Element) -> list[tuple[float, float]]:
    """The points of a path."""
    return points_of(element.get("d", ""))


def points_of(drawn: str) -> list[tuple[float, float]]:
    """The points of a path's d."""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", drawn)]


def texts(svg: str) -> list[Text]:
    """Its texts in the order they are painted."""
    root, found = parsed(svg), []
    shapes: list[tuple[list[tuple[float, float]], str]] = []
    for one in root:
        fill = one.get("fill", "")
        if one.tag == f"{SVG}rect" and fill != "none":
            x, y, across, down = (float(one.get(name, "0")) for name in ("x", "y", "width", "height"))
            shapes.append(([(x, y), (x + across, y), (x + across, y + down), (x, y + down)], fill))
        elif one.tag == f"{SVG}path" and fill != "none":
            shapes += [(points_of(part), fill) for part in one.get("d", "").split("Z") if part]
        elif one.tag == f"{SVG}text":
            size, words = float(one.get("font-size", root.get("font-size", "0"))), one.text or ""
            across = width(words, size, one.get("font-weight") == "bold")
            x, y = float(one.get("x", "0")), float(one.get("y", "0"))
            left = x - {"middle": across / 2, "end": across}.get(one.get("text-anchor", ""), 0.0)
            under = [fill for shape, fill in shapes if is_within(shape, left + across / 2, y - size * 0.35)]
            ground = under[-1] if under and one.get("stroke") is None else "#ffffff"
            colour = one.get("fill", root.get("fill", ""))
            found.append(Text(words, left, y - size * 0.74, left + across, y + size * 0.2, size, colour, ground))
    return found


def is_within(corners: list[tuple[float, float]], x: float, y: float) -> bool:
    """Whether a point lies in a shape."""
    edges = zip(corners, [*corners[1:], corners[0]], strict=True)
    return (
        sum((y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 for (x1, y1), (x2, y2) in edges) % 2 == 1
    )


def size(svg: str) -> tuple[float, float]:
    """Width and height of its viewBox."""
    across, down = parsed(svg).get("viewBox", "").split()[2:]
    return float(across), float(down)
