"""Who may do what is as roles.yml declares it: for every role, thing and verb, whatever has happened to the warehouse in between."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from tests import access_matrix
from tests.candidates import area, build, fact, judge, judged, pair
from tests.conftest import Server, new_warehouse
from tests.refused import refused_with
from warehouse import publish as publishing
from warehouse.home import keeping, setup
from warehouse.platform import access, grants, powers, roles
from warehouse.platform.connection import (
    ADMIN,
    ANALYST,
    AUDITOR,
    BI,
    GATE,
    LOADER,
    LOGIN_ROLES,
    OPEN,
    PUBLISHER,
    STEWARD,
    TRANSFORMER,
    connect,
)
from warehouse.platform.declared import declaration
from warehouse.platform.settings import Settings
from warehouse.publish import publish, roll_back

LOGIN, OTHER = "jane_of_camden", "john_of_camden"
PEOPLE = (*roles.READERS, OTHER)


@contextlib.contextmanager
def with_login(settings: Settings, login: str) -> Iterator[Settings]:
    """A warehouse with a borough analyst's login, which goes again: other tests share the server's roles."""
    access.grant(settings, login, ["E09000007"], "a test")
    try:
        yield settings
    finally:
        (settings.secrets / login).unlink(missing_ok=True)
        with connect(settings, ADMIN) as connection:
            connection.execute(f"drop role {login}".encode())


@pytest.fixture
def changing(warehouse: Settings) -> Iterator[Settings]:
    """A warehouse of the test's own, with a login."""
    with with_login(warehouse, LOGIN):
        yield warehouse


