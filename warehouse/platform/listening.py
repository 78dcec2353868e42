"""Where the embedded server is reached beside its socket: loopback at a port of the home's own, and other addresses where a setting opens them.

Every role shows its password at each of them. Other addresses take readers alone, and TLS alone. The PostgreSQL of the wheel was built
without TLS, so they need the programs of one that has it (VRU_POSTGRES_PROGRAMS).
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ingest.errors import Refusal
from warehouse.platform.server_user import ServerUser
from warehouse.platform.settings import Settings

LOOPBACK = "127.0.0.1"
# Above the ports of known services and below those that the system gives to connections going out (Linux: from 32768).
PORTS = range(20_000, 32_768)
# PostgreSQL's own names for them, in its data folder.
CERTIFICATE, KEY = "server.crt", "server.key"
READERS = "vru_analyst,vru_bi,vru_open,+vru_borough_analyst"  # +: whoever belongs to it


@dataclasses.dataclass(frozen=True)
class Listening:
    """What of the settings decides where the embedded server listens.

    Attributes:
        port: of loopback and of every other address; 0: one is chosen for the home and kept.
        addresses: of this machine, beside loopback ("*": all).
        clients: the networks that may come in by those, as pg_hba.conf writes them.
        certificate, key: files of TLS.
        programs: the folder of other PostgreSQL programs to run the server with.
    """

    port: int = 0
    addresses: tuple[str, ...] = ()
    clients: tuple[str, ...] = ("samenet",)
    certificate: Path | None = None
    key: Path | None = None
    programs: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> Listening:
        """Where settings ask it to listen."""
        return cls(
            settings.database_port,
            settings.database_listen,
            settings.database_clients,
            settings.database_tls_certificate,
            settings.database_tls_key,
            settings.postgres_programs,
        )

    @property
    def listen_addresses(self) -> str:
        """The value of PostgreSQL's setting."""
        return "*" if "*" in self.addresses else ",".join((LOOPBACK, *self.addresses))

    @property
    def host_rules(self) -> str:
        """The text of pg_hba.conf: the first line that fits a connection decides."""
        rules = [
            "# Written when the server is started (warehouse/platform/listening.py): every role shows its password.",
            "local all all scram-sha-256",
            # Who may do everything has no business on the network: the socket's folder is this user's alone.
            "host all postgres all reject",
            f"host all all {LOOPBACK}/32 scram-sha-256",
        ]
        if self.addresses:
            rules += [f"hostssl vru {READERS} {network} scram-sha-256" for network in self.clients]
        return "\n".join(rules) + "\n"

    def options(self, port: int) -> str:
        """What `postgres` is told on its command line, quoted for a shell, which pg_ctl passes it through."""
        chosen = {
            "listen_addresses": self.listen_addresses,
            "port": str(port),
            "ssl": "on" if self.addresses else "off",
        }
        return " ".join(f"-c {name}={shlex.quote(value)}" for name, value in chosen.items())

    def lay_out(self, data: Path, programs: Path, user: ServerUser) -> None:
        """Write the rules, and the files of TLS, to where the server reads them.

        Args:
            data: the data folder.
            programs: the folder of the programs it will run.
            user: who the server runs as.

        Raises:
            Refusal: addresses are to be opened, and the programs have no TLS, or a file of it cannot be read.
        """
        _write(data / "pg_hba.conf", self.host_rules.encode(), user)
        if not self.addresses:
            return
        if not _has_tls(data, programs, user):
            raise Refusal(
                "DOOR_WITHOUT_TLS",
                f"VRU_DATABASE_LISTEN opens {', '.join(self.addresses)}, which needs TLS, and these PostgreSQL programs were built without it",
                where=str(programs),
                kept="the server was not started",
                next_step="name the bin folder of a PostgreSQL 18 with TLS in VRU_POSTGRES_PROGRAMS, use a server of your own "
                "(VRU_DATABASE_URL), or leave VRU_DATABASE_LISTEN out and come in by `ssh -L`",
            )
        assert self.certificate is not None  # noqa: S101 - settings refuse other addresses without one
        assert self.key is not None  # noqa: S101 - as above
        for source, name in ((self.certificate, CERTIFICATE), (self.key, KEY)):
            try:
                _write(data / name, source.read_bytes(), user)
            except OSError as error:
                raise Refusal(
                    "DOOR_WITHOUT_TLS",
                    f"a file of TLS cannot be read ({error.strerror})",
                    where=str(source),
                    kept="the server was not started",
                ) from error

    def is_laid_out(self, data: Path, running: dict[str, str]) -> bool:
        """Whether a running server is reached as this says.

        Args:
            data: its data folder.
            running: its settings listen_addresses, port and ssl, as it shows them.
        """
        wanted = {"listen_addresses": self.listen_addresses, "ssl": "on" if self.addresses else "off"}
        if self.port:
            wanted["port"] = str(self.port)
        files = {data / "pg_hba.conf": self.host_rules.encode()}
        if self.addresses and self.certificate and self.key:
            files |= {data / CERTIFICATE: self.certificate.read_bytes(), data / KEY: self.key.read_bytes()}
        return all(running.get(name) == value for name, value in wanted.items()) and all(
            file.exists() and file.read_bytes() == content for file, content in files.items()
        )


