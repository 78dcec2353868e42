"""What is used of Airflow that it does not promise, fenced in this one module: its tables, which are read and never written, and one
factory.

**Tables.** The public doors are a REST API, which answers only where an API server is up, and commands, which take four to six seconds
each on two cores. A night at a terminal has no server and asks several times a second what its tasks do; `vru status` and `vru watch` ask
whether a scheduler lives just when it may be gone. So these questions go to the tables. Whatever changes something in Airflow goes
through the REST API (`api.py`) or a command (`program.call`).

**Factory.** See `serve_newest_api_only`.

All of it is written for Airflow `VERSION`. `tests/contract/test_airflow_version.py` fails where another is installed: then run
tests/integration/test_scheduler.py, test_interrupted_run.py, test_watch.py and tests/dags, correct what has changed here, and set it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

import psycopg

from ingest.errors import Refusal
from warehouse.platform import session
from warehouse.platform.connection import AIRFLOW, connect
from warehouse.platform.settings import Settings

VERSION = "3.3.2"

# How long a scheduler may be silent before we take it for dead; Airflow's own threshold is the same.
HEARTBEAT_SECONDS = 30
UNFINISHED = ("queued", "running")
SCHEDULED = ("nightly", "maintenance")  # the DAGs that run by themselves


@contextlib.contextmanager
def metadata(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection to Airflow's own database, each statement by itself."""
    if settings.airflow_database_url is None:
        with connect(settings, AIRFLOW, autocommit=True) as connection:
            yield connection
        return
    session.forget_libpq_environment()
    try:
        connection = psycopg.connect(
            settings.airflow_database_url.get_secret_value(), autocommit=True, connect_timeout=10
        )
        # Not as options: the address may bring its own, such as the schema of Airflow's internals.
        connection.execute("select set_config('datestyle', %(datestyle)s, false)", session.SESSION)
    except psycopg.OperationalError as error:
        raise Refusal(
            "AIRFLOW_FAILED",
            f"Airflow's own database cannot be reached: {' '.join(str(error).split())}",
            next_step="check VRU_AIRFLOW_DATABASE_URL",
        ) from error
    with connection:
        yield connection


def is_scheduler_alive(settings: Settings) -> bool:
    """Whether a scheduler works on this home's Airflow database, here or in another container."""
    with metadata(settings) as connection:
        found = connection.execute(
            """select 1 from job where job_type = 'SchedulerJob' and state = 'running'
               and latest_heartbeat > now() - make_interval(secs => %s)""",
            [HEARTBEAT_SECONDS],
        ).fetchone()
    return found is not None


@dataclasses.dataclass(frozen=True)
class SchedulerState:
    """When a scheduler of this home was last heard of (None: there never was one), whether it lives, and our DAGs that are paused."""

    heard_at: dt.datetime | None
    is_alive: bool
    paused_dags: tuple[str, ...]


def scheduler_state(settings: Settings) -> SchedulerState:
    """How the scheduler stands, by Airflow's own database. One that was stopped (`vru down`) is not missed.

    Raises:
        Refusal: when that database cannot be reached.
    """
    with metadata(settings) as connection:
        row = connection.execute(
            """select latest_heartbeat, state = 'running' and latest_heartbeat > now() - make_interval(secs => %s), state
               from job where job_type = 'SchedulerJob' order by latest_heartbeat desc limit 1""",
            [HEARTBEAT_SECONDS],
        ).fetchone()
    paused = tuple(paused_dags(settings, SCHEDULED))
    if row is None or row[2] in ("success", "failed"):
        return SchedulerState(None, False, paused)
    return SchedulerState(row[0], bool(row[1]), paused)


def paused_dags(settings: Settings, dags: Sequence[str]) -> list[str]:
    """Those of the DAGs that are paused."""
    with metadata(settings) as connection:
        rows = connection.execute(
            "select dag_id from dag where is_paused and dag_id = any(%s) order by 1", [list(dags)]
        ).fetchall()
    return [name for (name,) in rows]


