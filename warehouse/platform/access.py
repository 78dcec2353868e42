"""Who sees the restricted rows of which boroughs: logins of borough analysts, and what ops.borough_membership gives each."""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import re
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from ingest import queue
from ingest.declaration import SEEDS
from ingest.errors import Refusal, in_one_line
from warehouse.platform import audit, roles
from warehouse.platform.connection import ADMIN, BOROUGH_ANALYST, PUBLISHER, connect
from warehouse.platform.settings import LONDON, Settings

_LOGIN = re.compile(r"[a-z][a-z0-9_]{2,39}")
# Secrets of other kinds stand beside the logins' (docker-compose.yml).
_OURS = ("vru_", "pg_", "postgres", "airflow_", "superset_", "database_")
NOTHING = "nothing changed"
_CURRENT = "valid_from <= clock_timestamp() and (valid_to is null or valid_to > clock_timestamp())"


def boroughs(names: Sequence[str]) -> dict[str, str]:
    """Boroughs by what a person calls them.

    Args:
        names: codes (E09000007) or names (Camden), in any case.

    Returns:
        Their names by code, in the order given.

    Raises:
        Refusal: there is none of that name; the nearest are given.
    """
    with (SEEDS / "boroughs.csv").open(encoding="utf-8", newline="") as file:
        known = {row["borough_code"]: row["borough_name"] for row in csv.DictReader(file)}
    by_name = {key.lower(): code for code, name in known.items() for key in (code, name)}
    found = {}
    for asked in names:
        code = by_name.get(asked.strip().lower())
        if code is None:
            close = difflib.get_close_matches(asked.strip().lower(), by_name, n=3, cutoff=0.5)
            nearest = ", ".join(dict.fromkeys(known[by_name[one]] for one in close))
            raise Refusal(
                "BOROUGH_UNKNOWN",
                f"{asked!r} is no borough of London",
                kept=NOTHING,
                next_step=f"choose of the nearest: {nearest}" if nearest else "name one by its code or name",
            )
        found[code] = known[code]
    return found


def is_login_name(login: str) -> bool:
    """Whether a borough analyst's login may be called so."""
    return bool(_LOGIN.fullmatch(login)) and not login.startswith(_OURS)


def grant(
    settings: Settings, login: str, codes: Sequence[str], why: str, *, until: dt.date | None = None
) -> list[dict[str, Any]]:
    """Let a login see the restricted rows of boroughs; where there is no such login, make it, with a secret file of its own.

    Args:
        codes: of boroughs (`boroughs`).
        why: for what, in words; it is kept and shown.
        until: the last day (London); None: until it is revoked.

    Returns:
        The login's memberships now.

    Raises:
        Refusal: the login is no name, or another role's; `why` is empty; nothing changed.
    """
    why = _said(why)
    ends = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), LONDON) if until else None
    if ends is not None and ends <= settings.now():
        raise Refusal("OPTION_INVALID", f"--until {until} is over", kept=NOTHING, next_step="name a day to come")
    with connect(settings, ADMIN) as connection:
        queue.take(connection, "vru setup", "transaction")
        _make_login(settings, connection, login)
        for code in codes:
            connection.execute(
                f"update ops.borough_membership set valid_to = clock_timestamp(), revoked_by = %s, revoked_why = %s "  # noqa: S608 - a condition of ours
                f"where login = %s and borough_code = %s and {_CURRENT}".encode(),
                [audit.person(), f"granted anew: {why}", login, code],
            )
            connection.execute(
                """insert into ops.borough_membership (login, borough_code, granted_by, why, valid_from, valid_to)
                   values (%s, %s, %s, %s, clock_timestamp(), %s)""",
                [login, code, audit.person(), why, ends],
            )
        audit.record(
            connection, ADMIN, "grant", login, why=why, boroughs=list(codes), until=until.isoformat() if until else None
        )
    audit.note_head(settings)
    return memberships(settings, login)


