"""Telling: the run's one alert."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.errors import Refusal
from warehouse import alerts
from warehouse.platform import audit
from warehouse.steps import step

# Of a task: what it had begun, a transaction or a file, is not there.
KEPT = "Kept: what was there before it. Next: read its log in Airflow, then run it again."
CUT_OFF = f"its process ended without a word: it was killed, out of memory perhaps. {KEPT}"


def notify(run_id: str, failed: Sequence[str] = ()) -> None:
    """Raise the run's one alert where anything went wrong.

    Args:
        failed: Airflow's ids of the tasks that failed. One that nobody wrote a word of was killed: whatever raises is written down.
    """
    for task_id in failed:
        _note(run_id, task_id, "NIGHT_CUT_OFF", CUT_OFF)
    alerts.raise_alert(step.settings(), run_id)
    # Into the run's log, which the database's administrator does not keep.
    if head := audit.note_head(step.settings()):
        print(head, flush=True)


def note_failure(run_id: str, task_id: str, error: BaseException) -> None:
    """Write down what a task raised, for the run's alert, where its step has not written it down itself.

    Args:
        task_id: Airflow's id of the task.
        error: what it raised. A step notes its own refusals; this is what Airflow or a task without such a note raises.
    """
    if isinstance(error, Refusal):
        _note(run_id, task_id, error.code, str(error))
    elif type(error).__name__ == "AirflowTaskTimeout":
        _note(run_id, task_id, "NIGHT_CUT_OFF", f"it ran longer than it may and was ended. {KEPT}")
    else:
        _note(run_id, task_id, "UNFORESEEN", step.in_words(error))


def _note(run_id: str, task_id: str, code: str, problem: str) -> None:
    """Write down a problem of a task, unless one of it is known."""
    source, _, task = task_id.rpartition(".")
    name, _, dataset = task.partition("_") if source else (task, "", "")
    subject = f"{source} {dataset}" if source else "the run"
    known = alerts.problems(step.settings(), run_id)
    if not any(name == other and (not source or subject == what) for other, what in known):
        alerts.record_problem(step.settings(), run_id, name, subject, code, problem)