def known_dags(settings: Settings) -> set[str]:
    """The DAGs that the DAG processor has read."""
    with metadata(settings) as connection:
        return {name for (name,) in connection.execute("select dag_id from dag where not is_stale")}


def pool_names(settings: Settings) -> set[str]:
    """The pools that Airflow has."""
    with metadata(settings) as connection:
        return {name for (name,) in connection.execute("select pool from slot_pool")}


def failed_runs(settings: Settings, *, since: dt.datetime) -> list[tuple[str, str]]:
    """Run and DAG of each run that failed since then."""
    with metadata(settings) as connection:
        return connection.execute(
            "select run_id, dag_id from dag_run where state = 'failed' and end_date > %s order by end_date", [since]
        ).fetchall()


def newest_run(settings: Settings, dag: str) -> str | None:
    """The run of a DAG that began last."""
    with metadata(settings) as connection:
        row = connection.execute(
            "select run_id from dag_run where dag_id = %s order by start_date desc nulls last limit 1", [dag]
        ).fetchone()
    return str(row[0]) if row else None


@dataclasses.dataclass(frozen=True)
class Run:
    """A run that has ended: when it began, how long it took, and how it ended (success, failed)."""

    begun_at: dt.datetime
    seconds: float
    state: str


def ended_runs(settings: Settings, dag: str, *, limit: int) -> list[Run]:
    """The newest runs of a DAG that have ended, newest first."""
    with metadata(settings) as connection:
        rows = connection.execute(
            """select start_date, extract(epoch from end_date - start_date)::float, state from dag_run
               where dag_id = %s and end_date is not null and start_date is not null order by start_date desc limit %s""",
            [dag, limit],
        ).fetchall()
    return [Run(*row) for row in rows]


def begun_at(settings: Settings, dag: str, run_id: str) -> dt.datetime | None:
    """When a run began; None where Airflow does not know it, or it has not begun."""
    with metadata(settings) as connection:
        row = connection.execute(
            "select start_date from dag_run where dag_id = %s and run_id = %s", [dag, run_id]
        ).fetchone()
    return row[0] if row else None


def is_scheduled_run_under_way(settings: Settings) -> bool:
    """Whether a run that belongs to a scheduler has begun and not ended."""
    with metadata(settings) as connection:
        return bool(
            connection.execute(
                "select 1 from dag_run where state = 'running' and triggered_by is distinct from 'TEST'"
            ).fetchone()
        )


@dataclasses.dataclass(frozen=True)
class Unfinished:
    """A run in a process of its own that Airflow has not seen end.

    Attributes:
        dag_id, run_id: the run.
        begun_at, heard_at: when it began, and when a task of it last began or ended.
        under_way: the tasks that had begun; None where none had.
        done: the task that had ended last; None where none had.
    """

    dag_id: str
    run_id: str
    begun_at: dt.datetime
    heard_at: dt.datetime
    under_way: str | None
    done: str | None


def unfinished_in_process(settings: Settings) -> list[Unfinished]:
    """The runs in a process of their own that Airflow has not seen end: the one under way, and those whose process was killed.

    A task of a source that the run was not asked for runs for a moment, to find that out: it is not named.
    """
    with metadata(settings) as connection:
        rows = connection.execute(
            """select r.dag_id, r.run_id, r.start_date, coalesce(max(greatest(t.start_date, t.end_date)), r.start_date),
                  string_agg(t.task_id, ', ') filter (
                      where t.state = 'running' and (
                          t.task_id not like '%%.%%' or coalesce(r.conf::jsonb ->> 'sources', '') = ''
                          or r.conf::jsonb -> 'sources' ? split_part(t.task_id, '.', 1))),
                  (array_agg(t.task_id order by t.end_date desc) filter (where t.state = 'success'))[1]
               from dag_run as r left join task_instance as t on t.dag_id = r.dag_id and t.run_id = r.run_id
               where r.triggered_by = 'TEST' and r.state = any(%s)
               group by r.dag_id, r.run_id, r.start_date order by r.start_date""",
            [list(UNFINISHED)],
        ).fetchall()
    return [Unfinished(*row) for row in rows]


