"""Runs whose process was killed: they could raise no alert and could not tell Airflow that they are over."""

from __future__ import annotations

import datetime as dt

from ingest import attempts
from ingest.errors import Refusal
from warehouse import alerts
from warehouse.airflow import api, internals
from warehouse.airflow.lock import only_runner
from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.settings import LONDON, Settings

STOPPED = "NIGHT_STOPPED"
CUT_OFF = "night"  # the step, in ops.run_problem, of a night as a whole that died with its process


def tell(settings: Settings) -> list[str]:
    """Raise one alert for each run that died with its process. For callers that hold the lock on runs: no run is under way.

    Returns:
        What is to be said of each that was told now: when it began, when it was last heard of, and at which task.
    """
    unfinished = internals.unfinished_in_process(settings)
    known = _told(settings, [run.run_id for run in unfinished]) if unfinished else {}
    problems = []
    for run in unfinished:
        if run.run_id not in known:
            problems.append(_problem(run))
            alerts.record_problem(settings, run.run_id, CUT_OFF, "nightly", "NIGHT_CUT_OFF", problems[-1])
            alerts.raise_alert(settings, run.run_id)
    return problems


def stopped(settings: Settings, run_id: str) -> str:
    """Write down that a person stopped a run: that is no failure, and no alert says so. For whoever has ended its process.

    What had gone wrong in it before is told as of any run.

    Returns:
        What is to be said of it.
    """
    run = next((one for one in internals.unfinished_in_process(settings) if one.run_id == run_id), None)
    at = f" while {run.under_way} was under way" if run and run.under_way else ""
    begun = f"the night begun at {_london(run.begun_at)}" if run else "the night"
    problem = f"{begun} was stopped by Ctrl-C{at}. What its finished tasks did stands; the task that was cut off changed nothing."
    if run:
        attempts.take_back(settings.landing, run.begun_at)
    has_failed = bool(alerts.problems(settings, run_id))
    alerts.record_problem(settings, run_id, CUT_OFF, "nightly", STOPPED, problem)
    if has_failed:
        alerts.raise_alert(settings, run_id)
    return problem


def close(settings: Settings) -> None:
    """Have Airflow mark these runs as failed. A scheduler that is started would go on with them, without their publishers.

    For `vru up`, between the start of the API server, which does it, and that of the scheduler.

    Raises:
        Refusal: when the API server does not do it.
    """
    unfinished = internals.unfinished_in_process(settings)
    known = _told(settings, [run.run_id for run in unfinished])
    for run in unfinished:
        said = known.get(run.run_id) or _problem(run)
        api.change_run(settings, run.dag_id, run.run_id, state="failed", note=said[: api.LONGEST_NOTE])


def newest_night_cut_off(settings: Settings) -> str | None:
    """What to say of this home's newest night where it was cut off; its alert is raised if nobody has yet.

    Returns:
        None where it ended by itself or is under way, and where Airflow's own database is not for us to ask.
    """
    try:
        if internals.unfinished_in_process(settings):
            with only_runner(settings):
                tell(settings)
        newest = internals.newest_run(settings, "nightly")
    except Refusal:
        return None
    return _told(settings, [newest]).get(newest) if newest else None


def _told(settings: Settings, runs: list[str]) -> dict[str, str]:
    """What was said of those of the runs that an alert says were cut off, or that a person stopped."""
    with connect(settings, PUBLISHER) as warehouse:
        return dict(
            warehouse.execute(
                """select run_id, problem from ops.run_problem as p where run_id = any(%s) and step = %s
                   and (p.code = %s or exists (select from ops.alert as a where a.run_id = p.run_id))""",
                [runs, CUT_OFF, STOPPED],
            ).fetchall()
        )


def _problem(run: internals.Unfinished) -> str:
    at = f"while {run.under_way} was under way" if run.under_way else f"after {run.done}" if run.done else None
    return (
        f"the night begun at {_london(run.begun_at)} was cut off {at or 'before its first task'}, last heard of at "
        f"{_london(run.heard_at)}: its process was killed, or the machine stopped. What its finished tasks did stands; the task that "
        "was cut off changed nothing."
    )


def _london(moment: dt.datetime) -> str:
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M:%S}"
