"""No command is silent for longer than five seconds: where it has nothing to tell, it tells that it goes on, and for how long."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

SECONDS = 5.0

_last = [0.0]  # when something was last printed


def heard() -> None:
    """Note that something was printed just now."""
    _last[0] = time.monotonic()


@contextlib.contextmanager
def broken(what: str) -> Iterator[None]:
    """Say on standard error, to a person at a terminal, that `what` goes on whenever nothing was said for a while.

    A program that reads standard error gets what went wrong, and nothing else.
    """
    if not sys.stderr.isatty():
        yield
        return
    begun = time.monotonic()
    heard()
    over = threading.Event()

    def tell() -> None:
        while not over.wait(0.5):
            if time.monotonic() - _last[0] >= SECONDS:
                heard()
                print(f"{what} goes on ({span(time.monotonic() - begun)})", file=sys.stderr, flush=True)

    teller = threading.Thread(target=tell, daemon=True, name="silence")
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def span(seconds: float) -> str:
    """A span of time as minutes and seconds: 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
