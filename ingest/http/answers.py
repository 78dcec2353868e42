"""What an address answered, and why it may be asked again."""

from __future__ import annotations

import dataclasses
import datetime as dt
import email.utils
import re
from pathlib import Path

KEPT = "nothing was fetched; the last good data stand"
NEXT_RUN = "the next run asks again; if it stays so, tell the publisher"


@dataclasses.dataclass(frozen=True)
class Body:
    """What an address answered: a temporary file with its bytes, and its provenance. No file where nothing changed (304)."""

    url: str
    status: int
    headers: dict[str, str]
    file: Path | None
    sha256: str
    bytes: int
    is_synthetic: bool


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of what is at an address: its bytes, which byte is the first, how many there are in all, and of which version."""

    body: bytes
    first: int
    total: int
    version: str | None
    is_synthetic: bool


class RangeNotSupported(Exception):
    """The server answers a request for a part of a file with the whole of it."""


class Retryable(Exception):
    """An answer worth asking for again, after `wait` seconds where the publisher says."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


def header(body: Body, name: str) -> str | None:
    """A header of an answer, however its name is written."""
    return next((value.strip() for known, value in body.headers.items() if known.lower() == name.lower()), None)


def retry_after(value: str | None) -> float | None:
    """Seconds to wait from a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=dt.UTC)
        return max(0.0, (when - dt.datetime.now(dt.UTC)).total_seconds())
    except (ValueError, OverflowError):  # the latter of a time zone years away
        return None
