"""Time: one pace for a host, kept by all processes of a home together, and the deadline of one fetch."""

from __future__ import annotations

import fcntl
import re
import time
from pathlib import Path

PAUSE = 0.5  # seconds between two requests to one host


class Deadline:
    """The moment by which a fetch must be done, retries included; `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self.passed = f"not finished within {seconds:g} seconds"  # what messages say

    @property
    def left(self) -> float:
        """Seconds until then; below 0 once it has passed."""
        return self._ends - time.monotonic()


def next_turn(folder: Path, host: str) -> float:
    """Reserve the next moment at which a host may be asked; whoever comes next gets a later one.

    Args:
        folder: holds a file for each host with the moment of its next free turn.

    Returns:
        The moment, in seconds as `time.time` counts them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / re.sub(r"[^A-Za-z0-9.-]", "_", host)).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        now = time.time()
        written = file.read(32)
        # A clock that was set back must not make everybody wait for it.
        turn = max(now, min(float(written or 0), now + 60))
        file.seek(0)
        file.truncate()
        file.write(f"{turn + PAUSE:.3f}".encode())
    return turn
