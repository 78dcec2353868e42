"""The roles of the warehouse: what set-up gives each, and what of it somebody has changed since.

Every role may change its own password and settings for good (`alter role ... set`), a reader's too, and PostgreSQL has no right that takes this
away. So what set-up gave stands in ops.role_setting, which no reader writes; set-up, each night and the watch compare, and set-up repairs.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from ingest.errors import Refusal
from warehouse.platform import powers, session
from warehouse.platform.connection import (
    AIRFLOW,
    ANALYST,
    AUDITOR,
    BI,
    BOROUGH_ANALYST,
    GATE,
    LOADER,
    LOGIN_ROLES,
    OPEN,
    OWNER,
    PUBLISHER,
    STEWARD,
    TRANSFORMER,
    connect,
    has_admin,
    password,
)
from warehouse.platform.settings import Settings


def _reader(longest: str, schema: str) -> dict[str, str]:
    """Settings of a role that reads: how long a statement, and a transaction that does nothing, may go on, and the schema it opens on.

    It can lift these for its session; ops.end_overdue_readers() holds it to them all the same.
    """
    return {
        "statement_timeout": longest,
        "idle_in_transaction_session_timeout": longest,
        "default_transaction_read_only": "on",
        "jit": "off",
        # A client that asks for its default schema, as SQLAlchemy and JDBC do, opens on what is the reader's.
        "search_path": schema,
        **_FINDING,
    }


# What no session of a role may do for longer. A reader who forgets a transaction must not hold anything up for ever.
# A server of its own has 4 MB for a hash, compiles what takes a second anyway, and, in a container, has 64 MB that its
# workers could share. dbt and the nights run two things at a time, so both cores have work without workers.
_WHOLE_TABLES = {"work_mem": "64MB", "jit": "off", "max_parallel_workers_per_gather": "0"}
# A row found by its key costs a reader little more than the next one: on a disk of today, and what is asked for often lies in memory.
# By the default of 4, PostgreSQL reads every month of a table to answer for one.
_FINDING = {"random_page_cost": "1.1"}
ROLE_SETTINGS = {
    TRANSFORMER: {
        "statement_timeout": "30min",
        # To drop a mart takes a lock on what it refers to, which the long statement beside it (fct_window) reads to its end.
        "lock_timeout": "10min",
        "idle_in_transaction_session_timeout": "10min",
        **_WHOLE_TABLES,
    },
    PUBLISHER: {"statement_timeout": "30min", "idle_in_transaction_session_timeout": "10min", **_WHOLE_TABLES},
    # Its queries are joins of whole tables over common table expressions, of which the planner knows no sizes.
    GATE: {"statement_timeout": "10min", "enable_nestloop": "off", **_WHOLE_TABLES},
    ANALYST: _reader("5min", "marts"),
    BOROUGH_ANALYST: _reader("5min", "marts"),
    BI: _reader("1min", "marts"),
    STEWARD: _reader("5min", "quarantine"),
    AUDITOR: _reader("5min", "ops"),
    OPEN: _reader("1min", "marts_open"),
}
READERS = (STEWARD, ANALYST, BI, OPEN, AUDITOR)
# Of the 150 that the embedded server has: our own roles always find one. A borough analyst's login has a limit of its own.
CONNECTION_LIMITS = {ANALYST: 40, OPEN: 20, BI: 12, STEWARD: 4, AUDITOR: 4}
LIMIT_OF_A_LOGIN = 4
# What only a superuser may set. What the steps read and write is of persons, and the first line of an error may quote it ("invalid input
# syntax ... "); a reader can write what it likes into an error, and so fill the disk. Whoever ran the statement is told; the server's log is not.
_QUIET = {"log_error_verbosity": "terse", "log_min_error_statement": "panic", "log_min_messages": "fatal"}
# Of each session, and a reader may have as many as CONNECTION_LIMITS says.
_DISK = {
    ANALYST: {"temp_file_limit": "1GB"},
    **{role: {"temp_file_limit": "256MB"} for role in (BOROUGH_ANALYST, BI, STEWARD, AUDITOR, OPEN)},
}
SUPERUSERS_SETTINGS = {
    role: _QUIET | _DISK.get(role, {}) for role in (LOADER, TRANSFORMER, GATE, PUBLISHER, BOROUGH_ANALYST, *READERS)
}
# PostgreSQL's own functions, which anybody may call: locks that order our steps, large objects and messages, which fill the disk with what
# stands in no table, snapshots that keep old rows, and the end of other sessions.
_NOT_FOR_READERS = (
    r"^pg_(try_)?advisory_|^lo_|^lo(read|write)$"
    "|^pg_(logical_emit_message|notify|export_snapshot|cancel_backend|terminate_backend)$"
)


def wanted(role: str, *, is_superuser: bool) -> dict[str, str]:
    """The settings of a role; of a login that is none of ours, those of a borough analyst.

    Args:
        is_superuser: whether those are among them that only a superuser may give.
    """
    kind = role if role in LOGIN_ROLES else BOROUGH_ANALYST
    # A statement whose client was killed ends within a second; otherwise it would run on, and commit.
    chosen = {"client_connection_check_interval": "1s"} | ROLE_SETTINGS.get(kind, {})
    return chosen | (SUPERUSERS_SETTINGS.get(kind, {}) if is_superuser else {})


def opens_on(role: str) -> str:
    """The schema that a name without one is looked for in: a reader's own; public, in which nothing stands, for the steps."""
    return wanted(role, is_superuser=False).get("search_path", session.SESSION["search_path"])


