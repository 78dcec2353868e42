"""The running stack of one compose project, asked of the engine, of its published ports and of the database's, from outside."""

from __future__ import annotations

import http.client
import json
import subprocess
from pathlib import Path
from typing import Any

import psycopg


class Stack:
    """The stack of one compose project, and the ways to ask it something."""

    def __init__(
        self,
        engine: str,
        project: str,
        secrets: Path,
        postgres_port: int,
        ui_port: int,
        site_port: int,
        bi_port: int = 0,
    ) -> None:
        self.engine = engine
        self.project = project
        self.secrets = secrets
        self.postgres_port = postgres_port
        self.ui_port = ui_port
        self.site_port = site_port
        self.bi_port = bi_port

    def _engine(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.engine, *arguments], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, (
            f"{self.engine} {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout.strip()}"
        )
        return done.stdout

    def container(self, service: str) -> str:
        """Id of the one container of a service."""
        labels = {"project": self.project, "service": service}
        filters = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        ids = self._engine("ps", "--all", "--quiet", *filters).split()
        assert len(ids) == 1, f"{service} has {len(ids)} containers"
        return ids[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container."""
        described: list[dict[str, Any]] = json.loads(self._engine("inspect", self.container(service)))
        return described[0]

    def run(self, service: str, *command: str) -> str:
        """Standard output of a command run inside a service's container."""
        return self._engine("exec", self.container(service), *command)

    def airflow(self, method: str, path: str, *, token: str = "", body: object = None) -> tuple[int, Any]:
        """Status and JSON that Airflow answers through the published port."""
        return _ask(self.ui_port, method, path, token, body)

    def superset(self, path: str, *, token: str = "", body: object = None) -> tuple[int, Any]:
        """Status and JSON that Superset answers through its published port."""
        return _ask(self.bi_port, "POST" if body else "GET", path, token, body)

    def airflow_as_admin(self, path: str) -> Any:
        """What Airflow answers its administrator, who logs in with the password from the secret."""
        login = {"username": "admin", "password": (self.secrets / "airflow_admin_password").read_text()}
        status, answer = self.airflow("POST", "/auth/token", body=login)
        assert status == 201, f"logging in: {status} {answer}"
        status, found = self.airflow("GET", path, token=answer["access_token"])
        assert status == 200, f"{path}: {status} {found}"
        return found

    def query(self, sql: str, role: str = "vru_analyst", password: str | None = None) -> list[tuple[Any, ...]]:
        """Rows of a query put through the published port, as a role."""
        password = password or (self.secrets / role).read_text().strip()
        address = {"host": "127.0.0.1", "port": self.postgres_port, "dbname": "vru", "connect_timeout": 10}
        with psycopg.connect(user=role, password=password, **address) as connection:  # type: ignore[arg-type] # words of libpq
            return connection.execute(sql).fetchall()


def _ask(port: int, method: str, path: str, token: str, body: object) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()
