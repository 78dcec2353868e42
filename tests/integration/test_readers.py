"""What a role that only reads can hold up, take or keep from the warehouse: nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.refused import refused_with
from warehouse import bootstrap, readers, shape
from warehouse.bootstrap import CONNECTION_LIMITS
from warehouse.connection import ADMIN, ANALYST, LOADER, OPEN, PUBLISHER, connect
from warehouse.settings import Settings

LOCKED = "select 1 from marts.data_status limit 1"


@pytest.fixture
def changed(warehouse: Settings) -> Settings:
    """A warehouse whose set-up has something to do."""
    with connect(warehouse, ADMIN) as connection:
        connection.execute("update ops.set_up set fingerprint = 'of an older version'")
    return warehouse


@pytest.fixture
def hasty(warehouse: Settings) -> Iterator[None]:
    """The role for anyone may hold a transaction for a tenth of a second."""
    limit = "alter role vru_open set idle_in_transaction_session_timeout = '{}'"
    with connect(warehouse, ADMIN, autocommit=True) as connection:
        connection.execute(limit.format("100ms").encode())
        yield
        connection.execute(limit.format(bootstrap.ROLE_SETTINGS[OPEN]["idle_in_transaction_session_timeout"]).encode())


def test_a_readers_open_transaction_does_not_hold_up_a_set_up_that_has_nothing_to_change(warehouse: Settings) -> None:
    with connect(warehouse, ANALYST) as reader:
        reader.execute(LOCKED)
        begun = time.monotonic()
        bootstrap.set_up(warehouse)
        assert time.monotonic() - begun < 5
        reader.execute(LOCKED)


def test_set_up_that_must_change_a_view_waits_for_its_readers_and_names_them(
    changed: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shape, "PATIENCE", 1.0)
    monkeypatch.setattr(shape, "SILENCE", 0.0)
    with connect(changed, ANALYST) as reader:
        reader.execute(LOCKED)
        with refused_with(
            "READERS_IN_THE_WAY", match=r"vru_analyst \(in a transaction since 2\d{3}-\d\d-\d\d \d\d:\d\d UTC\)"
        ):
            bootstrap.set_up(changed)
        reader.execute(LOCKED)
    assert "waiting for vru_analyst (in a transaction since " in capsys.readouterr().err
    bootstrap.set_up(changed)


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


@pytest.mark.parametrize(
    "statement",
    [
        "select pg_advisory_lock(hashtext('vru pipeline'))",
        "select pg_try_advisory_xact_lock(1, 2)",
        "select pg_advisory_lock_shared(hashtext('vru publish'))",
        "select lo_from_bytea(0, 'x')",
        "select lo_create(0)",
        "create temporary table mine (x integer)",
    ],
)
@pytest.mark.parametrize("role", [OPEN, ANALYST])
def test_a_reader_takes_none_of_our_locks_and_writes_nothing(warehouse: Settings, role: str, statement: str) -> None:
    with connect(warehouse, role, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


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
                "select rolname, rolconnlimit from pg_roles where rolname = any(%s)", [[ANALYST, OPEN, LOADER]]
            ).fetchall()
        )
        most, reserved = (
            int(connection.execute(f"show {name}".encode()).fetchall()[0][0])
            for name in ("max_connections", "reserved_connections")
        )
    assert limits == {**CONNECTION_LIMITS, LOADER: -1}
    assert sum(CONNECTION_LIMITS.values()) + reserved <= most * 2 / 3
