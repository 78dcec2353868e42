"""Setting a home up: server, roles, schemas, raw tables, Airflow's database. Running it again changes nothing."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from ingest import queue, raw
from ingest.declaration import Source, read_sources
from ingest.errors import Refusal
from warehouse import airflow, embedded, privacy, readers, session, shape
from warehouse import connection as connection_module
from warehouse.connection import (
    ADMIN,
    AIRFLOW,
    AIRFLOW_DATABASE,
    ANALYST,
    DATABASE,
    GATE,
    LOADER,
    LOGIN_ROLES,
    OPEN,
    OWNER,
    PUBLISHER,
    TRANSFORMER,
    connect,
    has_admin,
    password,
)
from warehouse.settings import Settings

SCHEMA = Path(__file__).resolve().parent / "schema"

# What no session of a role may do for longer. A reader who forgets a transaction must not hold anything up for ever.
# A server of its own has 4 MB for a hash, compiles what takes a second anyway, and, in a container, has 64 MB that its
# workers could share. dbt and the nights run two things at a time, so both cores have work without workers.
_WHOLE_TABLES = {"work_mem": "64MB", "jit": "off", "max_parallel_workers_per_gather": "0"}
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
    # A reader can lift these for its session; ops.end_overdue_readers() holds it to them all the same.
    ANALYST: {
        "statement_timeout": "5min",
        "idle_in_transaction_session_timeout": "5min",
        "default_transaction_read_only": "on",
        "jit": "off",
    },
    OPEN: {
        "statement_timeout": "1min",
        "idle_in_transaction_session_timeout": "1min",
        "default_transaction_read_only": "on",
        "jit": "off",
    },
}
READERS = (ANALYST, OPEN)
# Of the 120 that the embedded server has: our own roles always find one.
CONNECTION_LIMITS = {ANALYST: 40, OPEN: 20}
# What these roles read and write is of persons, and the first line of an error may quote it ("invalid input syntax ... ").
# Whoever ran the statement is told; the server's log is not. Only a superuser may set it.
PRIVATE_LOG = {
    role: {"log_error_verbosity": "terse", "log_min_error_statement": "panic", "log_min_messages": "fatal"}
    for role in (LOADER, TRANSFORMER, GATE, PUBLISHER)
}


def set_up(settings: Settings, *, again: bool = False) -> None:
    """Bring a home to the state this code expects: an empty warehouse the first time, the same warehouse after that.

    Where the database was set up by the same schema, roles and declarations, nothing is run in it: every statement that defines
    a view wants a lock that its readers hold.

    Args:
        again: run every statement all the same, to repair what somebody changed by hand.

    Raises:
        Refusal: when the server cannot be reached, the admin may not create roles, a reader holds on to what has to change, or a
            restore into this home was killed.
    """
    if restoring(settings).exists():
        raise Refusal(
            "RESTORE_UNFINISHED",
            "a restore into this home was not finished",
            where=str(settings.home),
            kept="what it had restored so far, which is not whole",
            next_step="run `vru restore` again with the same backup",
        )
    prepare(settings, again=again)


def restoring(settings: Settings) -> Path:
    """The file that stands in a home while a restore fills it."""
    return settings.home / "restoring"


def prepare(settings: Settings, *, again: bool = False) -> None:
    """Do what `set_up` does, in a home that a restore is filling too."""
    privacy.keep_private(settings)
    for folder in (settings.landing, settings.inbox):
        folder.mkdir(exist_ok=True)
    with _one_at_a_time(settings):
        if settings.is_embedded:
            _set_up_embedded_server(settings)
        elif not has_admin(settings):
            _see_that_it_was_done(settings)
            return
        _set_up_database(settings, again=again)
        airflow.migrate(settings)


@contextlib.contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    with (settings.home / "setup.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            print(f"waiting for `{file.read()}`, which sets this home up", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(session.name())
        file.flush()
        yield


def _see_that_it_was_done(settings: Settings) -> None:
    """Where the services of a stack have no admin's password, another has set the warehouse up before they start."""
    with connect(settings, ANALYST) as connection:
        connection.execute("select 1 from marts.data_status limit 1")


