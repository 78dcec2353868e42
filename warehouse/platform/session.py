"""What every session of ours is set to, whatever the caller's environment, the server, the database or the role would set."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from psycopg.pq import Conninfo

_at_work = ("", "")  # what this process does, and since when

# Read by libpq or by the server's programs, and not among the defaults that libpq lists.
_UNLISTED = ("PGDATESTYLE", "PGTZ", "PGGEQO", "PGSYSCONFDIR", "PGSERVICEFILE", "PGLOCALEDIR", "PGREALM", "PGDATA")

# What decides how values are read and written: PostgreSQL's own defaults, and UTC.
SESSION = {
    "datestyle": "ISO,MDY",
    "timezone": "UTC",
    "intervalstyle": "postgres",
    "client_encoding": "UTF8",
    "search_path": "public",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "default_transaction_isolation": "read committed",
}


def forget_libpq_environment() -> None:
    """Take libpq's variables (PGDATESTYLE, PGOPTIONS, PGSERVICE …) out of this process's environment, and so out of its children's.

    What libpq sends from the environment wins over the options of a connection, so to set them there is not enough.
    """
    listed = (option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar)
    for name in (*listed, *_UNLISTED):
        os.environ.pop(name, None)


def as_options(more: Mapping[str, str] | None = None) -> str:
    """Our session settings, and some more, as libpq's `options` (and PGOPTIONS) takes them."""
    return " ".join(f"-c {name}={_escaped(value)}" for name, value in {**SESSION, **(more or {})}.items())


def _escaped(value: str) -> str:
    """A value of libpq's `options`: a space ends it unless a backslash stands before."""
    return value.replace("\\", r"\\").replace(" ", r"\ ")


def at_work(what: str) -> None:
    """Name what this process does from now on: its sessions carry it, so that who has to wait for it can be told.

    Args:
        what: a command ("vru rebuild") or a step ("a night's load").
    """
    global _at_work
    _at_work = (what, f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M}Z")


def name() -> str:
    """The name of this process's sessions: what it does, its number, and since when (application_name, 63 characters at most)."""
    if not _at_work[0]:
        at_work(Path(sys.argv[0]).name or "python")
    what, since = _at_work
    return f"{what[:21]}, process {os.getpid()}, since {since}"
