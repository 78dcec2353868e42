"""What is asked of Airflow's REST API, and where it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.refused import refused_with
from warehouse.airflow import api
from warehouse.airflow.program import EXECUTION_API
from warehouse.platform.settings import Settings, read_settings

RUN = "manual__2026-11-22T02:30:00+00:00"


class Server(ThreadingHTTPServer):
    """An API server that takes the password `open`, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, dict[str, Any]]] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _take(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization", ""), body))
        is_welcome = self.command == "PATCH" or body["password"] == "open"
        self.send_response(200 if is_welcome else 401)
        self.end_headers()
        self.wfile.write(json.dumps({"access_token": "a token"}).encode())

    def do_POST(self) -> None:
        self._take()

    def do_PATCH(self) -> None:
        self._take()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def settings(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv(EXECUTION_API, f"http://127.0.0.1:{server.server_port}/execution/")
    return read_settings(
        {"VRU_HOME": str(tmp_path), "VRU_AIRFLOW_DATABASE_URL": "postgresql://airflow@127.0.0.1:1/airflow"}
    )


@pytest.mark.parametrize(
    ("name", "text"), [("airflow_passwords.json", '{"admin": "open"}'), ("airflow_admin_password", "open\n")]
)
def test_a_run_is_changed_as_the_user_of_the_ui(server: Server, settings: Settings, name: str, text: str) -> None:
    settings.secrets.mkdir(exist_ok=True)
    (settings.secrets / name).write_text(text)
    api.change_run(settings, "nightly", RUN, state="failed", note="cut off")
    login, change = server.asked
    assert login == ("POST", "/auth/token", "", {"username": "admin", "password": "open"})
    assert change == (
        "PATCH",
        "/api/v2/dags/nightly/dagRuns/manual__2026-11-22T02%3A30%3A00%2B00%3A00",
        "Bearer a token",
        {"state": "failed", "note": "cut off"},
    )


def test_a_run_in_a_process_of_its_own_has_no_api_server(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXECUTION_API, "")
    assert api.address(settings) is None
    with refused_with("AIRFLOW_FAILED"):
        api.change_run(settings, "nightly", RUN, note="a note")
    assert server.asked == []


def test_a_server_that_refuses_or_is_gone_is_told_without_the_password(server: Server, settings: Settings) -> None:
    with refused_with("AIRFLOW_FAILED", match=r"\badmin\b"):
        api.change_run(settings, "nightly", RUN, note="a note")
    settings.secrets.mkdir(exist_ok=True)
    (settings.secrets / "airflow_admin_password").write_text("wrong-secret")
    with refused_with("AIRFLOW_FAILED", match="401") as refused:
        api.change_run(settings, "nightly", RUN, note="a note")
    assert "wrong-secret" not in str(refused.value)
    server.shutdown()
    server.server_close()
    with refused_with("AIRFLOW_FAILED"):
        api.change_run(settings, "nightly", RUN, note="a note")
