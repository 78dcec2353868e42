"""Setting up a home."""

from __future__ import annotations

import grp
import os
import shutil
import signal
import stat
import tempfile
from pathlib import Path

import psycopg
import pytest

from ingest.declaration import read_sources
from tests.conftest import Server
from tests.homes import home_like
from tests.refused import refused_with
from warehouse.home import setup
from warehouse.platform import embedded, migrations, privacy
from warehouse.platform.connection import ADMIN, ANALYST, LOADER, LOGIN_ROLES, connect, password
from warehouse.platform.settings import Settings, read_settings

ROOMS = [
    "candidate",
    "intermediate",
    "marts",
    "marts_history",
    "marts_open",
    "marts_past",
    "ops",
    "quarantine",
    "raw",
    "staging",
]


def test_every_room_of_the_design_is_a_schema(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        found = connection.execute("select nspname from pg_namespace where nspname = any(%s) order by 1", [ROOMS])
        assert [name for (name,) in found] == ROOMS


def test_setting_up_again_changes_nothing(warehouse: Settings) -> None:
    catalogue = """select c.oid, c.relname, c.relacl::text from pg_class as c join pg_namespace as n on n.oid = relnamespace
                   where nspname = any(%s) and relkind in ('r', 'v') order by 1"""
    with connect(warehouse, ADMIN) as connection:
        before = connection.execute(catalogue, [ROOMS]).fetchall()
    setup.set_up(warehouse)
    with connect(warehouse, ADMIN) as connection:
        assert connection.execute(catalogue, [ROOMS]).fetchall() == before


def test_a_home_from_before_migrations_were_numbered_is_brought_up_to_date(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """drop view if exists marts.data_status cascade;
               drop view marts.edition;
               drop table ops.migration;
               alter table ops.load drop column code, drop column set_aside cascade, drop column awaits_verdict cascade;
               alter table ops.alert drop column code;
               update ops.set_up set fingerprint = 'of an older version';
               insert into ops.load (source, dataset, release_date, sha256, file_name, landed_path, bytes, landed_at, loaded_at, rows_in_file,
                   rows_loaded, rows_quarantined, state, is_synthetic)
               values ('mps', 'vawg', '2026-01-01', 'a', 'f', 'p', 1, now(), now(), 1, 1, 0, 'superseded', false)"""
        )
    setup.set_up(warehouse)
    numbers = [(one.number, one.subject) for one in migrations.migrations()]
    with connect(warehouse, ADMIN) as connection:
        assert connection.execute("select number, subject from ops.migration order by 1").fetchall() == numbers
        kept = connection.execute("select file_name, state, code, set_aside, awaits_verdict from ops.load").fetchall()
    assert kept == [("f", "superseded", None, {}, False)]


def test_a_home_of_a_newer_version_is_refused_and_left_as_it_is(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            "insert into ops.migration values (9999, 'x'); update ops.set_up set fingerprint = 'of a newer version'"
        )
    with refused_with("HOME_TOO_NEW", match="9999"):
        setup.set_up(warehouse)


def test_a_new_migration_runs_once_and_a_number_left_out_is_an_error(warehouse: Settings, tmp_path: Path) -> None:
    for one in migrations.migrations():
        shutil.copy(one.file, tmp_path)
    number = len(migrations.migrations()) + 1
    (tmp_path / f"{number:04}_more.sql").write_text("create table ops.more (n integer)")
    with connect(warehouse, ADMIN) as connection:
        assert [one.subject for one in migrations.run(connection, tmp_path)] == ["more"]
        assert migrations.run(connection, tmp_path) == []
    (tmp_path / f"{number + 2:04}_later.sql").write_text("select 1")
    with pytest.raises(ValueError, match="without a gap"):
        migrations.migrations(tmp_path)


def test_an_empty_warehouse_says_that_every_dataset_is_missing(warehouse: Settings) -> None:
    with connect(warehouse, ANALYST) as connection:
        assert connection.execute("select source, dataset, state from marts.data_status").fetchall() == [
            (name, dataset, "missing") for name, source in read_sources().items() for dataset in source.datasets
        ]


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (ANALYST, "select * from raw.mps__borough_recent"),
        (ANALYST, "select * from ops.load"),
        (ANALYST, "select * from quarantine.refused_row"),
        (ANALYST, "create table marts.mine (x integer)"),
        (ANALYST, "create table public.mine (x integer)"),
        (LOADER, "delete from ops.load"),
        (LOADER, "select * from marts.data_status"),
        (LOADER, "drop table raw.mps__borough_recent"),
    ],
)
def test_a_role_may_not_do_what_is_not_its_step(warehouse: Settings, role: str, statement: str) -> None:
    with (
        connect(warehouse, role) as connection,
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)),
    ):
        connection.execute(statement)


