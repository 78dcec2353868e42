"""Setting up a home."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from ingest.declaration import read_sources
from warehouse import bootstrap, embedded
from warehouse.connection import ADMIN, ANALYST, LOADER, connect
from warehouse.settings import Settings

ROOMS = ["candidate", "intermediate", "marts", "marts_history", "marts_open", "ops", "quarantine", "raw", "staging"]


def test_every_room_of_the_design_is_a_schema(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        found = connection.execute("select nspname from pg_namespace where nspname = any(%s) order by 1", [ROOMS])
        assert [name for (name,) in found] == ROOMS


def test_setting_up_again_changes_nothing(warehouse: Settings) -> None:
    catalogue = """select c.oid, c.relname, c.relacl::text from pg_class as c join pg_namespace as n on n.oid = relnamespace
                   where nspname = any(%s) and relkind in ('r', 'v') order by 1"""
    with connect(warehouse, ADMIN) as connection:
        before = connection.execute(catalogue, [ROOMS]).fetchall()
    bootstrap.set_up(warehouse)
    with connect(warehouse, ADMIN) as connection:
        assert connection.execute(catalogue, [ROOMS]).fetchall() == before


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
def test_a_home_may_stand_at_any_path_and_has_a_lock_of_its_own(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="vru ") as folder:
        data = Path(folder) / name / "postgres"
        Path(folder).chmod(0o755)
        try:
            socket_folder, _ = embedded.start(data)
            assert socket_folder != data
            assert (data.parent / "postgres.lock").exists()
            assert embedded.start(data)[0] == socket_folder
        finally:
            assert embedded.stop(data)
            shutil.rmtree(socket_folder)


def test_a_process_that_removes_its_home_leaves_nothing_of_it_when_it_ends() -> None:
    program = (
        "import pathlib, shutil, sys; from warehouse import embedded; data = pathlib.Path(sys.argv[1]); "
        "embedded.start(data); embedded.stop(data); shutil.rmtree(data.parent)"
    )
    with tempfile.TemporaryDirectory(prefix="vru-") as folder:
        Path(folder).chmod(0o755)
        subprocess.run([sys.executable, "-c", program, str(Path(folder) / "home" / "postgres")], check=True)
        assert list(Path(folder).iterdir()) == []