def _set_up_embedded_server(settings: Settings) -> None:
    data = settings.home / "postgres"
    embedded.create(data, password(settings, ADMIN, make=True))
    embedded.start(data)
    with connect(settings, ADMIN, autocommit=True, database="postgres") as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
        stands = dict(connection.execute("select name, setting from pg_file_settings where applied").fetchall())
        missing = {name: value for name, value in embedded.SERVER_SETTINGS.items() if stands.get(name) != value}
        for name, value in missing.items():
            connection.execute(sql.SQL("alter system set {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    if missing:
        embedded.stop(data)
        embedded.start(data)


def _set_up_database(settings: Settings, *, again: bool) -> None:
    wanted = _fingerprint()
    with connect(settings, ADMIN, autocommit=True) as connection:
        # Of every home that shares this server, one at a time: they write the same roles.
        queue.take(connection, "vru setup", "session")
        stands = _set_up_by(connection) == wanted and all(
            _may_log_in(settings, role)
            for role in LOGIN_ROLES
            if role != AIRFLOW or settings.airflow_database_url is None
        )
        if stands and not again:
            return
        is_superuser = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() == (
            True,
        )
        _set_up_roles(settings, connection, is_superuser=is_superuser)
        grant_database(connection)
        _set_up_airflow_database(settings, connection)
        if is_superuser:
            _close_other_databases(connection)
        with connection.transaction():
            if not shape.in_short_tries(
                connection, lambda: _set_up_schemas(connection, read_sources(), is_superuser=is_superuser)
            ):
                raise Refusal(
                    "READERS_IN_THE_WAY",
                    f"set-up has to change what readers use, and {readers.told(readers.sessions(connection))} kept it locked",
                    kept="the warehouse as it was",
                    next_step="run it again; a reader's transaction is ended once it is older than its role may hold one "
                    "(docs/runbook.md)",
                )
            connection.execute(
                """insert into ops.set_up (fingerprint, set_up_at) values (%s, now())
                   on conflict (is_the_only_row) do update set fingerprint = excluded.fingerprint, set_up_at = excluded.set_up_at""",
                [wanted],
            )


def _fingerprint() -> str:
    """What a database depends on that was set up by this code: schema, roles, and what the sources declare (a hash)."""
    digest = hashlib.sha256()
    for file in (*sorted(SCHEMA.glob("*.sql")), Path(__file__), Path(raw.__file__), Path(connection_module.__file__)):
        digest.update(file.read_bytes() + b"\0")
    for source in read_sources().values():
        digest.update(source.model_dump_json().encode() + b"\0")
    return digest.hexdigest()


def _set_up_by(connection: psycopg.Connection) -> str | None:
    if connection.execute("select to_regclass('ops.set_up')").fetchone() == (None,):
        return None
    row = connection.execute("select fingerprint from ops.set_up").fetchone()
    return str(row[0]) if row else None


def _may_log_in(settings: Settings, role: str) -> bool:
    """Whether a role's password is the one in the secrets folder."""
    try:
        with connect(settings, role):
            return True
    except Refusal:
        return False


def _set_up_roles(settings: Settings, connection: psycopg.Connection, *, is_superuser: bool) -> None:
    known = {name for (name,) in connection.execute("select rolname from pg_roles where rolname like 'vru%'")}
    if OWNER not in known:
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(OWNER)))
    for role in LOGIN_ROLES:
        verb = "alter" if role in known else "create"
        # As a verifier: a statement that fails is written to the server's log, password and all.
        verifier = connection.pgconn.encrypt_password(
            password(settings, role, make=True).encode(), role.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL(verb + " role {} login connection limit {} password {}").format(
                sql.Identifier(role), sql.Literal(CONNECTION_LIMITS.get(role, -1)), sql.Literal(verifier.decode())
            )
        )
        # A statement whose client was killed ends within a second; otherwise it would run on, and commit.
        chosen = {"client_connection_check_interval": "1s"} | ROLE_SETTINGS.get(role, {})
        for name, value in (chosen | (PRIVATE_LOG.get(role, {}) if is_superuser else {})).items():
            connection.execute(
                sql.SQL("alter role {} set {} = {}").format(
                    sql.Identifier(role), sql.Identifier(name), sql.Literal(value)
                )
            )
    for role in (OWNER, AIRFLOW):
        # An admin who is no superuser must belong to a role before it can act or create for it.
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(role)))
    for role in READERS:
        # So that a function of the owner's may see and end a reader's session.
        connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(OWNER)))
    if is_superuser and connection.info.server_version >= 160000:
        connection.execute(
            sql.SQL("grant pg_use_reserved_connections to {}").format(
                sql.SQL(", ").join(sql.Identifier(role) for role in LOGIN_ROLES if role not in READERS)
            )
        )


def _close_other_databases(connection: psycopg.Connection) -> None:
    """Nobody but superusers works in the server's own databases."""
    for name in ("postgres", "template1"):
        connection.execute(sql.SQL("revoke connect, temporary on database {} from public").format(sql.Identifier(name)))


