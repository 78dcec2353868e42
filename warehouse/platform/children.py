"""Programs that we start and wait for: they end when we do, also where we are killed. dbt would build on for minutes.

A process asks the kernel for that itself, before it becomes the program, so this file is a program too: `python children.py PARENT PROGRAM ...`.
What is meant to outlive us (PostgreSQL, the scheduler) is not started here; what reads its input until we close it needs none of this.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1  # prctl(2)


def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, as subprocess.run; it is killed when the thread that calls this ends without waiting.

    Args:
        command: the program and its arguments.
        options: those of subprocess.run.

    Returns:
        What came of it; exit status 127 where there is no such program.
    """
    # Without site packages a start of Python takes 15 ms.
    tied = [sys.executable, "-I", "-S", str(Path(__file__)), str(os.getpid())]
    return subprocess.run([*tied, *command], check=False, **options)


def _become(parent: int, command: list[str]) -> None:
    """Become a program that is killed when its parent ends (Linux; elsewhere it goes on)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was killed before we asked
        return
    try:
        os.execvp(command[0], command)  # noqa: S606 - that is the point
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
