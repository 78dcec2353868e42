"""What is said of Superset without starting it (`make bi-test` does): its own database, what its process is told, whose process it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql

from tests.refused import refused_with
from warehouse.bi import metadata, serving
from warehouse.platform import listening
from warehouse.platform.connection import ADMIN, connect, parameters, password
from warehouse.platform.settings import Settings


@pytest.fixture
def with_database(warehouse: Settings) -> Iterator[Settings]:
    metadata.make_secrets(warehouse)
    assert metadata.set_up(warehouse) is True
    yield warehouse
    with connect(warehouse, ADMIN, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(metadata.DATABASE)))
        connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(metadata.ROLE)))


def as_superset(settings: Settings, database: str) -> psycopg.Connection:
    found = parameters(settings, ADMIN) | {"user": metadata.ROLE, "password": password(settings, metadata.ROLE)}
    return psycopg.connect(**found | {"dbname": database})  # type: ignore[arg-type] # words of libpq


def test_supersets_role_works_in_its_own_database_and_enters_no_other(with_database: Settings) -> None:
    with as_superset(with_database, metadata.DATABASE) as connection:
        connection.execute("create table dashboards (id int)")
    mine = parameters(with_database, ADMIN)["dbname"]
    for other in (mine, "airflow", "postgres"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            as_superset(with_database, other)
    for reader in ("vru_analyst", "vru_open"):
        found = parameters(with_database, reader) | {"dbname": metadata.DATABASE}
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(**found)  # type: ignore[arg-type] # words of libpq


def test_setting_it_up_again_keeps_what_stands_and_gives_the_role_its_password_back(with_database: Settings) -> None:
    with as_superset(with_database, metadata.DATABASE) as connection:
        connection.execute("create table dashboards (id int)")
    with connect(with_database, ADMIN, autocommit=True) as connection:
        connection.execute(sql.SQL("alter role {} password 'another'").format(sql.Identifier(metadata.ROLE)))
    assert metadata.set_up(with_database) is False
    with as_superset(with_database, metadata.DATABASE) as connection:
        assert connection.execute("select count(*) from dashboards").fetchone() == (0,)


def test_its_processes_are_told_where_secrets_are_and_none_of_them(
    with_database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VRU_NOMIS_KEY", "of a publisher")
    monkeypatch.setenv("PGPASSWORD", "of somebody")
    told = serving._environment(with_database)
    assert [name for name in told if name.startswith(("VRU_", "PG"))] == []
    held = {file.read_text(encoding="utf-8").strip() for file in with_database.secrets.iterdir()}
    assert [value for value in told.values() if any(secret in value for secret in held)] == []
    assert told["BI_METADATA"].startswith("postgresql+psycopg2://vru_superset@")
    assert told["SCARF_ANALYTICS"] == "false"
    modes = {file.stat().st_mode & 0o777 for file in map(with_database.secrets.joinpath, metadata.SECRETS)}
    assert modes == {0o600}


def test_without_its_environment_superset_is_refused_and_nothing_is_made(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serving, "PROGRAMS", tmp_path / "nothing")
    with refused_with("SUPERSET_NOT_INSTALLED"):
        serving.up(warehouse)
    assert not (warehouse.home / "bi").exists()
    assert serving.down(warehouse) is False


def test_only_the_process_of_this_home_is_stopped(warehouse: Settings, tmp_path: Path) -> None:
    folder = warehouse.home / "bi"
    folder.mkdir()
    for whose, is_ours in ((tmp_path, False), (folder, True)):
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], cwd=whose)
        try:
            while psutil.Process(process.pid).cwd() != str(whose.resolve()):
                time.sleep(0.01)
            told = json.dumps([process.pid, psutil.Process(process.pid).create_time()])
            (folder / "process.json").write_text(told, encoding="utf-8")
            assert serving.down(warehouse) is is_ours
            assert (process.poll() is None) is not is_ours
        finally:
            process.kill()
            process.wait()
    (folder / "process.json").write_text(json.dumps([os.getpid(), 0.0]), encoding="utf-8")
    assert serving.down(warehouse) is False


def test_a_port_is_kept_for_the_home_and_left_where_another_program_has_it(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: set[int] = set()
    monkeypatch.setattr(listening, "is_free", lambda port: port not in taken)
    assert serving._port(warehouse, is_running=False) == 8088
    taken.add(8088)
    assert serving._port(warehouse, is_running=True) == 8088  # it is Superset's own
    assert serving._port(warehouse, is_running=False) == 8089
    taken.remove(8088)
    assert serving._port(warehouse, is_running=False) == 8089
    assert serving._port(warehouse.model_copy(update={"bi_port": 9000}), is_running=False) == 9000
