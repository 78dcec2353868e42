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
from warehouse.airflow import internals, interrupted, task_logs
from warehouse.airflow.internals import UNFINISHED, is_scheduler_alive, metadata
from warehouse.airflow.lock import only_runner
from warehouse.airflow.processes import check_same_settings, stop
from warehouse.airflow.program import EXECUTION_API, Echo, call, last_line
from warehouse.airflow.program import environment as airflow_environment
from warehouse.platform.settings import Settings

# A task that is over sooner is told of once, when it is done.
LONG_SECONDS = 1.5
SILENT_SECONDS = 4.5  # then it is said how far it is: a person is never without a word for five
SHOWN = {
    "running": "running",
    "success": "done",
    "failed": "FAILED",
    "up_for_retry": "will be tried again",
    "skipped": "nothing to do",  # of a task that was told as running; most find that out at once
}


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
    log = settings.home / "airflow" / "logs" / task_logs.FOLDER / f"nightly_{moment:%Y-%m-%dT%H-%M-%S}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # -P: the folder somebody stands in is no place to import from.
    command = [sys.executable, "-P", "-m", "warehouse.airflow.run_in_process", "nightly", moment.isoformat()]
    echo(f"Airflow runs the DAG nightly; its log is {log}")
    with log.open("wb") as output, metadata(settings) as connection:
        for told in interrupted.tell(settings):
            echo(f"BEFORE THIS ONE: {told}")
        process = subprocess.Popen(
            [*command, json.dumps(configuration)],
            env={**airflow_environment(settings), **extra, EXECUTION_API: ""},
            stdin=subprocess.PIPE,  # closes when we are gone, which ends the run
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
            start_new_session=True,  # Ctrl-C is for us: a task that heard it would take it for its own failure
        )
        try:
            progress = _Progress(connection, run_id, configuration["sources"], echo)
            while process.poll() is None:
                progress.look()
                time.sleep(0.2)
            progress.look()
        except KeyboardInterrupt:
            # Killed at once: every step leaves whole what it was at, and asked politely, Airflow goes on with its task.
            stop(_as_list(process), seconds=0)
            raise _stopped(settings, run_id) from None
        finally:
            stop(_as_list(process), seconds=10)
            interrupted.tell(settings)
            task_logs.write(log, settings.home / "airflow" / "logs", "nightly", run_id)
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


def _as_list(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [psutil.Process(process.pid)] if process.poll() is None else []


def _stopped(settings: Settings, run_id: str) -> Refusal:
    return Refusal(
        "NIGHT_STOPPED",
        interrupted.stopped(settings, run_id).partition(". ")[0],
        kept="what its finished tasks did; the task that was cut off changed nothing",
        next_step="`vru nightly` goes on from there, and so does the next night",
    )


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
        progress = _Progress(connection, run_id, configuration["sources"], echo)
        try:
            state = _wait_for(progress, settings)
        except KeyboardInterrupt:
            echo("the run goes on on the scheduler; nobody waits for it here any more")
            raise
    return state == "success"


def _wait_for(progress: _Progress, settings: Settings) -> str:
    while (state := progress.look()) is None or state in UNFINISHED:
        if not is_scheduler_alive(settings):
            raise Refusal(
                "SCHEDULER_SILENT",
                "the scheduler stopped before the run had ended",
                kept="what its finished tasks did",
                next_step="`vru up` starts it again, and it goes on with the run",
            )
        time.sleep(0.5)
    return state


class _Progress:
    """Says what the tasks of a run do, as Airflow's database records it, whoever runs them."""

    def __init__(self, connection: psycopg.Connection, run_id: str, sources: list[str] | None, echo: Echo) -> None:
        self._connection = connection
        self._run_id = run_id
        self._sources = sources
        self._echo = echo
        self._said: dict[str, tuple[str, int]] = {}
        self._begun = self._told = time.monotonic()

    @property
    def has_begun(self) -> bool:
        return bool(self._said)

    def look(self) -> str | None:
        """Say what has changed since the last look, or, where nothing was said for a while, how far it is.

        Returns:
            The run's state (None: Airflow does not know it yet).
        """
        found = internals.run_state(self._connection, "nightly", self._run_id)
        tasks = internals.task_states(
            self._connection, "nightly", self._run_id, states=list(SHOWN), running_for=LONG_SECONDS
        )
        for task in tasks:
            said = self._said.get(task.task_id)
            if (
                task.task_id == "watcher"
                or said == (task.state, task.attempt)
                or (task.state == "skipped" and not said)
            ):
                continue
            self._said[task.task_id] = (task.state, task.attempt)
            took = f" ({task.seconds:.1f} s)" if task.state != "running" and task.seconds is not None else ""
            again = f", attempt {task.attempt}" if task.state == "running" and task.attempt > 1 else ""
            self._say(f"{task.task_id:<32} {SHOWN[task.state]}{again}{took}")
        if time.monotonic() - self._told > SILENT_SECONDS:
            running = [task.task_id for task in tasks if task.state == "running"]
            self._say(", ".join(running) + " under way" if running else "Airflow starts" if found is None else "…")
        return found

    def _say(self, what: str) -> None:
        done, every = internals.task_counts(self._connection, "nightly", self._run_id, self._sources)
        took = int(time.monotonic() - self._begun)
        self._told = time.monotonic()
        self._echo(f"  {what:<62} {took // 60}:{took % 60:02d}  {f'{done} of {every} tasks' if every else ''}".rstrip())
