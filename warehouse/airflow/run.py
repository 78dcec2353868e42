"""One run of the nightly DAG, for a person who waits for it."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
import time
from typing import IO, Any

import psutil
import psycopg

from ingest.errors import Refusal
from warehouse.airflow.processes import check_same_settings, stop
from warehouse.airflow.program import DAGS, Echo, call, last_line
from warehouse.airflow.program import environment as airflow_environment
from warehouse.airflow.records import UNFINISHED, close_interrupted_runs, is_scheduler_alive, metadata, only_runner
from warehouse.platform.settings import Settings

# A task that is over sooner is told of once, when it is done.
LONG_SECONDS = 1.5
SHOWN = {"running": "running", "success": "done", "failed": "FAILED", "up_for_retry": "will be tried again"}


def run_nightly(
    settings: Settings,
    sources: list[str] | None,
    *,
    stand_ins: dict[str, str] | None = None,
    environment: dict[str, str] | None = None,
    echo: Echo = print,
) -> bool:
    """Run the DAG `nightly` once and wait for its end: on the scheduler where one is up, else in a process of its own.

    Args:
        sources: ids of the sources to fetch and load; None for all.
        stand_ins: addresses of stand-in publishers by source, for this run; None for the real publishers.
        environment: names and values that the run gets besides ours.
        echo: prints a line; told what starts and ends, not what the tasks log.

    Returns:
        Whether the run ended green.

    Raises:
        Refusal: when another run of this home is under way, or a scheduler is up that was started for other publishers.
    """
    extra = environment or {}
    # As text: an object that passes for text on one way into Airflow does not on another.
    configuration = {"sources": sources, "stand_ins": json.dumps(stand_ins) if stand_ins else None}
    if is_scheduler_alive(settings):
        check_same_settings(settings, extra)
        return _run_on_scheduler(settings, configuration, echo)
    with only_runner(settings) as lock:
        return _run_in_process(settings, configuration, extra, lock, echo)


def _run_in_process(
    settings: Settings, configuration: dict[str, Any], extra: dict[str, str], lock: IO[str], echo: Echo
) -> bool:
    moment = dt.datetime.now(dt.UTC)
    run_id = f"manual__{moment.isoformat()}"
    log = settings.home / "airflow" / "logs" / "in_process" / f"nightly_{moment:%Y-%m-%dT%H-%M-%S}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(DAGS / "run_in_process.py"), "nightly", moment.isoformat()]
    echo(f"Airflow runs the DAG nightly; its log is {log}")
    with log.open("wb") as output, metadata(settings) as connection:
        for told in close_interrupted_runs(settings, connection):
            echo(f"BEFORE THIS ONE: {told}")
        process = subprocess.Popen(
            [*command, json.dumps(configuration)],
            env={**airflow_environment(settings), **extra},
            stdin=subprocess.PIPE,  # closes when we are gone, which ends the run
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
        )
        try:
            progress = _Progress(connection, run_id, echo)
            while process.poll() is None:
                progress.look()
                time.sleep(0.2)
            progress.look()
        finally:
            stop([psutil.Process(process.pid)] if process.poll() is None else [], seconds=10)
            close_interrupted_runs(settings, connection)
    if process.returncode not in (0, 1):
        raise Refusal(
            "NIGHT_CUT_OFF",
            f"the nightly run was ended from outside ({_ending(process.returncode)})",
            kept="what its finished tasks did; a step that was cut off changed nothing",
            next_step="run it again",
        )
    if not progress.has_begun:
        raise Refusal(
            "AIRFLOW_FAILED", f"Airflow could not run the DAG nightly: {last_line(log)}", next_step=f"read {log}"
        )
    return process.returncode == 0


def _ending(status: int) -> str:
    number = -status if status < 0 else status - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"exit status {status}"


def _run_on_scheduler(settings: Settings, configuration: dict[str, Any], echo: Echo) -> bool:
    run_id = f"manual__{dt.datetime.now(dt.UTC).isoformat()}"
    echo("a scheduler is up in this home, so it runs the DAG nightly")
    call(
        settings,
        ["dags", "trigger", "nightly", "--run-id", run_id, "--conf", json.dumps(configuration)],
        log=settings.home / "airflow" / "logs" / "trigger.log",
        problem="the scheduler could not be asked to run the DAG nightly",
    )
    with metadata(settings) as connection:
        progress = _Progress(connection, run_id, echo)
        while (state := progress.look()) in (None, *UNFINISHED):
            if not is_scheduler_alive(settings):
                raise Refusal(
                    "SCHEDULER_SILENT",
                    "the scheduler stopped before the run had ended",
                    kept="what its finished tasks did",
                    next_step="`vru up` starts it again, and it goes on with the run",
                )
            time.sleep(0.5)
    return state == "success"


class _Progress:
    """Says what the tasks of a run do, as Airflow's database records it, whoever runs them."""

    def __init__(self, connection: psycopg.Connection, run_id: str, echo: Echo) -> None:
        self._connection = connection
        self._run_id = run_id
        self._echo = echo
        self._said: dict[str, tuple[str, int]] = {}

    @property
    def has_begun(self) -> bool:
        return bool(self._said)

    def look(self) -> str | None:
        """Say what has changed since the last look. Returns the run's state (None: Airflow does not know it yet)."""
        found = self._connection.execute(
            "select state from dag_run where dag_id = 'nightly' and run_id = %s", [self._run_id]
        ).fetchone()
        tasks = self._connection.execute(
            """select task_id, state, try_number, extract(epoch from end_date - start_date) from task_instance
               where dag_id = 'nightly' and run_id = %s and task_id <> 'watcher' and state = any(%s)
               and (state <> 'running' or start_date < now() - make_interval(secs => %s))
               order by coalesce(end_date, start_date), start_date""",
            [self._run_id, list(SHOWN), LONG_SECONDS],
        ).fetchall()
        for task, state, attempt, seconds in tasks:
            if self._said.get(task) == (state, attempt):
                continue
            self._said[task] = (state, attempt)
            took = f" ({seconds:.1f} s)" if state != "running" and seconds is not None else ""
            again = f", attempt {attempt}" if state == "running" and attempt > 1 else ""
            self._echo(f"  {task:<32} {SHOWN[state]}{again}{took}")
        return str(found[0]) if found else None