@pytest.fixture(scope="module")
def standing(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse with a release and a login, for tests that change nothing."""
    with new_warehouse(server, tmp_path_factory.mktemp("standing")) as settings, with_login(settings, OTHER):
        publish(settings, judged(settings, pair(1)))
        yield settings


def assert_as_declared(settings: Settings) -> int:
    """Compare what PostgreSQL says with the declaration; how many cells of the matrix are rights."""
    with connect(settings, ADMIN) as connection:
        found, declared = access_matrix.found(connection, LOGIN), access_matrix.declared(connection, LOGIN)
    assert sorted(found - declared) == []
    assert sorted(declared - found) == []
    return len(found)


def test_every_role_may_do_what_is_declared_and_no_more_before_and_after_publish_rollback_rebuild_and_upgrade(
    changing: Settings,
) -> None:
    assert len(declaration().roles) == 12
    before = assert_as_declared(changing)
    first = publish(changing, judged(changing, pair(1)))
    assert assert_as_declared(changing) > before
    publish(changing, judged(changing, pair(2)))
    assert_as_declared(changing)
    roll_back(changing, first.release_id)
    assert_as_declared(changing)
    # A build from nothing: other tables, one of them with a new column, and a view.
    wider = area(("E0", "area 0", 3))[1].replace("version integer", "note text, version integer")
    rebuilt = build(
        changing,
        [
            ("area", wider, [("E0", "area 0", None, 3)]),
            fact(),
            ("bi_more", "create table candidate.bi_more (n integer primary key)", []),
        ],
    )
    with connect(changing, TRANSFORMER) as connection:
        connection.execute("create view candidate.bi_area as select area_code, area_name from candidate.area")
    judge(changing, rebuilt)
    publish(changing, rebuilt)
    assert_as_declared(changing)
    with connect(changing, ADMIN) as connection:
        connection.execute(
            """update ops.set_up set fingerprint = 'of an older version';
               drop table ops.borough_membership cascade; delete from ops.migration where number = 5;
               grant all on all tables in schema marts to public;
               revoke select on marts.fact from vru_gate"""
        )
    setup.set_up(changing)
    assert_as_declared(changing)


def test_each_role_reads_and_changes_by_real_statements_just_what_the_declaration_says(standing: Settings) -> None:
    with connect(standing, ADMIN) as connection:
        cells = access_matrix.declared(connection, OTHER)
        tables = connection.execute(
            """select n.nspname::text, c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
               where c.relkind in ('r', 'v') and n.nspname = any(%s) order by 2""",
            [list(declaration().schemas)],
        ).fetchall()
    statements = {
        "select": "select 1 from {} limit 0",
        "delete": "delete from {} where false",
        "truncate": "truncate {} cascade",
        "maintain": "lock table {} in access exclusive mode",
    }
    wrong, tried = [], 0
    for role in (*LOGIN_ROLES[:-1], OTHER):
        with connect(standing, role, autocommit=True) as connection:
            connection.execute("set default_transaction_read_only = off")
            connection.execute("set lock_timeout = '2s'")
            for schema, table in tables:
                is_shown = (role, "schema", schema, "usage") in cells
                for verb, statement in statements.items():
                    # A lock as strong as that needs any right to change the table.
                    verbs = ("update", "delete", "truncate", "maintain") if verb == "maintain" else (verb,)
                    may = is_shown and any((role, "tables", table, one) in cells for one in verbs)
                    with contextlib.suppress(
                        psycopg.errors.WrongObjectType,
                        psycopg.errors.ObjectNotInPrerequisiteState,
                        psycopg.errors.FeatureNotSupported,
                    ):
                        could = _could(connection, statement.format(table))
                        tried += 1
                        if could != may:
                            wrong.append((role, table, verb, could))
    assert wrong == []
    assert tried > 2000


def _could(connection: psycopg.Connection, statement: str) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


FORBIDDEN = [
    "create table public.mine (n integer)",
    "create schema mine",
    "create temporary table mine (n integer)",
    "select lo_create(0)",
    "select lo_from_bytea(0, 'x')",
    "copy marts.data_status to '/tmp/mine'",
    "copy (select 1) to program 'true'",
    "copy ops.load from '/etc/passwd'",
    "create extension plpython3u",
    "create role mine",
    "create database mine",
    "alter role vru_loader password 'x'",
    "grant vru_publisher to vru_open",
    "set session authorization vru_publisher",
    "set role vru_owner",
    "select pg_read_file('/etc/passwd')",
    "select pg_terminate_backend(1)",
    "select pg_advisory_lock(1)",
    "alter system set log_statement = 'all'",
    "create function marts.mine() returns integer language sql as 'select 1'",
    "alter table ops.audit disable trigger all",
    "drop table ops.audit",
    "select ops.write_audit('a', 'b', 'c', 'd', 'e', '{}')",
    "create policy mine on ops.load using (true)",
    "alter default privileges for role vru_publisher grant select on tables to public",
    "notify mine",
]


@pytest.mark.parametrize("role", PEOPLE)
def test_a_reader_makes_writes_and_becomes_nothing(standing: Settings, role: str) -> None:
    could = []
    with connect(standing, role, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        for statement in FORBIDDEN:
            try:
                connection.execute(statement.encode())
            except (
                psycopg.errors.InsufficientPrivilege,
                psycopg.errors.UndefinedFile,
                psycopg.errors.FeatureNotSupported,
            ):
                continue
            could.append(statement)
    # A message that nobody hears takes half a megabyte at the most (max_notify_queue_pages), and the statement has no right to be taken.
    assert could == ["notify mine"]


@pytest.mark.parametrize("database", ["postgres", "template1", "airflow"])
def test_no_role_enters_another_database(standing: Settings, database: str) -> None:
    for role in (*LOGIN_ROLES[:-1], OTHER):
        with (
            refused_with("WAREHOUSE_AWAY", match="permission denied for database"),
            connect(standing, role, database=database),
        ):
            pass


@pytest.mark.parametrize("role", PEOPLE)
def test_every_reader_has_limits_that_it_is_held_to(standing: Settings, role: str) -> None:
    with connect(standing, role) as connection:
        shown = {name: str(connection.execute(f"show {name}".encode()).fetchall()[0][0]) for name in (
            "statement_timeout", "idle_in_transaction_session_timeout", "temp_file_limit", "default_transaction_read_only", "log_min_messages",
        )}  # fmt: skip
        assert shown["statement_timeout"] in {"1min", "5min"}
        assert shown["idle_in_transaction_session_timeout"] == shown["statement_timeout"]
        assert shown["temp_file_limit"] in {"256MB", "1GB"}
        assert (shown["default_transaction_read_only"], shown["log_min_messages"]) == ("on", "fatal")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("set temp_file_limit = -1")
    with connect(standing, ADMIN) as connection:
        limit = connection.execute("select rolconnlimit from pg_roles where rolname = %s", [role]).fetchone()
        held = connection.execute(
            "select count(*) from ops.role_setting where role_name = %s and name like '%%timeout'", [role]
        ).fetchone()
    assert limit is not None
    assert 0 < limit[0] <= 40
    assert held == (2,)


@pytest.mark.parametrize("role", [BI, STEWARD, AUDITOR, LOGIN])
def test_a_new_readers_transaction_is_ended_when_it_is_too_old_although_it_lifted_its_limit(
    changing: Settings, role: str
) -> None:
    with connect(changing, ADMIN) as connection:
        connection.execute(
            "update ops.role_setting set value = '1ms' where role_name = %s and name like '%%timeout'", [role]
        )
    with pytest.raises(psycopg.errors.AdminShutdown), connect(changing, role) as reader:  # noqa: PT012 - the second fails
        reader.execute("set idle_in_transaction_session_timeout = 0")
        reader.execute("select pg_sleep(0.05)")
        with connect(changing, PUBLISHER) as publisher:
            assert [name for (name,) in publisher.execute("select role_name::text from ops.reader_sessions()")] == [
                role
            ]
            assert len(publisher.execute("select ops.end_overdue_readers()").fetchall()) == 1
        reader.execute("select 1")


def test_what_is_too_much_or_missing_is_told_and_put_right_by_the_next_set_up(
    changing: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(changing, judged(changing, pair(1)))
    with connect(changing, ADMIN) as connection:
        connection.execute(
            """grant update on ops.release to vru_loader;
               grant select (area_name) on marts.area to vru_open;
               grant select on marts.fact to vru_analyst with grant option;
               grant execute on function ops.gather_raw_statistics(text) to public;
               revoke select on marts.area from vru_gate;
               alter default privileges for role vru_publisher in schema marts grant select on tables to vru_open;
               grant vru_publisher to vru_bi;
               alter role vru_steward bypassrls createdb"""
        )
    with connect(changing, PUBLISHER) as connection:
        assert len(keeping.rights_that_differ(connection)) == 5
    changed = setup.set_up(changing)
    assert changed == {
        "public": ["had execute on routine ops.gather_raw_statistics(table_name text)"],
        "vru_analyst": ["lacked select on table marts.fact", "had select and hand on on table marts.fact"],
        "vru_bi": ["belongs to vru_publisher"],
        "vru_gate": ["lacked select on table marts.area"],
        "vru_loader": ["had update on table ops.release"],
        "vru_open": [
            'had select on later tables of vru_publisher in schema "marts"',
            "had select (area_name) on table marts.area",
        ],
        "vru_steward": ["createdb", "bypassrls"],
    }
    assert "these rights had been changed and are as declared: public (had execute" in capsys.readouterr().err
    assert_as_declared(changing)
    with connect(changing, ADMIN) as connection:
        assert grants.differences(connection) == []
        assert list(powers.too_much(connection, roles.borough_logins(connection))) == []
    assert setup.set_up(changing) == {}


def test_a_publish_keeps_the_rights_of_what_it_publishes(changing: Settings) -> None:
    first = publish(changing, judged(changing, pair(1)))
    for again in (
        lambda: publish(changing, judged(changing, pair(2))),
        lambda: roll_back(changing, first.release_id),
    ):
        with connect(changing, ADMIN) as connection:
            connection.execute(
                "grant select on marts.area to vru_open; revoke select on marts_history.fact from vru_analyst"
            )
        again()
        assert_as_declared(changing)


def test_a_reader_holds_up_no_publish_that_changes_no_shape(changing: Settings) -> None:
    publish(changing, judged(changing, pair(1)))
    with connect(changing, LOGIN) as reader:
        reader.execute("select * from marts.fact")
        assert publish(changing, judged(changing, pair(2))).state == "published"


def test_the_names_of_roles_in_code_are_those_of_the_declaration() -> None:
    assert {*declaration().logins} == {*LOGIN_ROLES}
    assert {*declaration().readers} == {*roles.READERS, "vru_borough_analyst"}
    assert {name for names in declaration().grants.values() for name in names} == {*declaration().schemas}
    assert {ANALYST, GATE, LOADER, OPEN} < {*declaration().grants}
    assert all(role.why for role in declaration().roles.values())
    assert publishing.publish is publish
