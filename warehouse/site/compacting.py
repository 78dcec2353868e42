"""Charts as a page holds them: half as long as the SVG that a file of their own needs, since a page has its style sheet beside it."""

from __future__ import annotations

import re

from warehouse.site.charts import style
from warehouse.site.charts.text import SIZE

_COLOURS = (
    style.INK, style.SECOND, style.PAPER, style.GRID, style.NAVY, style.GREY, style.PLUM, style.MIDDLE, style.SERIES[2], "#000000", "#2f6ea5", "#a8477c",
    "#e3e3e3", "#a6a6a6", "#f2f2f2", "#6b6b6b", "#e1e7ed",
)  # fmt: skip
_WIDTHS = ("0.6", "0.8", "0.9", "1", "1.2", "1.4", "1.5", "1.6", "1.8", "2", "2.4", "3", "4")
_DASHES = ("3 3", "7 3", "2 3", "5 3", "4 3", "7 3 2 3")
# What charts say of most of their marks, each with the name of a class. A pair that is not among them stays as it is. New ones go to the end, since
# pages that stand have the names of today.
_PAIRS = (
    *(("fill", colour) for colour in ("none", *_COLOURS)),
    *(("stroke", colour) for colour in _COLOURS),
    *(("stroke-width", width) for width in _WIDTHS),
    *(("stroke-dasharray", dash) for dash in _DASHES),
    ("stroke-linejoin", "round"), ("text-anchor", "end"), ("text-anchor", "middle"), ("text-anchor", "start"), ("font-size", "11"), ("font-weight", "bold"),
    ("paint-order", "stroke"),
)  # fmt: skip
_CLASSES = {f'{name}="{value}"': f"k{place}" for place, (name, value) in enumerate(_PAIRS)}
_TAG = re.compile(r"<(svg|line|text|rect|circle|path|g)\b([^>]*?)(/?)>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_SAID = re.compile(r"<title id=.*?</desc>", re.DOTALL)
_STEP = re.compile(r"([MLZ])([^MLZ]*)")
_BARE = re.compile(r"[^\s\"'=<>`]+")
_OF_A_FILE = frozenset({"xmlns", "font-family", "font-size", "fill"})


def compact(svg: str) -> str:
    """A chart's SVG as HTML: it looks the same beside the style of `rules`."""
    return _TAG.sub(_shorter, svg)


def named_by(narrow: str, wide: str) -> str:
    """The narrow drawing of a chart with the name and description of the wide one that stands beside it: a page says them once."""
    head, drawing = _SAID.split(narrow, 1)
    names = dict(_ATTRIBUTE.findall(wide[: wide.index(">")]))
    return (
        _ATTRIBUTE.sub(
            lambda found: f'{found[1]}="{names[found[1]]}"' if found[1].startswith("aria-") else found[0], head
        )
        + drawing
    )


def rules() -> str:
    """The style sheet that compact charts need."""
    lines = [f".chart{{font:{SIZE}px {style.FONTS};fill:{style.INK}}}"]
    for place, (name, value) in enumerate(_PAIRS):
        lines.append(f".k{place}{{{name}:{value}{'px' if name == 'font-size' else ''}}}")
    return "\n".join(lines) + "\n"


def _shorter(found: re.Match[str]) -> str:
    tag, given, closes = found.groups()
    if tag == "svg":
        kept = [f'{name}="{value}"' for name, value in _ATTRIBUTE.findall(given) if name not in _OF_A_FILE]
        return f"<svg {' '.join(kept)}>"
    classes: list[str] = []
    held: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(given):
        if name == "class":
            classes.insert(0, value)
        elif known := _CLASSES.get(f'{name}="{value}"'):
            classes.append(known)
        else:
            held[name] = value
    if tag == "line":
        x1, y1, x2, y2 = (held.pop(name) for name in ("x1", "y1", "x2", "y2"))
        tag, held["d"] = "path", f"M{x1} {y1}{f'H{x2}' if y1 == y2 else f'V{y2}' if x1 == x2 else f'L{x2} {y2}'}"
    elif "L" in held.get("d", ""):
        held["d"] = _by_steps(held["d"])
    if classes:
        held = {"class": " ".join(classes), **held}
    written = "".join(f" {name}={_quoted(value)}" for name, value in held.items())
    return f"<{tag}{written}{' /' if closes and not written.endswith(chr(34)) else closes}>"


def _by_steps(way: str) -> str:
    """A path through points in tenths, each said by how far it lies from the one before: half as long, and the same line."""
    written, at, last = [], (0, 0), ""
    for kind, given in _STEP.findall(way):
        if kind == "Z":
            written.append("z")
        else:
            x, y = (round(10 * float(one)) for one in given.split())
            if kind == "M":
                written.append(f"M{given}")
            else:
                across, down = (_tenths(to - before) for to, before in zip((x, y), at, strict=True))
                joint = "l" if last != "L" else "" if across.startswith("-") else " "
                written.append(f"{joint}{across}{'' if down.startswith('-') else ' '}{down}")
            at = (x, y)
        last = kind
    return "".join(written)


def _tenths(value: int) -> str:
    whole, tenth = divmod(abs(value), 10)
    return f"{'-' if value < 0 else ''}{whole or (0 if not tenth else '')}{f'.{tenth}' if tenth else ''}"


def _quoted(value: str) -> str:
    return value if _BARE.fullmatch(value) else f'"{value}"'
