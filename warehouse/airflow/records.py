"""What Airflow's own database says of runs and schedulers, and the lock that keeps a home's runs apart."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import fcntl
import json
from collections.abc import Iterator
from typing import IO, Any

import psycopg

from ingest.declaration import read_sources
from ingest.errors import Refusal
from warehouse import alerts
from warehouse.airflow.program import call
from warehouse.platform import session
from warehouse.platform.connection import AIRFLOW, PUBLISHER, connect
from warehouse.platform.settings import LONDON, Settings

# How long a scheduler may be silent before we take it for dead; Airflow's own threshold is the same.
HEARTBEAT_SECONDS = 30
UNFINISHED = ("queued", "running")
SCHEDULED = ("nightly", "maintenance")  # the DAGs that run by themselves
CUT_OFF = "night"  # the step, in ops.run_problem, of a night as a whole that died with its process


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
        # Not as options: the address may bring its own, such as the schema of Airflow's tables.
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
        paused = connection.execute(
            "select dag_id from dag where is_paused and dag_id = any(%s) order by 1", [list(SCHEDULED)]
        )
        names = tuple(name for (name,) in paused)
    if row is None or row[2] in ("success", "failed"):
        return SchedulerState(None, False, names)
    return SchedulerState(row[0], bool(row[1]), names)


def failed_runs(settings: Settings, *, since: dt.datetime) -> list[tuple[str, str]]:
    """Run and DAG of each run that failed since then."""
    with metadata(settings) as connection:
        return connection.execute(
            "select run_id, dag_id from dag_run where state = 'failed' and end_date > %s order by end_date", [since]
        ).fetchall()


def close_interrupted_runs(settings: Settings, connection: psycopg.Connection) -> list[str]:
    """Raise one alert for each run that died with its process, which could raise none itself, and mark it as failed.

    A scheduler started later would go on with them, without their publishers.

    Args:
        connection: to Airflow's own database.

    Returns:
        What is to be said of each: when it began, when it was last heard of, and at which task.
    """
    told = []
    for run_id, begun_at, heard_at, under_way, done in _interrupted(connection):
        at = f"while {under_way} was under way" if under_way else f"after {done}" if done else "before its first task"
        problem = (
            f"the night begun at {_london(begun_at)} was cut off {at}, last heard of at {_london(heard_at)}: its process "
            "was killed, or the machine stopped. What its finished tasks did stands; the task that was cut off changed nothing."
        )
        alerts.record_problem(settings, run_id, CUT_OFF, "nightly", "NIGHT_CUT_OFF", problem)
        alerts.raise_alert(settings, run_id)
        told.append(problem)
    for table in ("task_instance", "dag_run"):
        connection.execute(
            f"""update {table} set state = 'failed', end_date = now()
                where state is not null and state not in ('success', 'failed', 'skipped', 'upstream_failed', 'removed')
                and (dag_id, run_id) in (select dag_id, run_id from dag_run
                                         where triggered_by = 'TEST' and state = any(%s))""",  # noqa: S608
            [list(UNFINISHED)],
        )
    return told


def _interrupted(connection: psycopg.Connection) -> list[tuple[str, dt.datetime, dt.datetime, str | None, str | None]]:
    """Runs in a process of their own that have not ended: id, begun, last heard of, the task under way, the last one done.

    A task of a source that the run was not asked for runs for a moment, to find that out: it is not named.
    """
    return connection.execute(
        """select r.run_id, r.start_date, coalesce(max(greatest(t.start_date, t.end_date)), r.start_date),
                  string_agg(t.task_id, ', ') filter (
                      where t.state = 'running' and (
                          t.task_id not like '%%.%%' or coalesce(r.conf::jsonb ->> 'sources', '') = ''
                          or r.conf::jsonb -> 'sources' ? split_part(t.task_id, '.', 1))),
                  (array_agg(t.task_id order by t.end_date desc) filter (where t.state = 'success'))[1]
           from dag_run as r left join task_instance as t on t.dag_id = r.dag_id and t.run_id = r.run_id
           where r.triggered_by = 'TEST' and r.state = any(%s) group by r.run_id, r.start_date order by r.start_date""",
        [list(UNFINISHED)],
    ).fetchall()


def _london(moment: dt.datetime) -> str:
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M:%S}"


def newest_night_cut_off(settings: Settings) -> str | None:
    """What to say of this home's newest night where it was cut off; its alert is raised if nobody has yet.

    Returns:
        None where it ended by itself or is under way, and where Airflow's own database is not for us to ask.
    """
    try:
        with metadata(settings) as connection:
            if _interrupted(connection):
                with only_runner(settings):
                    close_interrupted_runs(settings, connection)
            newest = connection.execute(
                "select run_id from dag_run where dag_id = 'nightly' order by start_date desc nulls last limit 1"
            ).fetchone()
    except Refusal:
        return None
    if newest is None:
        return None
    with connect(settings, PUBLISHER) as warehouse:
        row = warehouse.execute(
            "select problem from ops.run_problem where run_id = %s and step = %s", [newest[0], CUT_OFF]
        ).fetchone()
    return str(row[0]) if row else None


@contextlib.contextmanager
def only_runner(settings: Settings) -> Iterator[IO[str]]:
    """Hold the home's lock on running nights. A run in a process of its own holds it with us until it has ended.

    Raises:
        Refusal: when a run of this home is under way; names the command that holds it.
    """
    file = settings.home / "airflow" / "nightly.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise Refusal(
                "RUN_UNDER_WAY",
                f"a nightly run of this home is under way, or a build: `{lock.read() or 'unknown'}`",
                kept="nothing was started",
                next_step="wait until it has ended",
            ) from None
        lock.truncate(0)
        lock.write(session.name())
        lock.flush()
        yield lock


@contextlib.contextmanager
def no_run(settings: Settings) -> Iterator[None]:
    """Hold off runs of this home, whose build, gate and publish belong together: a build between them would spoil both.

    Raises:
        Refusal: when a run is under way.
    """
    with only_runner(settings):
        with metadata(settings) as connection:
            under_way = connection.execute("select 1 from dag_run where state = 'running'").fetchone()
        if under_way and is_scheduler_alive(settings):
            raise Refusal(
                "RUN_UNDER_WAY",
                "a run of this home is under way on its scheduler",
                kept="nothing was started",
                next_step="wait until it has ended; it publishes what is loaded",
            )
        yield


def pools() -> dict[str, dict[str, Any]]:
    """The pools that the DAGs name, as `airflow pools import` reads them."""
    return {
        "warehouse": {
            "slots": 1,
            "description": "what changes the warehouse, one after the other",
            "include_deferred": True,
        },
        **{
            f"fetch_{name}": {"slots": 1, "description": f"requests to {source.publisher}", "include_deferred": True}
            for name, source in read_sources().items()
        },
    }


def set_pools(settings: Settings) -> None:
    """Make sure Airflow has the pools that the DAGs name. A task whose pool is missing waits for ever, and nothing says so."""
    with metadata(settings) as connection:
        known = {name for (name,) in connection.execute("select pool from slot_pool")}
    if pools().keys() <= known:
        return
    file = settings.home / "airflow" / "pools.json"
    file.write_text(json.dumps(pools(), indent=1), encoding="utf-8")
    call(
        settings,
        ["pools", "import", str(file)],
        log=settings.home / "airflow" / "logs" / "pools.log",
        problem="Airflow's pools could not be set up",
    )