def _keep_locks_from_readers(connection: psycopg.Connection) -> None:
    """Advisory locks order our own steps, and large objects belong to no table: neither is for a role that only reads.

    Only a superuser may say so of PostgreSQL's own functions.
    """
    workers = sql.SQL(", ").join(sql.Identifier(role) for role in (OWNER, *LOGIN_ROLES) if role not in READERS)
    for (function,) in connection.execute(
        r"""select oid::regprocedure::text from pg_proc
            where pronamespace = 'pg_catalog'::regnamespace
              and (proname ~ '^pg_(try_)?advisory_' or proname ~ '^lo_|^lo(read|write)$')"""
    ).fetchall():
        connection.execute(sql.SQL("revoke execute on function {} from public").format(sql.SQL(function)))
        if "advisory" in function:
            connection.execute(sql.SQL("grant execute on function {} to {}").format(sql.SQL(function), workers))


def grant_database(connection: psycopg.Connection) -> None:
    """Who may connect to the database of the connection, and make what in it: the rights that a copy of a database does not have."""
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("revoke all on database {} from public").format(database))
    for role in LOGIN_ROLES:
        if role != AIRFLOW:
            connection.execute(sql.SQL("grant connect on database {} to {}").format(database, sql.Identifier(role)))
    connection.execute(sql.SQL("grant create on database {} to {}").format(database, sql.Identifier(OWNER)))
    connection.execute(
        sql.SQL("grant temporary on database {} to {}, {}, {}").format(
            database, sql.Identifier(PUBLISHER), sql.Identifier(TRANSFORMER), sql.Identifier(GATE)
        )
    )


def _set_up_airflow_database(settings: Settings, connection: psycopg.Connection) -> None:
    if settings.airflow_database_url is not None:
        return
    if connection.execute("select 1 from pg_database where datname = %s", [AIRFLOW_DATABASE]).fetchone() is None:
        connection.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(AIRFLOW_DATABASE), sql.Identifier(AIRFLOW))
        )
        connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(AIRFLOW_DATABASE)))


def _set_up_schemas(connection: psycopg.Connection, sources: dict[str, Source], *, is_superuser: bool) -> None:
    files = sorted(SCHEMA.glob("*.sql"))
    if is_superuser:
        _keep_locks_from_readers(connection)
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(OWNER)))
    for file in files:
        if file.name.startswith("90_"):
            _set_up_raw_tables(connection, sources)
            _record_datasets(connection, sources)
        connection.execute(file.read_bytes())
    connection.execute("reset role")
    # What dbt and publish make later must be readable by the next step without anybody granting it by hand.
    for maker, schemas, next_step in (
        (TRANSFORMER, ("staging", "intermediate", "candidate"), (GATE, PUBLISHER)),
        (PUBLISHER, ("marts", "marts_history"), (ANALYST, GATE)),
    ):
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(maker)))
        for schema in schemas:
            connection.execute(
                sql.SQL("alter default privileges for role {} in schema {} grant select on tables to {}").format(
                    sql.Identifier(maker), sql.Identifier(schema), sql.SQL(", ").join(map(sql.Identifier, next_step))
                )
            )


def _set_up_raw_tables(connection: psycopg.Connection, sources: dict[str, Source]) -> None:
    for source in sources.values():
        for name, dataset in source.datasets.items():
            raw.create_table(connection, source, name, dataset)


def _record_datasets(connection: psycopg.Connection, sources: dict[str, Source]) -> None:
    rows = []
    for source in sources.values():
        for position, (name, d) in enumerate(source.datasets.items()):
            rows.append(
                (
                    source.source,
                    name,
                    position,
                    d.title,
                    source.publisher,
                    d.page_url,
                    source.licence,
                    source.licence_url,
                    source.attribution,
                    d.cadence,
                    d.stale_after_days,
                    source.classification,
                    source.owner,
                    source.legal_gateway,
                    source.publish_rule,
                )
            )
    with connection.cursor() as cursor:
        cursor.executemany(
            """insert into ops.dataset (source, dataset, position, title, publisher, page_url, licence, licence_url,
                   attribution, cadence, stale_after_days, classification, owner, legal_gateway, publish_rule)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
               on conflict (source, dataset) do update set position = excluded.position, title = excluded.title,
                   publisher = excluded.publisher, page_url = excluded.page_url, licence = excluded.licence,
                   licence_url = excluded.licence_url, attribution = excluded.attribution, cadence = excluded.cadence,
                   stale_after_days = excluded.stale_after_days, classification = excluded.classification,
                   owner = excluded.owner, legal_gateway = excluded.legal_gateway, publish_rule = excluded.publish_rule""",
            rows,
        )
    connection.execute("insert into ops.warehouse default values on conflict do nothing")
