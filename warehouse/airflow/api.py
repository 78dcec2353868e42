"""Airflow's REST API, where an API server is up: the public door by which a run is changed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import requests

from ingest.errors import Refusal
from warehouse.airflow.program import EXECUTION_API, USER, environment
from warehouse.platform.settings import Settings

LONGEST_NOTE = 1000  # characters, as Airflow takes them
SECONDS = 30


def address(settings: Settings) -> str | None:
    """Where the API server of this home, or of this stack, is; None in a run that has none, which is a process of its own."""
    return environment(settings)[EXECUTION_API].removesuffix("/").removesuffix("/execution") or None


def change_run(settings: Settings, dag: str, run_id: str, **changes: Any) -> None:
    """Change a run: its `state` (failed ends what is left of it), its `note`, or both.

    Raises:
        Refusal: when there is no API server, it does not answer, or it refuses.
    """
    server = address(settings)
    try:
        if server is None:
            raise _refused("there is no API server")
        response = requests.patch(
            f"{server}/api/v2/dags/{quote(dag)}/dagRuns/{quote(run_id, safe='')}",
            json=changes,
            headers={"Authorization": f"Bearer {_token(settings, server)}"},
            timeout=SECONDS,
        )
        response.raise_for_status()
    except requests.RequestException as error:
        raise _refused(str(error)) from error


def _token(settings: Settings, server: str) -> str:
    login = {"username": USER, "password": _password(settings)}
    response = requests.post(f"{server}/auth/token", json=login, timeout=SECONDS)
    response.raise_for_status()
    return str(response.json()["access_token"])


def _password(settings: Settings) -> str:
    """The password of the UI's user: of a home from the file that `vru up` makes, of a stack from its secret."""
    made, given = settings.secrets / "airflow_passwords.json", settings.secrets / "airflow_admin_password"
    if made.is_file():
        return str(json.loads(made.read_text(encoding="utf-8"))[USER])
    if given.is_file():
        return given.read_text(encoding="utf-8").strip()
    raise _refused(f"the password of Airflow's user {USER} is not known here")


def _refused(why: str) -> Refusal:
    return Refusal(
        "AIRFLOW_FAILED",
        f"Airflow's REST API could not be asked: {why}",
        kept="the run is as it was",
        next_step="read the API server's log, airflow/logs/api-server.log of the home",
    )
