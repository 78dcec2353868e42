"""Connections to the warehouse, one role each."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import secrets
import sys
import time
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import certifi
import psycopg
from psycopg.conninfo import make_conninfo

from ingest.errors import Refusal
from warehouse.platform import embedded, session
from warehouse.platform.embedded import WarehouseAway
from warehouse.platform.listening import Listening
from warehouse.platform.settings import Settings

LOADER = "vru_loader"
TRANSFORMER = "vru_transformer"
GATE = "vru_gate"
PUBLISHER = "vru_publisher"
ANALYST = "vru_analyst"
OPEN = "vru_open"
STEWARD = "vru_steward"
BI = "vru_bi"
AUDITOR = "vru_auditor"
AIRFLOW = "vru_airflow"
OWNER = "vru_owner"  # owns schemas and ledgers, never logs in
BOROUGH_ANALYST = "vru_borough_analyst"  # never logs in: each borough analyst's own login belongs to it
LOGIN_ROLES = (LOADER, TRANSFORMER, GATE, PUBLISHER, STEWARD, ANALYST, BI, OPEN, AUDITOR, AIRFLOW)
# What a server says that will soon be ready (SQLSTATE 57P03): it starts, stops to start again, or recovers after a crash.
NOT_YET = re.compile(
    "the database system is (starting up|shutting down|in recovery mode|not (yet )?accepting)|server closed the connection unexpectedly"
)
READY_WITHIN = 120.0  # seconds
ADMIN = "postgres"
DATABASE = "vru"
AIRFLOW_DATABASE = "airflow"


def password(settings: Settings, role: str, *, make: bool = False) -> str:
    """The password of a role, from its file in the secrets folder.

    Args:
        make: write a new random one (mode 0600) where there is none.

    Raises:
        Refusal: when there is none and none may be made.
    """
    file = settings.secrets / role
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        if not make:
            raise Refusal(
                "PASSWORD_MISSING",
                f"there is no password file for the role {role}",
                where=str(file),
                next_step="run `vru setup` (or `make setup`), or point VRU_SECRETS_DIR at the folder that holds it",
            ) from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Refusal(
            "PASSWORD_MISSING", f"the password file of {role} cannot be read ({why})", where=str(file)
        ) from error
    settings.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
    value = secrets.token_urlsafe(24)
    file.touch(mode=0o600)
    file.write_text(value, encoding="utf-8")
    return value


def _server(settings: Settings) -> dict[str, str]:
    """Where the server is: connection parameters without user and password. Starts the embedded server if need be."""
    session.forget_libpq_environment()
    if settings.database_url is None:
        socket, port = embedded.start(settings.home / "postgres", Listening.of(settings))
        return {"host": str(socket), "port": str(port), "dbname": DATABASE}
    parts = urlsplit(settings.database_url.get_secret_value())
    found = dict(parse_qsl(parts.query))
    found.setdefault("host", parts.hostname or "localhost")
    found.setdefault("port", str(parts.port or 5432))
    found["dbname"] = unquote(parts.path.lstrip("/")) or DATABASE
    return found | _secured(settings, found)


def _secured(settings: Settings, found: dict[str, str]) -> dict[str, str]:
    """How a server is spoken to: on another machine by TLS, its certificate verified, unless somebody says otherwise (in the URL, or
    VRU_DATABASE_SSLMODE)."""
    if _is_here(found.get("hostaddr") or found["host"]):
        return {}
    mode = found.get("sslmode") or settings.database_sslmode
    if mode not in {"verify-ca", "verify-full"}:
        return {"sslmode": mode}
    return {"sslmode": mode, "sslrootcert": found.get("sslrootcert") or str(settings.ca_bundle or certifi.where())}


def _is_here(host: str) -> bool:
    """Whether a host is this machine: a folder of sockets, or loopback."""
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parameters(settings: Settings, role: str) -> dict[str, str]:
    """libpq connection parameters of a role (host, port, dbname, user, password, and what the URL adds, such as sslmode)."""
    found = _server(settings)
    if role == ADMIN:
        if settings.database_url is None:
            return {**found, "user": ADMIN, "password": password(settings, ADMIN, make=True)}
        parts = urlsplit(settings.database_url.get_secret_value())
        if not has_admin(settings):
            raise Refusal(
                "ADMIN_NEEDED",
                "VRU_DATABASE_URL names no user, and setting up the warehouse needs one that may create roles and schemas",
                next_step="run `vru setup` with postgresql://ADMIN:PASSWORD@HOST:PORT/DATABASE",
            )
        return {**found, "user": unquote(parts.username or ""), "password": unquote(parts.password or "")}
    found |= {"user": role, "password": password(settings, role)}
    if role == AIRFLOW:
        found["dbname"] = AIRFLOW_DATABASE
    return found


def has_admin(settings: Settings) -> bool:
    """Whether this home may act as the server's admin: always with the embedded server, else if VRU_DATABASE_URL names a user."""
    return settings.database_url is None or bool(urlsplit(settings.database_url.get_secret_value()).username)


