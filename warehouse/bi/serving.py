"""Superset on this machine, in an environment of its own (`bi/`): started, told what it is to show, stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import requests

from ingest.errors import Refusal
from warehouse.airflow.processes import stop
from warehouse.bi import metadata
from warehouse.platform import listening
from warehouse.platform.connection import ADMIN, parameters
from warehouse.platform.settings import PREFIX, PROJECT, Settings

CODE = PROJECT / "bi"
PROGRAMS = CODE / ".venv" / "bin"
STARTS_WITHIN = 180  # seconds; 15 on two idle cores
PORTS = range(8088, 8188)
Echo = Callable[[str], None]


def up(settings: Settings, *, echo: Echo = print) -> str:
    """Start Superset of this home in the background, and wait until it answers; where it runs, nothing is started.

    Returns:
        Its address, on loopback.

    Raises:
        Refusal: its environment is not there, its port is taken, or it does not start.
    """
    if not (PROGRAMS / "gunicorn").exists():
        raise Refusal(
            "SUPERSET_NOT_INSTALLED",
            "Superset's environment is not there",
            where=str(PROGRAMS.parent),
            next_step="`make bi` makes it, and starts Superset",
        )
    is_running = _running(settings) is not None
    port = _port(settings, is_running=is_running)
    address = f"http://{listening.LOOPBACK}:{port}"
    if is_running:
        return address
    if not listening.is_free(port):
        raise Refusal(
            "PORT_TAKEN",
            f"port {port} is taken by another program",
            where="VRU_BI_PORT",
            kept="Superset was not started",
            next_step="name a free one, or leave it out and one is chosen",
        )
    metadata.make_secrets(settings)
    is_new = metadata.set_up(settings)
    environment = _environment(settings)
    folder = settings.home / "bi"
    folder.mkdir(mode=0o700, exist_ok=True)
    prepared, state = folder / "prepared", _fingerprint(settings)
    if is_new or not prepared.exists() or prepared.read_text(encoding="utf-8") != state:
        echo("bringing Superset's own database to this version (45 s the first time)")
        _prepare(folder, environment)
        prepared.write_text(state, encoding="utf-8")
    echo("starting Superset")
    log = folder / "superset.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                # One process: what it counts and remembers stands in its memory.
                str(PROGRAMS / "gunicorn"), "--workers", "1", "--worker-class", "gthread", "--threads", "16", "--timeout", "120",
                "--bind", f"{listening.LOOPBACK}:{port}", "superset.app:create_app()",
            ],
            env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    (folder / "process.json").write_text(
        json.dumps([process.pid, psutil.Process(process.pid).create_time()]), encoding="utf-8"
    )
    _wait(settings, address, log)
    return address


def down(settings: Settings) -> bool:
    """Stop Superset of this home.

    Returns:
        Whether it ran.
    """
    process = _running(settings)
    if process is not None:
        stop([process], seconds=15)
    (settings.home / "bi" / "process.json").unlink(missing_ok=True)
    return process is not None


def password_file(settings: Settings) -> Path:
    """Where the administrator's password stands."""
    return settings.secrets / metadata.ADMIN_PASSWORD


def _prepare(folder: Path, environment: dict[str, str]) -> None:
    log = folder / "prepare.log"
    with log.open("wb") as output:
        result = subprocess.run(
            [str(PROGRAMS / "python"), str(CODE / "prepare.py")],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode:
        raise Refusal(
            "SUPERSET_FAILED", "Superset's own database could not be brought to this version", next_step=f"read {log}"
        )


def _wait(settings: Settings, address: str, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while _running(settings) is not None and time.monotonic() < deadline:
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{address}/health", timeout=5).ok:
                return
        time.sleep(0.3)
    down(settings)
    raise Refusal("SUPERSET_FAILED", "Superset did not start", next_step=f"read {log}")


def _environment(settings: Settings) -> dict[str, str]:
    """What its processes are told: where its secrets are, and none of ours."""
    found = parameters(settings, ADMIN)
    host = listening.LOOPBACK if settings.is_embedded else found["host"]
    others = {
        name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "PG", "AIRFLOW", "PYTHON"))
    }
    return others | {
        "BI_SECRETS": str(settings.secrets),
        "BI_METADATA": f"postgresql+psycopg2://{metadata.ROLE}@{host}:{found['port']}/{metadata.DATABASE}",
        "SUPERSET_CONFIG_PATH": str(CODE / "superset_config.py"),
        "SUPERSET_HOME": str(settings.home / "bi"),
        "SCARF_ANALYTICS": "false",
    }


def _fingerprint(settings: Settings) -> str:
    """What its database depends on: the versions that are locked, how it is prepared, and the administrator's password."""
    digest = hashlib.sha256()
    for file in (CODE / "requirements.lock", CODE / "prepare.py", password_file(settings)):
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


def _running(settings: Settings) -> psutil.Process | None:
    """The process that `up` started in this home, if it is still the same one.

    A number may be another program's by now, and the file of a copied home names the first home's process.
    """
    folder = settings.home / "bi"
    try:
        pid, created = json.loads((folder / "process.json").read_text(encoding="utf-8"))
        process = psutil.Process(pid)
        is_ours = (
            abs(process.create_time() - created) < 1
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()) == folder
        )
    except (FileNotFoundError, psutil.Error):
        return None
    return process if is_ours else None


def _port(settings: Settings, *, is_running: bool) -> int:
    """The port of the settings, the one that this home had, or where another program has that, a free one, which is kept."""
    if settings.bi_port:
        return settings.bi_port
    file = settings.home / "bi" / "port"
    with contextlib.suppress(FileNotFoundError):
        had = int(file.read_text(encoding="utf-8"))
        if is_running or listening.is_free(had):
            return had
    file.parent.mkdir(mode=0o700, exist_ok=True)
    port = next(one for one in PORTS if listening.is_free(one))
    file.write_text(f"{port}\n", encoding="utf-8")
    return port
