"""Values as a page writes them. What is missing is [x], never a blank and never 0."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from warehouse.platform.settings import LONDON
from warehouse.site.model import Column

MISSING = "[x]"


def month(value: dt.date) -> str:
    """October 2026."""
    return f"{value:%B %Y}"


def day(value: dt.date) -> str:
    """22 November 2026."""
    return f"{value.day} {value:%B %Y}"


def moment(value: dt.datetime) -> str:
    """22 November 2026, 21:53, in London."""
    local = value.astimezone(LONDON)
    return f"{day(local)}, {local:%H:%M}"


def count(value: Any) -> str:
    """1,234."""
    return f"{value:,.0f}"


def rate(value: Any) -> str:
    """12.3, and 1.23 below 10."""
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.2f}"


def percent(value: Any) -> str:
    """12.3%."""
    return f"{value:,.1f}%"


def signed(value: Any) -> str:
    """+12.3%, with a true minus sign."""
    return f"{value:+,.1f}%".replace("-", "\N{MINUS SIGN}")


def unit(value: Any) -> str:
    """Per 1,000 residents a year: of a rate of twelve months."""
    return f"per {value:,} residents a year"


def number(value: Any) -> str:
    """A number with at most two places, those at its end left out where they are 0."""
    if isinstance(value, int):
        return f"{value:,}"
    shown = f"{value:,.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown.replace("-", "\N{MINUS SIGN}")


_WRITERS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "long": str,
    "code": lambda value: str(value).replace("_", " "),
    "count": count,
    "rate": rate,
    "unit": unit,
    "number": number,
    "percent": percent,
    "signed": signed,
    "month": month,
    "day": day,
    "moment": moment,
}
NUMERIC = frozenset({"count", "rate", "number", "percent", "signed"})


def cell(column: Column, value: Any) -> str:
    """A value as the table's cell shows it."""
    if column.kind == "flag":
        return column.words[0] if value else column.words[1]
    return MISSING if value is None or value == "" else _WRITERS[column.kind](value)


_PROPER = {
    "mps": "MPS", "police uk": "police.uk", "btp": "British Transport Police", "city of london": "City of London", "metropolitan": "Metropolitan Police",
    "safestats": "SafeStats", "ecds": "ECDS", "ed": "emergency department", "istv": "ISTV", "tfl": "TfL", "vawg": "violence against women and girls",
    "tno": "total notifiable offences", "lsoas": "LSOAs",
}  # fmt: skip
_PROPER_NAMES = re.compile(rf"\b({'|'.join(_PROPER)})\b")


def coded(code: str) -> str:
    """What a code of ours is of, as somebody reads it: mps_vawg is MPS violence against women and girls."""
    return _PROPER_NAMES.sub(lambda found: _PROPER[found[0]], code.replace("_", " "))


def plain(value: Any) -> Any:
    """A value as CSV and JSON hold it: numbers as numbers, days and moments as ISO 8601."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(LONDON).isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, dt.date) else value


def ordinal(value: int) -> str:
    """1st, 2nd, 11th."""
    last = {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{'th' if value % 100 in (11, 12, 13) else last}"


def local(value: dt.datetime) -> dt.datetime:
    """A moment by London's clock."""
    return value.astimezone(LONDON)