@dataclasses.dataclass(frozen=True)
class Ended:
    """A run that has ended, and when it began and ended."""

    dag_id: str
    run_id: str
    begun_at: dt.datetime
    ended_at: dt.datetime


def in_process_without_note(settings: Settings, *, limit: int) -> list[Ended]:
    """The newest runs in a process of their own that have ended and have no note, at most so many, the newest first."""
    with metadata(settings) as connection:
        rows = connection.execute(
            """select r.dag_id, r.run_id, r.start_date, r.end_date from dag_run as r
               where r.triggered_by = 'TEST' and r.end_date is not null
                 and not exists (select from dag_run_note as n where n.dag_run_id = r.id)
               order by r.start_date desc limit %s""",
            [limit],
        ).fetchall()
    return [Ended(*row) for row in rows]


def run_state(connection: psycopg.Connection, dag: str, run_id: str) -> str | None:
    """The state of a run; None where Airflow does not know it yet. `connection` is to Airflow's own database."""
    row = connection.execute("select state from dag_run where dag_id = %s and run_id = %s", [dag, run_id]).fetchone()
    return str(row[0]) if row else None


@dataclasses.dataclass(frozen=True)
class TaskState:
    """How a task of a run stands: its state, which try it is, and how many seconds that took (None until it ends)."""

    task_id: str
    state: str
    attempt: int
    seconds: float | None


def task_states(
    connection: psycopg.Connection, dag: str, run_id: str, *, states: Sequence[str], running_for: float
) -> list[TaskState]:
    """The tasks of a run that are in one of these states, in the order in which they came to it.

    Args:
        connection: to Airflow's own database.
        running_for: a task that runs is named once it has run for so many seconds.
    """
    rows = connection.execute(
        """select task_id, state, try_number, extract(epoch from end_date - start_date) from task_instance
           where dag_id = %s and run_id = %s and state = any(%s)
           and (state <> 'running' or start_date < now() - make_interval(secs => %s))
           order by coalesce(end_date, start_date), start_date""",
        [dag, run_id, list(states), running_for],
    ).fetchall()
    return [TaskState(*row) for row in rows]


def task_counts(
    connection: psycopg.Connection, dag: str, run_id: str, sources: Sequence[str] | None
) -> tuple[int, int]:
    """How many tasks of a run have ended, and how many it has: of its own sources (None: of all), the watcher left out.

    `connection` is to Airflow's own database.
    """
    row = connection.execute(
        """select count(*) filter (where state in ('success', 'failed', 'skipped', 'upstream_failed')), count(*)
           from task_instance where dag_id = %(dag)s and run_id = %(run)s and task_id <> 'watcher'
             and (%(sources)s::text[] is null or task_id not like '%%.%%' or split_part(task_id, '.', 1) = any(%(sources)s))""",
        {"dag": dag, "run": run_id, "sources": list(sources) if sources else None},
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def serve_newest_api_only() -> None:
    """In a run's own process, leave out the older versions of the API between task and scheduler, which take five seconds of a core to generate.

    They exist for workers of older releases. In one process there is none: client and server are the same installation. Airflow has no
    setting for it. In another version than the one this was written for it does nothing, and the night takes longer.
    """
    if version("apache-airflow-core") != VERSION:
        return
    # Imported here: it takes seconds, and whoever reads a table needs none of it.
    from airflow.api_fastapi.common.exceptions import init_error_handlers
    from airflow.api_fastapi.execution_api import app as execution_api
    from airflow.api_fastapi.execution_api.routes import execution_api_router
    from fastapi import FastAPI

    def newest(lifespan: Any = execution_api.lifespan) -> FastAPI:
        app = FastAPI(lifespan=lifespan)
        app.include_router(execution_api_router)
        init_error_handlers(app)
        return app

    execution_api.create_task_execution_api_app = newest
