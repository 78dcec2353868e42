"""Colours and strokes of every chart: marks have a contrast of 3:1 or more on white, text 4.5:1 or more on what it stands on."""

from __future__ import annotations

INK = "#1a1a1a"
SECOND = "#3d3d3d"  # axis labels and notes
PAPER = "#ffffff"
GRID = "#d9d9d9"  # decoration alone: every figure can be read without it
NAVY = "#12436d"
TEAL = "#28a197"
PLUM = "#801650"
ORANGE = "#f46a25"
GREY = "#808080"
VIOLET = "#a285d1"
MIDDLE = "#6bace6"  # too light for a mark by itself: outlined in SECOND
PALE = "#add1f1"
FAINT = "#e8eef4"

FONTS = "Arial, Liberation Sans, sans-serif"

# Series of a line chart: what it is of first, then what it is compared with.
SERIES = (NAVY, PLUM, "#c2410c", "#1f7f77", SECOND, "#6d4aa8")
SHAPES = ("circle", "square", "diamond", "up", "down", "cross")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "12 4")
PROVISIONAL = "3 3"

# From low to high; text on each, and whether it needs an outline, follow from its lightness.
SEQUENCE = {
    1: ("#4a8cc2",),
    2: (PALE, "#215f94"),
    3: ("#e3eef8", "#6bace6", "#12436d"),
    4: ("#e3eef8", "#a3cbee", "#3f7fb5", "#12436d"),
    5: ("#eef4fa", "#bcdaf3", "#6bace6", "#2f6ea5", "#0f3558"),
    6: ("#eef4fa", "#c8e1f6", "#8fc1ec", "#4d8fc7", "#21598c", "#0b2a47"),
    7: ("#f3f7fb", "#d3e7f8", "#a8d0f2", "#6bace6", "#3878af", "#1c5080", "#0b2a47"),
}


def luminance(colour: str) -> float:
    """Relative luminance of a colour (#rrggbb), as WCAG 2.2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def text_on(fill: str) -> str:
    """The colour of text on a fill: black or white, one of which has 4.5:1 on any colour."""
    return "#000000" if contrast("#000000", fill) >= contrast(PAPER, fill) else PAPER


def tint(colour: str) -> str:
    """A colour so light that lines and text of it stand out on it."""
    return "#" + "".join(f"{255 - (255 - int(colour[i : i + 2], 16)) * 13 // 100:02x}" for i in (1, 3, 5))