def revoke(settings: Settings, login: str, codes: Sequence[str], why: str) -> list[dict[str, Any]]:
    """Take boroughs from a login, or all of them; with the last one it cannot log in any more and its sessions are ended.

    Args:
        codes: of boroughs; none: all.

    Returns:
        The login's memberships now.

    Raises:
        Refusal: the login has none of these; nothing changed.
    """
    why = _said(why)
    with connect(settings, ADMIN) as connection:
        queue.take(connection, "vru setup", "transaction")
        ended = [
            code
            for (code,) in connection.execute(
                f"""update ops.borough_membership set valid_to = clock_timestamp(), revoked_by = %s, revoked_why = %s
                    where login = %s and (borough_code = any(%s) or %s) and {_CURRENT} returning borough_code""".encode(),  # noqa: S608 - as above
                [audit.person(), why, login, list(codes), not codes],
            ).fetchall()
        ]
        if missing := sorted(set(codes) - set(ended)):
            raise Refusal(
                "MEMBERSHIP_NOT_THERE", f"{login} has no membership of {', '.join(missing)}", kept=NOTHING,
                next_step="`vru access list` shows who has which",
            )  # fmt: skip
        if not ended:
            raise Refusal(
                "MEMBERSHIP_NOT_THERE", f"{login} has no membership", kept=NOTHING,
                next_step="`vru access list` shows who has which",
            )  # fmt: skip
        audit.record(connection, ADMIN, "revoke", login, why=why, boroughs=sorted(ended))
        is_last = not _current(connection, login)
        if is_last:
            connection.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(login)))
    if is_last:
        (settings.secrets / login).unlink(missing_ok=True)
        with connect(settings, ADMIN) as connection:
            connection.execute(
                "select pg_terminate_backend(pid, 2000) from pg_stat_activity where usename = %s", [login]
            )
    audit.note_head(settings)
    return memberships(settings, login)


def memberships(settings: Settings, login: str | None = None, *, past: bool = False) -> list[dict[str, Any]]:
    """Who may see which borough's restricted rows.

    Args:
        login: of this one alone.
        past: those that are over too.

    Returns:
        For each login, borough_code, valid_from and valid_to (UTC), granted_by, why, revoked_by and revoked_why.
    """
    with connect(settings, PUBLISHER) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"""select login, borough_code, valid_from, valid_to, granted_by, why, revoked_by, revoked_why
                from ops.borough_membership where (%s::text is null or login = %s) and (%s or {_CURRENT})
                order by login, borough_code, valid_from""".encode(),  # noqa: S608 - a condition of ours
            [login, login, past],
        ).fetchall()


def restore_logins(settings: Settings, connection: psycopg.Connection, *, is_superuser: bool) -> None:
    """Make the logins that memberships are of and that the server lacks: a home restored to another server has none of them."""
    known = {name for (name,) in connection.execute("select rolname::text from pg_roles")}
    for (login,) in connection.execute(
        f"select distinct login from ops.borough_membership where {_CURRENT} order by 1".encode()  # noqa: S608 - as above
    ).fetchall():
        if login not in known:
            _set_up(settings, connection, login, is_known=False, is_superuser=is_superuser)


def _make_login(settings: Settings, connection: psycopg.Connection, login: str) -> None:
    """Make a login of a borough analyst, or see that it is one and may log in."""
    if not is_login_name(login):
        raise Refusal(
            "LOGIN_INVALID",
            f"{login!r} is no name for a login",
            kept=NOTHING,
            next_step="use 3 to 40 small letters, digits and underscores, a letter first, and none of the names of this project before it, such as vru_",
        )
    known = connection.execute("select rolcanlogin from pg_roles where rolname = %s", [login]).fetchone()
    if known and login not in roles.borough_logins(connection):
        raise Refusal(
            "LOGIN_INVALID",
            f"{login} is a role of this server already, and no borough analyst's",
            kept=NOTHING,
            next_step="choose another name",
        )
    if known and known[0] and (settings.secrets / login).exists():
        return
    row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    _set_up(settings, connection, login, is_known=known is not None, is_superuser=row == (True,))


def _set_up(
    settings: Settings, connection: psycopg.Connection, login: str, *, is_known: bool, is_superuser: bool
) -> None:
    roles.set_up_one(settings, connection, login, is_known=is_known, is_superuser=is_superuser)
    connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(BOROUGH_ANALYST), sql.Identifier(login)))
    roles.let_owner_end(connection, login)
    roles.record_one(connection, login, is_superuser=is_superuser)


def _current(connection: psycopg.Connection, login: str) -> bool:
    query = f"select 1 from ops.borough_membership where login = %s and {_CURRENT} limit 1"  # noqa: S608 - as above
    return connection.execute(query.encode(), [login]).fetchone() is not None


def _said(why: str) -> str:
    if not why.strip():
        raise Refusal("OPTION_INVALID", "--why is empty", kept=NOTHING, next_step="say what it is for")
    return in_one_line(why.strip())
