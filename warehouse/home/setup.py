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
from warehouse import airflow
from warehouse.home import keeping
from warehouse.platform import (
    access,
    audit,
    declared,
    embedded,
    grants,
    migrations,
    privacy,
    roles,
    row_security,
    session,
)
from warehouse.platform import connection as connection_module
from warehouse.platform.connection import (
    ADMIN,
    AIRFLOW,
    AIRFLOW_DATABASE,
    ANALYST,
    DATABASE,
    OWNER,
    PUBLISHER,
    TRANSFORMER,
    connect,
    has_admin,
    password,
)
from warehouse.platform.listening import Listening
from warehouse.platform.settings import Settings
from warehouse.publish import history

SCHEMA = migrations.FOLDER.parent


def set_up(settings: Settings, *, again: bool = False) -> dict[str, list[str]]:
    """Bring a home to the state this code expects: an empty warehouse the first time, the same warehouse after that.

    Where the database was set up by the same schema, roles and declarations, nothing is run in it: every statement that defines
    a view wants a lock that its readers hold. Roles are compared each time, and repaired, since a role may change itself.

    Args:
        again: run every statement all the same, to repair what somebody changed by hand.

    Returns:
        What of which role had been changed since the last set-up, and is as it was again (`roles.changed`).

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
    return prepare(settings, again=again)


def restoring(settings: Settings) -> Path:
    """The file that stands in a home while a restore fills it."""
    return settings.home / "restoring"


def prepare(settings: Settings, *, again: bool = False) -> dict[str, list[str]]:
    """Do what `set_up` does, in a home that a restore is filling too."""
    privacy.keep_private(settings)
    for folder in (settings.landing, settings.inbox):
        folder.mkdir(exist_ok=True)
    with _one_at_a_time(settings):
        if settings.is_embedded:
            _set_up_embedded_server(settings)
        elif not has_admin(settings):
            _see_that_it_was_done(settings)
            return {}
        changed = _set_up_database(settings, again=again)
        airflow.migrate(settings)
    return changed


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
    data, listening = settings.home / "postgres", Listening.of(settings)
    embedded.create(data, password(settings, ADMIN, make=True))
    embedded.start(data, listening)
    with connect(settings, ADMIN, autocommit=True, database="postgres") as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
        stands = dict(connection.execute("select name, setting from pg_file_settings where applied").fetchall())
        missing = {name: value for name, value in embedded.SERVER_SETTINGS.items() if stands.get(name) != value}
        running = dict(
            connection.execute(
                "select name, setting from pg_settings where name in ('listen_addresses', 'port', 'ssl')"
            ).fetchall()
        )
        for name, value in missing.items():
            connection.execute(sql.SQL("alter system set {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    if missing or not listening.is_laid_out(data, running):
        embedded.stop(data)
        embedded.start(data, listening)
    with connect(settings, ADMIN, autocommit=True, database="postgres") as connection:
        _let_go_of_old_log(connection)


def _let_go_of_old_log(connection: psycopg.Connection) -> None:
    """Use up the segments of the log that were laid ready under a larger max_wal_size: PostgreSQL removes only what it has written to."""
    row = connection.execute(
        """select count(*) from pg_ls_waldir()
           where (select sum(size) from pg_ls_waldir()) > 1.5 * pg_size_bytes(current_setting('max_wal_size'))"""
    ).fetchone()
    for _ in range(row[0] if row else 0):
        # Of a segment in which nothing stands there is nothing to switch away from.
        connection.execute("select pg_logical_emit_message(false, 'vru', '')")
        connection.execute("select pg_switch_wal()")
    if row and row[0]:
        connection.execute("checkpoint")


def _set_up_database(settings: Settings, *, again: bool) -> dict[str, list[str]]:
    wanted = _fingerprint()
    with connect(settings, ADMIN, autocommit=True) as connection:
        # Of every home that shares this server, one at a time: they write the same roles.
        queue.take(connection, "vru setup", "session")
        if changed := roles.changed(settings, connection):
            print(
                f"these roles had been changed and are as they were set up: {roles.describe(changed)}", file=sys.stderr
            )
        stands = _set_up_by(connection) == wanted and not again
        rights = keeping.rights_that_differ(connection) if stands else {}
        if rights:
            print(f"these rights had been changed and are as declared: {roles.describe(rights)}", file=sys.stderr)
            changed |= rights
        if stands and not changed:
            return {}
        is_superuser = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() == (
            True,
        )
        roles.set_up(settings, connection, is_superuser=is_superuser)
        if stands:
            keeping.keep_rights(connection)
            audit.record(connection, ADMIN, "repair", ", ".join(changed)[:200], changed=changed)
            return changed
        grant_database(connection)
        _set_up_airflow_database(settings, connection)
        if is_superuser:
            _close_other_databases(connection)
        with connection.transaction():
            keeping.in_short_tries(
                connection, lambda: _set_up_schemas(connection, read_sources(), is_superuser=is_superuser)
            )
            access.restore_logins(settings, connection, is_superuser=is_superuser)
            roles.record(connection, is_superuser=is_superuser)
            connection.execute(
                """insert into ops.set_up (fingerprint, set_up_at) values (%s, now())
                   on conflict (is_the_only_row) do update set fingerprint = excluded.fingerprint, set_up_at = excluded.set_up_at""",
                [wanted],
            )
        history.shed(connection)
    return changed


def _fingerprint() -> str:
    """What a database depends on that was set up by this code: schema, roles, and what the sources declare (a hash)."""
    digest = hashlib.sha256()
    for file in (
        *sorted(SCHEMA.rglob("*.sql")),
        Path(__file__),
        Path(roles.__file__),
        declared.FILE,
        Path(row_security.__file__),
        Path(raw.__file__),
        Path(connection_module.__file__),
    ):
        digest.update(file.read_bytes() + b"\0")
    for source in read_sources().values():
        digest.update(source.model_dump_json().encode() + b"\0")
    return digest.hexdigest()


def _set_up_by(connection: psycopg.Connection) -> str | None:
    if connection.execute("select to_regclass('ops.set_up')").fetchone() == (None,):
        return None
    row = connection.execute("select fingerprint from ops.set_up").fetchone()
    return str(row[0]) if row else None


def is_set_up_by_this_code(settings: Settings) -> bool:
    """Whether the database was set up by this version: an older one's rights are not as this one declares them."""
    with connect(settings, PUBLISHER) as connection:
        return _set_up_by(connection) == _fingerprint()


def _close_other_databases(connection: psycopg.Connection) -> None:
    """Nobody but superusers works in the server's own databases."""
    for name in ("postgres", "template1"):
        connection.execute(sql.SQL("revoke connect, temporary on database {} from public").format(sql.Identifier(name)))


def grant_database(connection: psycopg.Connection) -> None:
    """Who may connect to the database of the connection, and make what in it: the rights that a copy of a database does not have."""
    grants.put_right(connection, grants.differences(connection, database_alone=True))


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
        roles.keep_from_readers(connection)
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(OWNER)))
    for file in files:
        if file.name.startswith("20_"):
            migrations.run(connection)
        connection.execute(file.read_bytes())
    _set_up_raw_tables(connection, sources)
    _record_datasets(connection, sources)
    connection.execute("reset role")
    for maker in (TRANSFORMER, PUBLISHER):
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(maker)))
    grants.keep(connection)
    history.take_over(connection)
    keeping.keep_in_transaction(connection)


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
