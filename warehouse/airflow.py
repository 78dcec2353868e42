"""Running Airflow as a program beside us: its environment, its database, its processes. Nothing here imports Airflow."""

from __future__ import annotations

import importlib.metadata
import os
import secrets
import subprocess
import sys
from pathlib import Path

from ingest.errors import Refusal
from warehouse.connection import AIRFLOW, url
from warehouse.settings import PROJECT, Settings

DAGS = PROJECT / "dags"


def program() -> str:
    """The airflow command of this environment."""
    return str(Path(sys.executable).with_name("airflow"))


def environment(settings: Settings) -> dict[str, str]:
    """Environment for an Airflow process: ours, plus AIRFLOW__ settings made from this home's settings and secrets."""
    home = settings.home / "airflow"
    if settings.airflow_database_url is not None:
        database = settings.airflow_database_url.get_secret_value().replace(
            "postgresql://", "postgresql+psycopg2://", 1
        )
    else:
        database = url(settings, AIRFLOW, scheme="postgresql+psycopg2")
    port = settings.airflow_port or 8080
    ours = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG": "1",
        "AIRFLOW__CORE__FERNET_KEY": _kept_secret(settings, "airflow_fernet_key", _fernet_key),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(settings.secrets / "airflow_passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API_AUTH__JWT_SECRET": _kept_secret(
            settings, "airflow_jwt_secret", lambda: secrets.token_urlsafe(48)
        ),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database.replace("+psycopg2", "+asyncpg"),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL": "error",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "True",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONWARNINGS": "ignore",
    }
    # Settings of the person who calls come last: the compose file sets hosts and ports of its own.
    theirs = {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW__")}
    return {**os.environ, **ours, **theirs, "VRU_HOME": str(settings.home)}


def _kept_secret(settings: Settings, name: str, make: object) -> str:
    file = settings.secrets / name
    if not file.exists():
        settings.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        file.write_text(make(), encoding="utf-8")  # type: ignore[operator]
    return file.read_text(encoding="utf-8").strip()


def _fernet_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


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
    log = home / "migrate.log"
    with log.open("wb") as output:
        result = subprocess.run(
            [program(), "db", "migrate"],
            env=environment(settings),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode:
        raise Refusal("Airflow's own database could not be set up", where=str(log), next_step=f"read {log}")
    done.touch()
