"""The kill matrix: each step of a night and each command killed at its ends and in its middle, then run again.

    python -m tests.kills            every step, with real builds (minutes); prints the table and exits 1 where a case fails
    python -m tests.kills load gate  these steps

What is killed, by SIGKILL: the process of the step, a program it started (dbt, pg_dump, pg_restore), a backend of PostgreSQL that serves it,
the postmaster. Asked of each case: the step runs through when it is run again, what then stands is what stands where nobody was killed, no
process is left, and at most one alert was raised. tests/integration/test_kills.py runs the steps that need no build with every suite.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence

from tabulate import tabulate

from tests.homes import Home, never_wait_for_the_disk, new_folder
from tests.kill_matrix import TODAY, Matrix, Outcome, cases
from warehouse import alerts, cli, publish, runs, steps
from warehouse.build import candidate
from warehouse.home import setup
from warehouse.platform import embedded
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings, settings

RUN = "kills"  # the run's id
WITHOUT_BUILD = ("fetch", "land", "load", "publish", "notify", "rollback", "backup", "restore")
WITH_BUILD = ("build", "gate", "rebuild")
COLUMNS = ("step", "when", "killed", "the first run", "after running again", "s")


def _newest_candidate(chosen: Settings) -> str:
    with connect(chosen, ADMIN) as connection:
        row = connection.execute("select candidate_id from ops.candidate order by begun_at desc limit 1").fetchone()
    assert row is not None
    return str(row[0])


def _vru(*arguments: str) -> None:
    cli.main.main(list(arguments), standalone_mode=False)


def _notify(chosen: Settings) -> None:
    alerts.record_problem(chosen, RUN, "gate", "candidate", "GATE_HELD", "was killed")
    steps.notify(RUN)


STEPS: dict[str, Callable[[Settings], object]] = {
    "fetch": lambda _: steps.fetch(RUN, "mps", "borough_recent"),
    "land": lambda chosen: _vru("land", "mps", "borough_recent", "--synthetic", str(chosen.home / "by-hand.csv")),
    "load": lambda _: steps.load(RUN, "mps", "borough_recent", []),
    "build": lambda chosen: candidate.build(chosen, RUN),
    "gate": lambda chosen: steps.gate(RUN, _newest_candidate(chosen)),
    "publish": lambda chosen: publish.publish(chosen, _newest_candidate(chosen)),
    "notify": _notify,
    "rollback": lambda _: _vru("rollback", "1"),
    "rebuild": lambda chosen: runs.rebuild(chosen, print),
    "backup": lambda _: _vru("backup"),
    "restore": lambda chosen: _vru("restore", str(next((chosen.home.with_suffix(".backups")).glob("2*")))),
}


def _perform(step: str) -> None:
    """What the process of a step does: waits for a line before and after it, so that it can be killed at its ends."""
    chosen = settings()
    print("ready", flush=True)
    sys.stdin.readline()
    STEPS[step](chosen)
    print("done", flush=True)
    sys.stdin.readline()


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes, a line a case."""
    return tabulate([one.as_row() for one in outcomes], headers=COLUMNS)


def main(steps: Sequence[str]) -> int:
    """Run the matrix of these steps (default: all) and print it; 1 where a case failed."""
    work = new_folder()
    outcomes = []
    try:
        made = work / "set-up"
        made.mkdir()
        chosen = Home(made, TODAY).settings
        setup.set_up(chosen)
        never_wait_for_the_disk(chosen)
        embedded.stop(made / "postgres")
        (made / "airflow" / "airflow.cfg").unlink(missing_ok=True)
        with Matrix(made, work).serving() as matrix:
            for case in cases(steps or (*WITHOUT_BUILD, *WITH_BUILD)):
                outcomes.append(matrix.run(case))
                print(
                    f"{case}: {outcomes[-1].first}; {outcomes[-1].problems or 'well'} ({outcomes[-1].seconds:.1f} s)",
                    flush=True,
                )
    finally:
        embedded.stop(work / "set-up" / "postgres")
        shutil.rmtree(work)
    print(table(outcomes))
    return int(any(o.problems for o in outcomes))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--perform"]:
        _perform(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1:]))
