"""Programs that we start and wait for, and that end with us: one that lived on would go on writing to what the next run begins with."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2): Linux alone


def run(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; where we are killed, it is too.

    Args:
        command: program and arguments.
        environment: all of its environment.
        folder: where it runs.

    Returns:
        What it printed, and its exit status.
    """
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_ends_with(os.getpid()) if sys.platform == "linux" else None,
    )


def _ends_with(parent: int) -> Callable[[], None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here: the child must not load anything

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we were killed before it could ask
            os._exit(1)

    return ask
