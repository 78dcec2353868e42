"""Which day a row is about."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from ingest.declaration import Period


def is_timed(value: str, period: Period) -> bool:
    """Whether a row with that value is about a time at all."""
    return period.only_where is None or re.fullmatch(period.only_where, value, re.ASCII) is not None


@lru_cache(maxsize=10_000)
def day_of(value: str, period: Period) -> dt.date | None:
    """The day, or the first of the month, that a value says; None where it is written in none of the declared forms."""
    if period.within is not None:
        found = re.fullmatch(period.within, value.strip(), re.ASCII)
        if found is None:
            return None
        value = found[1]
    for form in period.forms:
        try:
            return dt.datetime.strptime(value.strip(), form).date()
        except ValueError:
            continue
    return None


def examples(period: Period) -> str:
    """How a day or month may be written, by a few examples."""
    some = dict.fromkeys(dt.datetime(2026, 9, 30).strftime(form) for form in period.forms[:4])
    return " or ".join(some)
