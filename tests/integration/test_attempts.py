"""Whatever ends a load leaves its line in the ledger, and is not tried for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from ingest import landing
from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.landing import LandedFile
from tests.mps_files import borough_file
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.steps import step

MPS = find_source("mps")
DIES = f"""
import os, signal, sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from ingest import load
from warehouse import steps
load.open_file = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
steps.load("night", "mps", "borough_recent", [])
"""


@pytest.fixture
def landed(warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LandedFile:
    """A file that landed and that no night has loaded yet."""
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    file = tmp_path / "file.csv"
    file.write_bytes(borough_file("202401", "202402"))
    return file_drop.take(warehouse.landing, MPS, "borough_recent", file, warehouse.now())


def night_that_is_killed(warehouse: Settings) -> None:
    environment = {
        **os.environ,
        "VRU_HOME": str(warehouse.home),
        "VRU_SECRETS_DIR": str(warehouse.secrets),
        "VRU_DATABASE_URL": warehouse.database_url.get_secret_value() if warehouse.database_url else "",
    }
    done = subprocess.run([sys.executable, "-c", DIES], env=environment, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def night() -> dict[str, object]:
    return steps.load("night", "mps", "borough_recent", [])


def ledger(warehouse: Settings) -> list[tuple[object, ...]]:
    with connect(warehouse, ADMIN) as connection:
        return connection.execute("select state, reason from ops.load order by load_id").fetchall()


def notes(warehouse: Settings) -> list[Path]:
    return list(warehouse.landing.rglob("*.loading.txt"))


def test_a_load_that_was_killed_is_tried_once_more(warehouse: Settings, landed: LandedFile) -> None:
    night_that_is_killed(warehouse)
    assert night()["files"] == 1
    assert ledger(warehouse) == [("loaded", None)]
    assert not notes(warehouse)


def test_a_file_whose_load_was_killed_twice_is_refused_until_somebody_asks_for_it(
    warehouse: Settings, landed: LandedFile
) -> None:
    night_that_is_killed(warehouse)
    night_that_is_killed(warehouse)
    assert ledger(warehouse) == []
    with refused_with(
        "LOAD_ENDED_ITS_PROCESS",
    ):
        night()
    steps.notify("night")
    reason = "the file has ended the process that loaded it, or that of the database, 2 times, and is not tried again as it is"
    assert ledger(warehouse) == [("refused", reason)]
    with connect(warehouse, ADMIN) as connection:
        ((alert,),) = connection.execute("select body from ops.alert").fetchall()
    assert reason in alert
    assert night() == {"files": 0, "rows": 0, "editions": []}  # the next night leaves it alone, in silence
    assert len(ledger(warehouse)) == 1
    assert steps.load_one(
        warehouse, MPS, "borough_recent", landing.find(warehouse.landing, path_of(warehouse, landed))
    ).is_new
    assert not notes(warehouse)


def path_of(warehouse: Settings, landed: LandedFile) -> str:
    return landed.path.relative_to(warehouse.landing).as_posix()


class PanicException(BaseException):
    """What a reader written in Rust gives up with."""


PanicException.__module__ = "pyo3_runtime"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RecursionError(),
        PanicException("Camden, aged 17"),
        psycopg.errors.ProgramLimitExceeded("too long: Camden"),
        psycopg.errors.InternalError_("invalid memory alloc request size 1600000000"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_file_ends_its_load_with_is_a_line_in_the_ledger(
    warehouse: Settings, landed: LandedFile, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("ingest.load.open_file", fails)
    with refused_with("UNFORESEEN"):
        night()
    ((state, reason),) = ledger(warehouse)
    assert state == "refused"
    assert type(error).__name__ in str(reason)
    assert "Camden" not in str(reason)
    assert night() == {"files": 0, "rows": 0, "editions": []}
    assert not notes(warehouse)


def test_a_database_that_runs_out_of_memory_twice_with_a_file_is_asked_no_more(
    warehouse: Settings, landed: LandedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise psycopg.errors.OutOfMemory("out of memory")

    monkeypatch.setattr("ingest.load.open_file", fails)
    for _ in range(2):
        with refused_with("DISK_FULL"):
            night()
    with refused_with("LOAD_ENDED_ITS_PROCESS"):
        night()


def test_what_is_no_fault_of_a_file_is_tried_again_every_night(
    warehouse: Settings, landed: LandedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise psycopg.errors.LockNotAvailable("canceling statement due to lock timeout")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.load.open_file", fails)
        for _ in range(3):
            with refused_with("UNFORESEEN"):
                night()
    assert night()["files"] == 1
