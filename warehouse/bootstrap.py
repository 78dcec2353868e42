"""Setting a home up: server, roles, schemas, raw tables, Airflow's database. Running it again changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from ingest.declaration import Source, read_sources
from ingest.raw import create_table
from warehouse import airflow, embedded
from warehouse.connection import (
    ADMIN,
    AIRFLOW,
    AIRFLOW_DATABASE,
    ANALYST,
    DATABASE,
    GATE,
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
    ANALYST: {"statement_timeout": "5min", "default_transaction_read_only": "on", "jit": "off"},
    OPEN: {"statement_timeout": "1min", "default_transaction_read_only": "on", "jit": "off"},
}


def set_up(settings: Settings) -> None:
    """Bring a home to the state this code expects: an empty warehouse the first time, the same warehouse after that.

    Raises:
        Refusal: when the server cannot be reached or the admin may not create roles.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    for folder in (settings.landing, settings.inbox):
        folder.mkdir(exist_ok=True)
    if settings.is_embedded:
        _set_up_embedded_server(settings)
    elif not has_admin(settings):
        _see_that_it_was_done(settings)
        return
    with connect(settings, ADMIN, autocommit=True) as connection:
        _set_up_roles(settings, connection)
        grant_database(connection)
        _set_up_airflow_database(settings, connection)
    with connect(settings, ADMIN) as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('vru setup'))")
        _set_up_schemas(connection, read_sources())
    airflow.migrate(settings)


def _see_that_it_was_done(settings: Settings) -> None:
    """Where the services of a stack have no admin's password, another has set the warehouse up before they start."""
    with connect(settings, ANALYST) as connection:
        connection.execute("select 1 from marts.data_status limit 1")


def _set_up_embedded_server(settings: Settings) -> None:
    data = settings.home / "postgres"
    embedded.start(data)
    is_new = not (settings.secrets / ADMIN).exists()
    secret = password(settings, ADMIN, make=True)
    with connect(settings, ADMIN, autocommit=True, database="postgres") as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
        if not is_new and _asks_for_passwords(data):
            return
        connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(ADMIN), sql.Literal(secret)))
        for name, value in embedded.SERVER_SETTINGS.items():
            connection.execute(sql.SQL("alter system set {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    # initdb's trust is for the moment between making the folder and giving the superuser a password.
    host_rules = data / "pg_hba.conf"
    owner = host_rules.stat()
    host_rules.write_text("# Written by `vru setup`: every role shows its password.\nlocal all all scram-sha-256\n")
    shutil.chown(host_rules, owner.st_uid, owner.st_gid)
    embedded.stop(data)
    embedded.start(data)


def _asks_for_passwords(data: Path) -> bool:
    return "scram-sha-256" in (data / "pg_hba.conf").read_text(encoding="utf-8")


def _set_up_roles(settings: Settings, connection: psycopg.Connection) -> None:
    known = {name for (name,) in connection.execute("select rolname from pg_roles where rolname like 'vru%'")}
    if OWNER not in known:
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(OWNER)))
    for role in LOGIN_ROLES:
        verb = "alter" if role in known else "create"
        connection.execute(
            sql.SQL(verb + " role {} login password {}").format(
                sql.Identifier(role), sql.Literal(password(settings, role, make=True))
            )
        )
        # A statement whose client was killed ends within a second; otherwise it would run on, and commit.
        for name, value in ({"client_connection_check_interval": "1s"} | ROLE_SETTINGS.get(role, {})).items():
            connection.execute(
                sql.SQL("alter role {} set {} = {}").format(
                    sql.Identifier(role), sql.Identifier(name), sql.Literal(value)
                )
            )
    for role in (OWNER, AIRFLOW):
        # An admin who is no superuser must belong to a role before it can act or create for it.
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(role)))


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


def _set_up_schemas(connection: psycopg.Connection, sources: dict[str, Source]) -> None:
    files = sorted(SCHEMA.glob("*.sql"))
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(OWNER)))
    for file in files:
        if file.name.startswith("90_"):
            _set_up_raw_tables(connection, sources)
            _record_datasets(connection, sources)
        connection.execute(file.read_bytes())
    connection.execute("reset role")
    # What dbt and publish make later must be readable by the next step without anybody granting it by hand.
    for maker, schemas, readers in (
        (TRANSFORMER, ("staging", "intermediate", "candidate"), (GATE, PUBLISHER)),
        (PUBLISHER, ("marts", "marts_history"), (ANALYST, GATE)),
    ):
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(maker)))
        for schema in schemas:
            connection.execute(
                sql.SQL("alter default privileges for role {} in schema {} grant select on tables to {}").format(
                    sql.Identifier(maker), sql.Identifier(schema), sql.SQL(", ").join(map(sql.Identifier, readers))
                )
            )


def _set_up_raw_tables(connection: psycopg.Connection, sources: dict[str, Source]) -> None:
    for source in sources.values():
        for name, dataset in source.datasets.items():
            create_table(connection, source, name, dataset)


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
