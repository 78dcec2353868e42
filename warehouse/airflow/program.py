"""Airflow as a program: its environment in this home, its commands, its own database."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.metadata
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ingest.errors import Refusal
from warehouse.platform import children, session
from warehouse.platform.connection import AIRFLOW, url
from warehouse.platform.settings import PROJECT, Settings

DAGS = PROJECT / "dags"
USER = "admin"
# The setting that says where the API server is; empty for a run that has none.
EXECUTION_API = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"

Echo = Callable[[str], None]


def program() -> str:
    """The airflow command of this environment."""
    return str(Path(sys.executable).with_name("airflow"))


@dataclasses.dataclass(frozen=True)
class Ports:
    """Loopback ports of one home's Airflow."""

    api: int
    health: int


def environment(settings: Settings) -> dict[str, str]:
    """Environment for an Airflow process: ours, plus AIRFLOW__ settings made from this home's settings and secrets."""
    home = settings.home / "airflow"
    session.forget_libpq_environment()
    if settings.airflow_database_url is not None:
        database = settings.airflow_database_url.get_secret_value().replace(
            "postgresql://", "postgresql+psycopg2://", 1
        )
    else:
        database = url(settings, AIRFLOW, scheme="postgresql+psycopg2")
    ports = remembered_ports(settings)
    ours = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        # Of a time that somebody types without a zone. The UI itself shows the zone of the browser, or the one chosen there.
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Europe/London",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG": "1",
        "AIRFLOW__CORE__FERNET_KEY": _kept_secret(settings, "airflow_fernet_key", _fernet_key),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords_file(settings)),
        EXECUTION_API: f"http://127.0.0.1:{ports.api}/execution/",
        "AIRFLOW__API__PORT": str(ports.api),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{ports.api}",
        "AIRFLOW__API_AUTH__JWT_SECRET": _kept_secret(
            settings, "airflow_jwt_secret", lambda: secrets.token_urlsafe(48)
        ),
        # A task's token is for its whole life: a long load must not lose its right to report (10 minutes by default).
        "AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME": str(4 * 3600),
        # On two cores the API server may answer late while dbt runs; five seconds would fail tasks that are well.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        **_for_asyncpg(database),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL": "error",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "True",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(ports.health),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONWARNINGS": "ignore",
        # Where it is set, Airflow compiles its thousands of modules again at every start: ten seconds each time.
        "PYTHONDONTWRITEBYTECODE": "",
    }
    # Settings of the person who calls come last: the compose file sets hosts and ports of its own. Inside a task Airflow
    # has put a value of its own over the database's address, so that task code keeps away from it; that is nobody's wish.
    theirs = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("AIRFLOW__") and not value.startswith("airflow-db-not-allowed")
    }
    return {**os.environ, **ours, **theirs, "VRU_HOME": str(settings.home)}


def _for_asyncpg(database: str) -> dict[str, str]:
    """Where asyncpg finds Airflow's own database: it has libpq's sslmode under another name, and the authorities in the environment alone."""
    parts = urlsplit(database.replace("+psycopg2", "+asyncpg", 1))
    asked = dict(parse_qsl(parts.query))
    root = asked.pop("sslrootcert", "")
    if mode := asked.pop("sslmode", ""):
        asked["ssl"] = mode
    address = urlunsplit(parts._replace(query=urlencode(asked)))
    return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": address} | ({"PGSSLROOTCERT": root} if root else {})


def _kept_secret(settings: Settings, name: str, make: Callable[[], str]) -> str:
    file = settings.secrets / name
    if not file.exists():
        settings.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        file.write_text(make(), encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()


def _fernet_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _passwords_file(settings: Settings) -> Path:
    return settings.secrets / "airflow_passwords.json"


def ui_password(settings: Settings) -> str:
    """Password of the UI's user; Airflow would make one itself, but only once its API server runs, and print it there."""
    text = _kept_secret(settings, _passwords_file(settings).name, lambda: json.dumps({USER: secrets.token_urlsafe(12)}))
    return str(json.loads(text)[USER])


def migrate(settings: Settings) -> None:
    """Bring Airflow's own database to the installed version; does nothing where that has been done.

    Raises:
        Refusal: when the migration fails; names its log.
    """
    home = settings.home / "airflow"
    done = home / f"migrated-{importlib.metadata.version('apache-airflow-core')}"
    if done.exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    call(settings, ["db", "migrate"], log=home / "migrate.log", problem="Airflow's own database could not be set up")
    done.touch()


def call(settings: Settings, arguments: list[str], *, log: Path, problem: str) -> None:
    """Run an Airflow command to its end. Raises Refusal, naming the log, when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        result = children.run(
            [program(), *arguments],
            env=environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if result.returncode:
        raise Refusal("AIRFLOW_FAILED", f"{problem}: {last_line(log)}", where=str(log), next_step=f"read {log}")


def remembered_ports(settings: Settings) -> Ports:
    try:
        ports = Ports(**json.loads((settings.home / "airflow" / "ports.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        ports = Ports(8080, 8974)
    return dataclasses.replace(ports, api=settings.airflow_port) if settings.airflow_port else ports


def last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def prune(settings: Settings, *, keep_days: int) -> dict[str, int]:
    """Remove runs from Airflow's own database, and its log files, that are older than so many days.

    Returns:
        How many log files went.

    Raises:
        Refusal: when Airflow cannot prune its database; names the log.
    """
    oldest = dt.datetime.now(dt.UTC) - dt.timedelta(days=keep_days)
    logs = settings.home / "airflow" / "logs"
    call(
        settings,
        ["db", "clean", "--clean-before-timestamp", oldest.isoformat(), "--skip-archive", "--yes"],
        log=logs / "prune.log",
        problem="Airflow's own database could not be pruned",
    )
    removed = 0
    for file in logs.rglob("*.log"):
        if file.stat().st_mtime < oldest.timestamp():
            file.unlink()
            removed += 1
    return {"log_files_removed": removed}