def borough_logins(connection: psycopg.Connection) -> list[str]:
    """The logins that borough analysts come in by, of every home that shares this server."""
    return [
        name
        for (name,) in connection.execute(
            """select m.rolname::text from pg_auth_members as a inner join pg_roles as m on m.oid = a.member
               inner join pg_roles as g on g.oid = a.roleid
               where g.rolname = %s and m.rolname <> %s and not m.rolsuper and m.rolname <> current_user order by 1""",
            [BOROUGH_ANALYST, OWNER],
        )
    ]


def changed(settings: Settings, connection: psycopg.Connection) -> dict[str, list[str]]:
    """What of each role is not as set-up left it: its password, or settings by their names.

    Args:
        connection: of a role that reads schema ops.

    Returns:
        By role; only of passwords that this process has the file of. Nothing where no set-up has run.
    """
    if connection.execute("select to_regclass('ops.changed_role')").fetchone() == (None,):
        return {}
    found: dict[str, list[str]] = dict(
        connection.execute("select role_name, setting_names from ops.changed_role order by 1").fetchall()
    )
    # A role that this version is the first to have has not been changed.
    known = {name for (name,) in connection.execute("select distinct role_name from ops.role_setting")}
    for role in LOGIN_ROLES:
        if role not in known:
            continue
        if (role != AIRFLOW or settings.airflow_database_url is None) and not _may_log_in(settings, role):
            found[role] = ["password", *found.get(role, [])]
    for role, what, _ in powers.too_much(connection, borough_logins(connection)):
        found[role] = [*found.get(role, []), what]
    return found


def describe(found: dict[str, list[str]]) -> str:
    """What `changed` found, as a message names it."""
    return "; ".join(f"{role} ({', '.join(names)})" for role, names in found.items())


def problem(found: dict[str, list[str]]) -> str:
    """What `changed` found, as a sentence that says what to do."""
    return f"{describe(found)} was changed since set-up, which a role may do itself: `vru setup` repairs it"


def _may_log_in(settings: Settings, role: str) -> bool:
    """Whether a role's password is the one in the secrets folder. Where no admin works, that folder has not every role's."""
    if not (settings.secrets / role).exists():
        return not has_admin(settings)
    try:
        with connect(settings, role):
            return True
    except Refusal as refusal:
        # The password is asked for first. A reader who has all the connections of its role has not changed it.
        return "authentication failed" not in str(refusal) and "not permitted to log in" not in str(refusal)