def choose_port(data: Path, fixed: int = 0) -> int:
    """The loopback port of a home whose server is about to start: the fixed one, the one it had, or a free one, which is kept for it.

    Args:
        data: its data folder.
        fixed: the one that settings name; 0: none.

    Raises:
        Refusal: the fixed one is another program's.
    """
    if fixed:
        if is_free(fixed):
            return fixed
        raise Refusal(
            "DATABASE_PORT_TAKEN",
            f"port {fixed} is taken by another program",
            where="VRU_DATABASE_PORT",
            kept="the server was not started",
            next_step="name a free one, or leave it out and one is chosen",
        )
    had = _kept_port(data)
    for port in _candidates(data, had):
        if is_free(port):
            if port != had:
                if had:
                    print(
                        f"port {had} is another program's: PostgreSQL listens at {port} from now on",
                        file=sys.stderr,
                        flush=True,
                    )
                _port_file(data).write_text(f"{port} {data}\n", encoding="utf-8")
            return port
    raise Refusal("DATABASE_PORT_TAKEN", f"no port from {PORTS.start} to {PORTS.stop - 1} is free", where=LOOPBACK)


def is_free(port: int) -> bool:
    """Whether nothing listens at a loopback port."""
    with socket.socket() as candidate:
        # As PostgreSQL does, so that a port whose last connection has just ended counts as free.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _port_file(data: Path) -> Path:
    return data.with_name(f"{data.name}.port")


def _kept_port(data: Path) -> int:
    """The port that was chosen for this folder; 0 where none was: a copy of a home has one of its own, so that no client takes it for the first."""
    try:
        port, folder = _port_file(data).read_text(encoding="utf-8").rstrip("\n").split(" ", 1)
        return int(port) if folder == str(data) else 0
    except (OSError, ValueError):
        return 0


def _candidates(data: Path, had: int) -> Iterator[int]:
    """Ports to try: the one it had, then all from one that the folder's path gives, so that two homes rarely begin at the same."""
    if had:
        yield had
    first = int.from_bytes(hashlib.sha256(os.fsencode(data)).digest()[:4], "big")
    for step in range(len(PORTS)):
        yield PORTS[(first + step) % len(PORTS)]


def _has_tls(data: Path, programs: Path, user: ServerUser) -> bool:
    """Whether programs were built with TLS: PostgreSQL names the library it uses (https://www.postgresql.org/docs/18/runtime-config-preset.html)."""
    result = subprocess.run(
        [str(programs / "postgres"), "-C", "ssl_library", "-D", str(data)],
        cwd=data,
        capture_output=True,
        text=True,
        check=False,
        **user.options,  # type: ignore[call-overload]
    )
    return bool(result.stdout.strip())


def _write(file: Path, content: bytes, user: ServerUser) -> None:
    """Write a file that its server alone may read."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_bytes(content)
    if os.geteuid() == 0:
        os.chown(fresh, user.uid, user.gid)
    fresh.replace(file)
