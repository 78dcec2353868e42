"""How wide a text will be, so that a chart can leave room for it: advance widths of Liberation Sans, which are Arial's."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

SIZE = 12  # of text, in units of the viewBox; nothing is set smaller than SMALL
SMALL = 11
LEADING = 1.2

# Of the characters from space to tilde, in thousandths of the size.
_REGULAR = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
)  # fmt: skip
_SIGNS = {"–": 556, "−": 584, "’": 278, "£": 556, "×": 584, "…": 1000}
_OTHER = 667  # any other character: as wide as most capitals


def width(words: str, size: float = SIZE, bold: bool = False) -> float:
    """How wide the words are, in the unit of the size."""
    table = _BOLD if bold else _REGULAR
    return sum(table[ord(c) - 32] if 32 <= ord(c) < 127 else _SIGNS.get(c, _OTHER) for c in words) * size / 1000


def widest(texts: Sequence[str], size: float = SIZE, bold: bool = False) -> float:
    """How wide the widest of the texts is, 0 where there is none."""
    return max((width(one, size, bold) for one in texts), default=0.0)


def wrap(words: str, room: float, size: float = SIZE, bold: bool = False) -> list[str]:
    """The words in lines that fit into the room; a word that is too long by itself is cut into pieces."""
    lines: list[str] = []
    for word in itertools.chain.from_iterable(_pieces(one, room, size, bold) for one in words.split()):
        if lines and width(f"{lines[-1]} {word}", size, bold) <= room:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines or [""]


def _pieces(word: str, room: float, size: float, bold: bool) -> list[str]:
    pieces = [""]
    for character in word:
        if pieces[-1] and width(pieces[-1] + character, size, bold) > room:
            pieces.append("")
        pieces[-1] += character
    return pieces


def apart(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Where labels go on a line so that none covers another.

    Args:
        wanted: the middle each would have by itself.
        sizes: how much of the line each takes.
        low, high: the ends of the line; where it is too short for all, they run over the high end.

    Returns:
        The middles, in the order given.
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    placed = list(wanted)
    edge = low
    for i in order:
        placed[i] = max(wanted[i], edge + sizes[i] / 2)
        edge = placed[i] + sizes[i] / 2
    edge = max(high, low + sum(sizes))
    for i in reversed(order):
        placed[i] = min(placed[i], edge - sizes[i] / 2)
        edge = placed[i] - sizes[i] / 2
    return placed