def set_up(settings: Settings, connection: psycopg.Connection, *, is_superuser: bool) -> None:
    """Make the roles, or give them back what they should have: password, limits and settings, and no others.

    Args:
        connection: of the admin, not in a transaction.
        is_superuser: whether the admin is one.
    """
    known = {name for (name,) in connection.execute("select rolname::text from pg_roles")}
    for role in {OWNER, BOROUGH_ANALYST} - known:
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    logins = borough_logins(connection)
    for role in LOGIN_ROLES:
        set_up_one(settings, connection, role, is_known=role in known, is_superuser=is_superuser)
    for role in logins:
        # A login without its password's file is another home's, or was taken away.
        if (settings.secrets / role).exists():
            set_up_one(settings, connection, role, is_known=True, is_superuser=is_superuser)
    for _, _, statement in powers.too_much(connection, logins):
        connection.execute(statement)
    for role in (OWNER, AIRFLOW):
        # An admin who is no superuser must belong to a role before it can act or create for it.
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(role)))
    for role in (*READERS, *logins):
        let_owner_end(connection, role)
    if is_superuser and connection.info.server_version >= 160000:
        connection.execute(
            sql.SQL("grant pg_use_reserved_connections to {}").format(
                sql.SQL(", ").join(sql.Identifier(role) for role in LOGIN_ROLES if role not in READERS)
            )
        )


def let_owner_end(connection: psycopg.Connection, role: str) -> None:
    """Let a function of the owner's see and end a reader's session."""
    connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(OWNER)))


def set_up_one(
    settings: Settings, connection: psycopg.Connection, role: str, *, is_known: bool, is_superuser: bool
) -> None:
    """Make one role that logs in, or give it back what it should have: at once, so that no session begins without limits."""
    with connection.transaction():
        _set_up(settings, connection, role, is_known=is_known, is_superuser=is_superuser)


def _set_up(
    settings: Settings, connection: psycopg.Connection, role: str, *, is_known: bool, is_superuser: bool
) -> None:
    name = sql.Identifier(role)
    # As a verifier: a statement that fails is written to the server's log, password and all.
    verifier = connection.pgconn.encrypt_password(
        password(settings, role, make=True).encode(), role.encode(), b"scram-sha-256"
    )
    connection.execute(
        sql.SQL(("alter" if is_known else "create") + " role {} login connection limit {} password {}").format(
            name,
            sql.Literal(CONNECTION_LIMITS.get(role, -1 if role in LOGIN_ROLES else LIMIT_OF_A_LOGIN)),
            sql.Literal(verifier.decode()),
        )
    )
    connection.execute(sql.SQL("alter role {} reset all").format(name))
    for (database,) in connection.execute(
        """select d.datname from pg_db_role_setting as s
           inner join pg_roles as r on r.oid = s.setrole inner join pg_database as d on d.oid = s.setdatabase
           where r.rolname = %s""",
        [role],
    ).fetchall():
        connection.execute(sql.SQL("alter role {} in database {} reset all").format(name, sql.Identifier(database)))
    for setting, value in wanted(role, is_superuser=is_superuser).items():
        connection.execute(
            sql.SQL("alter role {} set {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
        )


def record(connection: psycopg.Connection, *, is_superuser: bool) -> None:
    """Write down what the roles have been given: by that, and by nothing a role may write, readers are ended and changes are found."""
    connection.execute("delete from ops.role_setting")
    for role in (*LOGIN_ROLES, *borough_logins(connection)):
        record_one(connection, role, is_superuser=is_superuser)


def record_one(connection: psycopg.Connection, role: str, *, is_superuser: bool) -> None:
    """Write down what one role has been given."""
    connection.execute("delete from ops.role_setting where role_name = %s", [role])
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.role_setting (role_name, name, value) values (%s, %s, %s)",
            [(role, name, value) for name, value in wanted(role, is_superuser=is_superuser).items()],
        )


def keep_from_readers(connection: psycopg.Connection) -> None:
    """Take from everybody but our own steps the functions that are not for a role that only reads.

    Only a superuser may say so of PostgreSQL's own functions.
    """
    workers = sql.SQL(", ").join(sql.Identifier(role) for role in (OWNER, *LOGIN_ROLES) if role not in READERS)
    for function, is_ours in connection.execute(
        """select oid::regprocedure::text, proname !~ '^lo' from pg_proc
           where pronamespace = 'pg_catalog'::regnamespace and proname ~ %s""",
        [_NOT_FOR_READERS],
    ).fetchall():
        connection.execute(sql.SQL("revoke execute on function {} from public").format(sql.SQL(function)))
        if is_ours:
            connection.execute(sql.SQL("grant execute on function {} to {}").format(sql.SQL(function), workers))
