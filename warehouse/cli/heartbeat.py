"""No command is silent for longer than five seconds: where it has nothing to tell, it tells that it goes on, and for how long."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

SECONDS = 5.0

_last = [0.0]  # when something was last printed


def note_output() -> None:
    """Note that something was printed just now."""
    _last[0] = time.monotonic()


def to_a_terminal(line: str) -> None:
    """Print on standard error for a person at a terminal. A program that reads it gets what went wrong, and nothing else."""
    if sys.stderr.isatty():
        print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def beating(what: str, tell: Callable[[str], None] = to_a_terminal) -> Iterator[None]:
    """Tell that `what` goes on whenever nothing was said for a while."""
    begun = time.monotonic()
    note_output()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            if time.monotonic() - _last[0] >= SECONDS:
                note_output()
                with contextlib.suppress(OSError):  # nobody reads it any more
                    tell(f"{what} goes on ({span(time.monotonic() - begun)})")

    teller = threading.Thread(target=watch, daemon=True, name="heartbeat")
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def span(seconds: float) -> str:
    """A span of time as minutes and seconds: 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
