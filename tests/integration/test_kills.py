"""Whatever is killed, and whenever: running it again gives the same, leaves no process, and raises no second alert.

The cases that need no build; `python -m tests.kills` has all of them, with dbt and the gate.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.homes import new_folder
from tests.kill_matrix import Case, Matrix

# One of each kind of end: a step killed with everything else of its home, at its ends and in its middle.
CASES = (
    Case("load", "during", "process"),
    Case("load", "during", "postmaster"),
    Case("publish", "during", "process"),
    Case("publish", "during", "backend"),
    Case("notify", "after", "process"),
    Case("rollback", "during", "postmaster"),
    Case("backup", "during", "child"),
    Case("restore", "during", "process"),
)


@pytest.fixture(scope="module")
def matrix(set_up_home: Path) -> Iterator[Matrix]:
    work = new_folder()
    try:
        with Matrix(set_up_home, work).serving() as one:
            yield one
    finally:
        shutil.rmtree(work)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_step_that_was_killed_is_run_again_and_comes_to_the_same(
    matrix: Matrix, case: Case, record_property: Callable[[str, object], None]
) -> None:
    outcome = matrix.run(case)
    record_property("kill", outcome.as_row())
    assert outcome.problems == ()
