"""Values as a file takes them: text that no spreadsheet takes for a formula, moments by London's clock."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import sys
import unicodedata
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
BEGUN = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # of a ZIP's members: else the time of writing stands in it, and no two exports of a release are the same

_FORMULA_STARTS = "=+-@"
_ENDS_OF_CELLS = "\t\r\n"
# Nothing is seen of these, and their categories do not say so.
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def without_formula(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, made text again (OWASP, CSV injection); any other value as it is.

    What is invisible at its beginning is looked through, since some program that passes it on takes it away; and wide, small and raised
    forms of a sign are that sign.
    """
    if not isinstance(value, str):
        return value
    first = next((one for one in value if _is_seen(one)), "")
    return f"'{value}" if _is_sign(first) or value.startswith(tuple(_ENDS_OF_CELLS)) else value


def _is_seen(character: str) -> bool:
    return character not in _BLANKS and unicodedata.category(character)[0] not in "ZCM"


def _is_sign(character: str) -> bool:
    return unicodedata.normalize("NFKC", character).startswith(tuple(_FORMULA_STARTS))


@functools.cache
def formula_pattern() -> str:
    """What `without_formula` marks, as a regular expression of PostgreSQL.

    No text of PostgreSQL holds NUL or half a pair of UTF-16. It is worked out from every character there is, which takes half a second.
    """
    unseen = _ranges(lambda one: not _is_seen(one))
    signs = _ranges(lambda one: _is_seen(one) and _is_sign(one))
    ends = _ranges(lambda one: one in _ENDS_OF_CELLS)
    return f"^[{ends}]|^[{unseen}]*[{signs}]"


def _ranges(is_one: Callable[[str], bool]) -> str:
    """The characters of a kind as what stands between the brackets of a regular expression."""
    codes = (code for code in itertools.chain(range(1, 0xD800), range(0xE000, sys.maxunicode + 1)) if is_one(chr(code)))
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{first:08x}" + (f"-\\U{last:08x}" if last > first else "") for first, last in ranges)


def in_london(moment: dt.datetime) -> dt.datetime:
    """A moment by London's clock, to the second, its offset kept."""
    return moment.astimezone(LONDON).replace(microsecond=0)