def url(settings: Settings, role: str, *, scheme: str = "postgresql") -> str:
    """The connection URL of a role; a socket folder stands in the query as `host`."""
    found = parameters(settings, role)
    host, port = found.pop("host"), found.pop("port")
    user, secret, database = quote(found.pop("user")), quote(found.pop("password"), safe=""), quote(found.pop("dbname"))
    if host.startswith("/"):
        query = urlencode({"host": host, "port": port, **found})
        return f"{scheme}://{user}:{secret}@/{database}?{query}"
    query = f"?{urlencode(found)}" if found else ""
    return f"{scheme}://{user}:{secret}@{host}:{port}/{database}{query}"


@contextlib.contextmanager
def connect(
    settings: Settings, role: str, *, autocommit: bool = False, database: str = ""
) -> Iterator[psycopg.Connection]:
    """A connection as a role. Committed when the block ends well, rolled back when it does not, closed either way.

    Raises:
        Refusal: when the server cannot be reached, the password is wrong, or the database is not there.
    """
    found = parameters(settings, role)
    if database:
        found["dbname"] = database
    more = {"client_connection_check_interval": "1s"}
    if settings.today is not None:
        more["vru.today"] = settings.today.isoformat()
    information = make_conninfo(
        **{"connect_timeout": "10", "application_name": session.name(), **found, "options": session.as_options(more)}
    )
    try:
        connection = _connect(information, autocommit=autocommit)
    except psycopg.OperationalError as error:
        secret = settings.secrets / role if role != ADMIN or settings.is_embedded else "VRU_DATABASE_URL"
        if NOT_YET.search(str(error)):
            next_step = f"PostgreSQL has not been ready for {READY_WITHIN:.0f} s: read its log, and run the same again"
        elif "authentication failed" in str(error):
            next_step = f"check the password in {secret}; a warehouse that was never set up needs `vru setup` first"
        else:
            next_step = "check VRU_DATABASE_URL; a warehouse that was never set up needs `vru setup` first"
        raise WarehouseAway(
            "WAREHOUSE_AWAY",
            f"the warehouse cannot be reached as {role}: {_one_line(error)}",
            where=f"{found['host']}:{found['port']}/{found['dbname']}",
            next_step=next_step,
        ) from error
    with connection:
        yield connection


def _connect(information: str, *, autocommit: bool) -> psycopg.Connection:
    """A connection, waiting for a server that is starting or recovers after a crash."""
    begun = time.monotonic()
    has_said = False
    while True:
        try:
            return psycopg.connect(information, autocommit=autocommit)
        except psycopg.OperationalError as error:
            waited = time.monotonic() - begun
            if not NOT_YET.search(str(error)) or waited > READY_WITHIN:
                raise
            if waited > embedded.SILENCE and not has_said:
                has_said = True
                print(f"waiting for PostgreSQL: {_one_line(error)}", file=sys.stderr, flush=True)
            time.sleep(0.5)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
