"""A program that we wait for ends when we do."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from warehouse.platform import children

WAITS = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from warehouse.platform import children
children.run([sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"])
"""


def test_what_a_program_says_and_how_it_ends_comes_back() -> None:
    done = children.run([sys.executable, "-c", "print('said'); exit(3)"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "said\n")
    done = children.run(["/no/such/program"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (127, "/no/such/program: No such file or directory\n")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_program_ends_with_the_process_that_waits_for_it_however_that_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdout is not None
        program = psutil.Process(int(waiting.stdout.readline()))
        waiting.kill()
        waiting.wait()
        began = time.monotonic()
        while program.is_running() and program.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() - began < 5, "it lives on"
            time.sleep(0.02)
