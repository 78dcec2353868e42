"""How large a published number may be: a mart that it does not fit would fail as a whole, and with it every other source's night."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import cache

DIGITS = 12  # before the point: the marts hold 14, and add up what the areas of London have
REASON = f"is a number that the marts cannot hold: it is not finite, or has more than {DIGITS} digits before the point"


@cache
def takes_any_number(pattern: str | None) -> bool:
    """Whether a declared form takes numbers however long: what it lets through is looked at by its size."""
    return pattern is not None and any(re.fullmatch(pattern, form, re.ASCII) for form in ("9" * 30, "9" * 30 + ".9"))


def is_too_large(value: str) -> bool:
    """Whether a value is a number that the marts cannot hold; what is no number is none."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    return not number.is_finite() or abs(number) >= 10**DIGITS
