"""What a role that only reads can hold up, take or keep from the warehouse: nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.conftest import Server
from tests.refused import refused_with
from warehouse import alerts, steps
from warehouse.build import candidate, transform
from warehouse.home import setup
from warehouse.platform import locking, readers, roles
from warehouse.platform.connection import ADMIN, ANALYST, LOADER, OPEN, PUBLISHER, connect
from warehouse.platform.settings import Settings
from warehouse.steps import step

LOCKED = "select 1 from marts.data_status limit 1"


@pytest.fixture
def changed(warehouse: Settings) -> Settings:
    """A warehouse whose set-up has something to do."""
    with connect(warehouse, ADMIN) as connection:
        connection.execute("update ops.set_up set fingerprint = 'of an older version'")
    return warehouse


@pytest.fixture
def hasty(warehouse: Settings) -> None:
    """The role for anyone may hold a transaction for a tenth of a second, and work on a statement for a minute."""
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """update ops.role_setting set value = '100ms'
               where role_name = 'vru_open' and name = 'idle_in_transaction_session_timeout'"""
        )


def test_a_readers_open_transaction_does_not_hold_up_a_set_up_that_has_nothing_to_change(warehouse: Settings) -> None:
    with connect(warehouse, ANALYST) as reader:
        reader.execute(LOCKED)
        begun = time.monotonic()
        setup.set_up(warehouse)
        assert time.monotonic() - begun < 5
        reader.execute(LOCKED)


def test_set_up_that_must_change_a_view_waits_for_its_readers_and_names_them(
    changed: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 3.0)
    monkeypatch.setattr(locking, "SILENCE", 0.0)
    with connect(changed, ANALYST) as reader:
        reader.execute(LOCKED)
        with refused_with(
            "READERS_IN_THE_WAY", match=r"vru_analyst \(in a transaction since 2\d{3}-\d\d-\d\d \d\d:\d\d UTC\)"
        ):
            setup.set_up(changed)
        reader.execute(LOCKED)
    assert "waiting for vru_analyst (in a transaction since " in capsys.readouterr().err
    setup.set_up(changed)


@pytest.mark.usefixtures("hasty")
def test_a_reader_beyond_its_limit_is_ended_although_it_lifted_the_limit_itself(
    changed: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(psycopg.errors.AdminShutdown), connect(changed, OPEN) as reader:  # noqa: PT012 - the second fails
        reader.execute("set idle_in_transaction_session_timeout = 0")
        reader.execute("select 1")
        with connect(changed, PUBLISHER) as publisher:
            time.sleep(0.2)
            assert len(readers.end_overdue(publisher)) == 1
        reader.execute("select 1")


@pytest.fixture
def as_set_up(warehouse: Settings) -> Iterator[Settings]:
    """A warehouse whose roles are again, after the test, what set-up makes them: other tests share them."""
    try:
        yield warehouse
    finally:
        setup.set_up(warehouse)


def test_what_a_role_changed_of_itself_is_found_and_repaired_by_the_next_set_up(
    as_set_up: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_of = """select setdatabase, setconfig from pg_db_role_setting as s join pg_roles as r on r.oid = s.setrole
                     where rolname in ('vru_open', 'vru_analyst') order by rolname, setdatabase"""
    with connect(as_set_up, ADMIN) as connection:
        before = connection.execute(settings_of).fetchall()
    with connect(as_set_up, ANALYST, autocommit=True) as analyst:
        analyst.execute("set default_transaction_read_only = off")
        analyst.execute("alter role vru_analyst set statement_timeout = '1ms'")
        analyst.execute("alter role vru_analyst set role = 'nosuch'")
        analyst.execute(f"alter role vru_analyst in database {analyst.info.dbname} set search_path = 'nosuch'".encode())
    with connect(as_set_up, OPEN, autocommit=True) as anyone:
        anyone.execute("set default_transaction_read_only = off")
        anyone.execute("alter role vru_open reset all")
        anyone.execute("alter role vru_open password 'x'")
    changed = {
        ANALYST: ["role", "search_path", "statement_timeout"],
        OPEN: [
            "password",
            "client_connection_check_interval",
            "default_transaction_read_only",
            "idle_in_transaction_session_timeout",
            "jit",
            "random_page_cost",
            "search_path",
            "statement_timeout",
        ],
    }
    with connect(as_set_up, PUBLISHER) as publisher:
        assert roles.changed(as_set_up, publisher) == changed
    assert setup.set_up(as_set_up) == changed
    assert (
        "had been changed and are as they were set up: vru_analyst (role, search_path, statement_timeout); vru_open (password, "
        in capsys.readouterr().err
    )
    with connect(as_set_up, ADMIN) as connection:
        assert connection.execute(settings_of).fetchall() == before
    with connect(as_set_up, OPEN) as anyone:
        assert anyone.execute("show statement_timeout").fetchone() == ("1min",)
    assert setup.set_up(as_set_up) == {}


def test_a_reader_is_ended_by_the_limits_of_set_up_and_not_by_those_it_gave_its_role(as_set_up: Settings) -> None:
    with connect(as_set_up, ADMIN) as connection:
        connection.execute("update ops.role_setting set value = '100ms' where role_name = 'vru_open'")
    with pytest.raises(psycopg.errors.AdminShutdown), connect(as_set_up, OPEN, autocommit=True) as anyone:  # noqa: PT012 - at its end
        anyone.execute("set default_transaction_read_only = off")
        anyone.execute("set idle_in_transaction_session_timeout = 0")
        anyone.execute("alter role vru_open set idle_in_transaction_session_timeout = '1d'")
        anyone.execute("begin")
        time.sleep(0.2)
        with connect(as_set_up, PUBLISHER) as publisher:
            assert len(readers.end_overdue(publisher)) == 1


def test_a_reader_who_has_every_connection_of_its_role_has_changed_nothing(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN, autocommit=True) as connection:
        connection.execute("alter role vru_open connection limit 0")
        try:
            assert roles.changed(warehouse, connection) == {}
        finally:
            connection.execute(f"alter role vru_open connection limit {roles.CONNECTION_LIMITS[OPEN]}".encode())


@pytest.mark.parametrize(
    "statement",
    [
        "select pg_advisory_lock(hashtext('vru pipeline'))",
        "select pg_try_advisory_xact_lock(1, 2)",
        "select pg_advisory_lock_shared(hashtext('vru publish'))",
        "select lo_from_bytea(0, 'x')",
        "select lo_create(0)",
        "create temporary table mine (x integer)",
        "select pg_logical_emit_message(false, 'a', 'x')",
        "select pg_logical_emit_message(true, 'a', 'x'::bytea)",
        "select pg_notify('a', 'x')",
        "select pg_export_snapshot()",
        "select pg_terminate_backend(pg_backend_pid())",
        "select pg_cancel_backend(pg_backend_pid())",
        "set temp_file_limit = -1",
        "set log_min_messages = 'debug5'",
    ],
)
@pytest.mark.parametrize("role", roles.READERS)
def test_a_reader_takes_none_of_our_locks_and_writes_nothing(warehouse: Settings, role: str, statement: str) -> None:
    with connect(warehouse, role, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_a_reader_fills_no_disk_with_what_a_query_sorts(as_set_up: Settings) -> None:
    with connect(as_set_up, ADMIN, autocommit=True) as connection:
        limits = dict(
            connection.execute(
                """select role_name, value from ops.role_setting where name = 'temp_file_limit' order by role_name"""
            ).fetchall()
        )
        # Of its real limit a test would have to write a quarter of a gigabyte.
        connection.execute("alter role vru_open set temp_file_limit = '1MB'")
    others = [role for role in roles.READERS if role != ANALYST]
    assert limits == {ANALYST: "1GB", **dict.fromkeys(others, "256MB")}
    with connect(as_set_up, OPEN) as anyone:
        anyone.execute("set statement_timeout = 0")
        anyone.execute("set work_mem = '64kB'")
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded, match="temporary file size exceeds"):
            anyone.execute("select count(*) from (select n from generate_series(1, 200000) as n order by -n) as sorted")


def test_a_reader_writes_nothing_into_the_servers_log(warehouse: Settings, server: Server) -> None:
    log = server.settings.home / "postgres" / "log"
    with connect(warehouse, OPEN, autocommit=True) as anyone:
        anyone.execute("do $$ begin raise log 'filling the disk'; raise warning 'filling the disk'; end $$")
        with pytest.raises(psycopg.errors.RaiseException):
            anyone.execute("do $$ begin raise exception 'filling the disk'; end $$")
    assert "filling the disk" not in log.read_text(encoding="utf-8")


def test_messages_to_nobody_take_less_than_a_megabyte_of_disk(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        assert connection.execute("show max_notify_queue_pages").fetchone() == ("64",)


@pytest.mark.usefixtures("hasty")
def test_who_waits_for_readers_sees_those_who_came_and_went_since_it_began(warehouse: Settings) -> None:
    with connect(warehouse, PUBLISHER) as publisher:
        assert readers.sessions(publisher) == []
        with pytest.raises(psycopg.errors.AdminShutdown), connect(warehouse, OPEN) as anyone:  # noqa: PT012 - at its end
            anyone.execute("set idle_in_transaction_session_timeout = 0")
            anyone.execute("select marts_open.publishable(1, 'none')")
            time.sleep(0.2)
            assert len(readers.end_overdue(publisher)) == 1
        # The same again would end, and name, one that is gone.
        assert readers.end_overdue(publisher) == []


def night(settings: Settings) -> None:
    steps.begin("night-1", ["mps"])


def build(settings: Settings) -> None:
    candidate.build(settings, "build-1")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("begin", [night, build])
def test_a_night_and_a_build_begin_by_ending_who_read_for_too_long(
    warehouse: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    begin: Callable[[Settings], None],
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    monkeypatch.setattr(transform, "build", lambda *_, **__: "a candidate")
    with pytest.raises(psycopg.errors.AdminShutdown), connect(warehouse, OPEN) as anyone:  # noqa: PT012 - at its end
        anyone.execute("set idle_in_transaction_session_timeout = 0")
        time.sleep(0.2)
        begin(warehouse)
    told = "ended a reader's transaction that went on for longer than its role may: vru_open (in a transaction since "
    assert told in capsys.readouterr().err


def test_a_night_whose_roles_were_changed_says_so_in_its_alert(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    with connect(warehouse, ADMIN) as connection:
        connection.execute("delete from ops.role_setting where role_name = 'vru_open' and name = 'jit'")
    night(warehouse)
    alert = alerts.raise_alert(warehouse, "night-1")
    assert alert is not None
    assert "vru_open (jit) was changed since set-up" in alert.body


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_a_reader_may_not_enter_the_servers_own_databases(warehouse: Settings, database: str) -> None:
    with (
        refused_with("WAREHOUSE_AWAY", match="permission denied for database"),
        connect(warehouse, OPEN, database=database),
    ):
        pass


def test_readers_cannot_take_the_connections_that_our_own_roles_need(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        limits = dict(
            connection.execute(
                "select rolname, rolconnlimit from pg_roles where rolname = any(%s)", [[*roles.READERS, LOADER]]
            ).fetchall()
        )
        most, reserved = (
            int(connection.execute(f"show {name}".encode()).fetchall()[0][0])
            for name in ("max_connections", "reserved_connections")
        )
    assert limits == {**roles.CONNECTION_LIMITS, LOADER: -1}
    assert sum(roles.CONNECTION_LIMITS.values()) + reserved <= most * 2 / 3