@pytest.mark.parametrize("name", ["o'neil's home", "a" * 120])
def test_a_home_may_stand_at_any_path_and_its_socket_is_private(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="vru ") as folder:
        data = Path(folder) / name / "postgres"
        data.parent.mkdir(mode=0o700)
        try:
            (data.parent / ".postgres-password-of-a-set-up-that-was-killed").write_text("secret")
            embedded.create(data, "secret")
            assert list(data.parent.glob(".postgres-password-*")) == []
            socket_folder, _ = embedded.start(data)
            assert socket_folder != data
            assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
            assert socket_folder.stat().st_uid == data.stat().st_uid
            assert (data.parent / "postgres.lock").exists()
            assert embedded.start(data)[0] == socket_folder
            assert embedded.stop(data)
            socket_folder.chmod(0o755)
            with refused_with("SERVER_FAILED"):
                embedded.start(data)
        finally:
            embedded.stop(data)
            shutil.rmtree(socket_folder)


def test_a_home_that_was_never_set_up_is_not_started(tmp_path: Path) -> None:
    with refused_with("HOME_NOT_SET_UP"):
        embedded.start(tmp_path / "postgres")
    assert list(tmp_path.iterdir()) == []


def test_a_home_is_its_users_alone_and_set_up_says_what_others_could_read(warehouse: Settings) -> None:
    file = warehouse.landing / "safestats" / "ed_istv" / "persons.csv"
    file.parent.mkdir(parents=True)
    file.write_text("of persons")
    file.chmod(0o444)
    for folder in (warehouse.home, warehouse.landing, *file.parents[:2]):
        folder.chmod(0o755)
    (warehouse.home / "airflow").chmod(0o700)
    migrated = [path.chmod(0o600) for path in (warehouse.home / "airflow").iterdir()]
    assert migrated
    warehouse.inbox.chmod(0o700)
    assert privacy.keep_private(warehouse) == 5
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in warehouse.home.rglob("*")} == {0}
    assert stat.S_IMODE(warehouse.home.stat().st_mode) & 0o067 == 0
    assert privacy.keep_private(warehouse) == 0


def test_a_declared_group_may_read_a_home(warehouse: Settings) -> None:
    (warehouse.landing / "file.csv").touch(mode=0o400)
    shared = warehouse.model_copy(update={"group": grp.getgrgid(os.getegid()).gr_name})
    privacy.keep_private(shared)
    assert stat.S_IMODE((warehouse.landing / "file.csv").stat().st_mode) == 0o440
    assert stat.S_IMODE(warehouse.landing.stat().st_mode) == 0o750


def test_the_servers_log_quotes_no_row_and_no_password(warehouse: Settings, server: Server) -> None:
    log = server.settings.home / "postgres" / "log"
    with (
        pytest.raises(psycopg.errors.BadCopyFileFormat),
        connect(warehouse, LOADER) as connection,
        connection.cursor().copy("copy raw.safestats__ed_istv (site_code) from stdin") as stream,
    ):
        stream.write("Jane Example\tof 1 High Road\n")
    with pytest.raises(psycopg.errors.CheckViolation), connect(warehouse, ADMIN) as connection:
        connection.execute("insert into ops.warehouse (is_the_only_row, decided_by) values (false, 'Jane Example')")
    with connect(warehouse, ADMIN) as connection:
        connection.execute("update ops.set_up set fingerprint = ''")
    setup.set_up(warehouse)
    text = log.read_text(encoding="utf-8")
    assert "violates check constraint" in text
    assert "Jane Example" not in text
    assert not [role for role in LOGIN_ROLES if password(server.settings, role) in text]


def test_a_server_that_recovers_after_a_crash_is_waited_for(set_up_home: Path) -> None:
    with home_like(set_up_home) as folder:
        settings = read_settings({"VRU_HOME": str(folder)})
        with connect(settings, ANALYST) as connection:
            backend = connection.info.backend_pid
            os.kill(backend, signal.SIGKILL)
            # The postmaster ends every other session and refuses new ones until it has read its log again.
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select pg_sleep(30)")
        with connect(settings, ANALYST) as connection:
            assert connection.execute("select count(*) > 0 from marts.data_status").fetchone() == (True,)
