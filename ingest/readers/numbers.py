"""One grammar of numbers for every publisher, and which numbers the marts can hold: one too large would fail a build as a whole."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import cache

from ingest.declaration import Number
from ingest.errors import Wrong

# A sign, digits, a point, an exponent: as R, Excel, .NET and PostgreSQL write numbers, and as PostgreSQL and Arrow read them.
PATTERN = r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?"
DIGITS = 12  # before the point: the marts hold 14, and add up what the areas of London have
LARGEST = 10**DIGITS
REASON = f"is a number that the marts cannot hold: it is not finite, or has more than {DIGITS} digits before the point"

_is_number = re.compile(PATTERN, re.ASCII).fullmatch


def number_of(value: str) -> Decimal | None:
    """A published number; None where the text is none."""
    return Decimal(value) if _is_number(value) else None


def plain(value: str) -> str:
    """A number with an exponent written without it (1e+05 as 100000); any other text as it is."""
    number = number_of(value) if "e" in value.lower() else None
    return f"{number.normalize():f}" if number is not None and abs(number) < LARGEST else value


def wrong_with(value: str, declared: Number) -> Wrong | None:
    """Why a published value is not a number as declared; None where it is."""
    number = number_of(value)
    if number is None:
        return Wrong("VALUE_NOT_A_NUMBER", "is not a number")
    if abs(number) >= LARGEST:
        return Wrong("VALUE_OUT_OF_RANGE", REASON)
    if declared.is_whole and number != number.to_integral_value():
        return Wrong("VALUE_NOT_A_NUMBER", "is not a whole number")
    return outside(number, declared.at_least, declared.at_most)


def outside(number: Decimal, at_least: float | None, at_most: float | None) -> Wrong | None:
    """Why a number lies outside its range; None where it does not."""
    if at_least is not None and number < Decimal(str(at_least)):
        return Wrong("VALUE_OUT_OF_RANGE", f"is below {at_least:.15g}, the least that it can be")
    if at_most is not None and number > Decimal(str(at_most)):
        return Wrong("VALUE_OUT_OF_RANGE", f"is above {at_most:.15g}, the most that it can be")
    return None


@cache
def takes_any_number(pattern: str | None) -> bool:
    """Whether a declared form takes numbers however long: what it lets through is looked at by its size."""
    return pattern is not None and any(re.fullmatch(pattern, form, re.ASCII) for form in ("9" * 30, "9" * 30 + ".9"))


def is_too_large(value: str) -> bool:
    """Whether a value is a number that the marts cannot hold; what is not a number is none."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    return not number.is_finite() or abs(number) >= LARGEST
