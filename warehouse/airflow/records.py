"""What Airflow's own database says of runs and schedulers, and the lock that keeps a home's runs apart."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator
from typing import IO, Any

import psycopg

from ingest.declaration import read_sources
from ingest.errors import Refusal
from warehouse.airflow.program import call
from warehouse.connection import AIRFLOW, connect
from warehouse.settings import Settings

# How long a scheduler may be silent before we take it for dead; Airflow's own threshold is the same.
HEARTBEAT_SECONDS = 30
UNFINISHED = ("queued", "running")


@contextlib.contextmanager
def metadata(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection to Airflow's own database, each statement by itself."""
    if settings.airflow_database_url is None:
        with connect(settings, AIRFLOW, autocommit=True) as connection:
            yield connection
        return
    try:
        connection = psycopg.connect(
            settings.airflow_database_url.get_secret_value(), autocommit=True, connect_timeout=10
        )
    except psycopg.OperationalError as error:
        raise Refusal(
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


def close_interrupted_runs(connection: psycopg.Connection) -> None:
    """Mark runs that died with their process as failed. A scheduler started later would go on with them, without their publishers."""
    for table in ("task_instance", "dag_run"):
        connection.execute(
            f"""update {table} set state = 'failed', end_date = now()
                where state is not null and state not in ('success', 'failed', 'skipped', 'upstream_failed', 'removed')
                and (dag_id, run_id) in (select dag_id, run_id from dag_run
                                         where triggered_by = 'TEST' and state = any(%s))""",  # noqa: S608
            [list(UNFINISHED)],
        )


@contextlib.contextmanager
def only_runner(settings: Settings) -> Iterator[IO[str]]:
    """Hold the home's lock on running nights. A run in a process of its own holds it with us until it has ended.

    Raises:
        Refusal: when a run of this home is under way.
    """
    file = settings.home / "airflow" / "nightly.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refusal(
                "a nightly run of this home is under way",
                kept="nothing was started",
                next_step="wait until it has ended",
            ) from None
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
    """Make sure Airflow has the pools that the DAGs name. A task whose pool is missing waits for ever, without a word."""
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
