"""What the caller, the server, a database or a role has set reaches no connection of ours."""

from __future__ import annotations

import os

import psycopg2
import pytest
from psycopg import sql

from expectations import engine
from tests.integration.test_command_line import vru
from warehouse.build import transform
from warehouse.platform.connection import ADMIN, ANALYST, LOGIN_ROLES, TRANSFORMER, connect
from warehouse.platform.settings import Settings

CALLER = {
    "PGDATESTYLE": "SQL, DMY",
    "PGTZ": "Asia/Tokyo",
    "PGCLIENTENCODING": "LATIN1",
    "PGOPTIONS": "-c search_path=nowhere -c extra_float_digits=-5",
    "PGSERVICE": "no_such_service",
    "PGHOSTADDR": "192.0.2.1",
    "PGSSLMODE": "verify-full",
    "PGPASSFILE": "/nowhere",
}
NAMES = ["datestyle", "timezone", "client_encoding", "search_path", "extra_float_digits", "standard_conforming_strings"]
OURS = ["ISO, MDY", "UTC", "UTF8", "public", "1", "on"]
ASK = "select " + ", ".join(f"current_setting('{name}')" for name in NAMES)


def spoil(settings: Settings, role: str) -> None:
    """Set what a database's owner may set for a database and a role."""
    with connect(settings, ADMIN) as connection:
        database = connection.info.dbname
        for name, value in {
            "datestyle": "German",
            "timezone": "Asia/Tokyo",
            "search_path": "nowhere",
            "extra_float_digits": "-5",
            "standard_conforming_strings": "off",
        }.items():
            connection.execute(
                sql.SQL("alter role {} in database {} set {} = {}").format(
                    sql.Identifier(role), sql.Identifier(database), sql.Identifier(name), sql.Literal(value)
                )
            )


def test_a_commands_answer_does_not_depend_on_the_callers_postgresql_variables(warehouse: Settings) -> None:
    plain = vru(warehouse, "status")
    assert plain.returncode == 0
    assert vru(warehouse, "status", **CALLER).stdout == plain.stdout
    asked = vru(warehouse, "sql", "--csv", ASK, **CALLER)
    assert asked.stdout.splitlines()[1] == '"ISO, MDY",UTC,UTF8,marts,1,on'


def test_a_role_or_database_that_has_settings_of_its_own_changes_nothing(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in LOGIN_ROLES[:-1]:
        spoil(warehouse, role)
    for name, value in CALLER.items():
        monkeypatch.setenv(name, value)
    with connect(warehouse, ANALYST) as connection:
        assert list(connection.execute(ASK).fetchone() or ()) == OURS
    for name, value in CALLER.items():
        monkeypatch.setenv(name, value)
    # Great Expectations goes by this address, through psycopg2 as dbt does.
    address = engine.connection_url(warehouse, "candidate").replace("+psycopg2", "")
    with psycopg2.connect(address) as gate, gate.cursor() as cursor:
        cursor.execute(ASK)
        assert list(cursor.fetchone() or ()) == OURS


def test_dbt_runs_with_our_session_settings(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(warehouse, TRANSFORMER)
    for name, value in CALLER.items():
        monkeypatch.setenv(name, value)
    query = ASK + " from (select 1) as one"
    shown = transform.dbt(warehouse, "show", "--inline", query, "--output", "json")
    assert shown.returncode == 0, shown.stdout
    for value in OURS:
        assert f'"{value}"' in shown.stdout
    assert not CALLER.keys() & os.environ.keys()
