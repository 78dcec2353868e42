"""Telling: the run's one alert."""

from __future__ import annotations

from collections.abc import Sequence

from warehouse import alerts
from warehouse.steps import step

# Of a task: what it had begun, a transaction or a file, is not there.
CUT_OFF = (
    "it was cut off: its process was killed (out of memory, perhaps), it ran longer than it may, or its log in Airflow says "
    "why. Kept: what was there before it. Next: read that log, then run it again."
)


def notify(run_id: str, failed: Sequence[str] = ()) -> None:
    """Raise the run's one alert where anything went wrong.

    Args:
        failed: Airflow's ids of the tasks that failed. One that nobody wrote a word of was killed, or ran out of time.
    """
    known = alerts.problems(step.settings(), run_id)
    for task_id in failed:
        source, _, task = task_id.rpartition(".")
        name, _, dataset = task.partition("_") if source else (task, "", "")
        if not any(name == other and (not source or subject == f"{source} {dataset}") for other, subject in known):
            alerts.record_problem(
                step.settings(),
                run_id,
                name,
                f"{source} {dataset}" if source else "the run",
                "NIGHT_CUT_OFF",
                CUT_OFF,
            )
    alerts.raise_alert(step.settings(), run_id)
