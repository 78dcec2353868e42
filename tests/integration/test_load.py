"""Landing and loading: every file once, whole or not at all."""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from ingest import landing
from ingest.connectors import file_drop
from ingest.errors import FileRefused
from ingest.load import Loaded
from tests.mps_deliveries import MPS, Land, landing_in, state
from tests.mps_files import borough_file, categories, count
from tests.queries import rows
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import ADMIN, LOADER, connect
from warehouse.platform.settings import Settings

ROWS = len(categories("connect_2025")) * 33  # 32 boroughs and Unknown


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


def test_every_cell_of_a_file_stands_in_raw_as_text_with_its_load_and_row(warehouse: Settings, land: Land) -> None:
    done = land("borough_recent", borough_file("202401", "202402"))
    assert done == Loaded(done.load_id, dt.date(2024, 3, 1), len(categories("connect_2025")) * 33, True, False)
    assert rows(
        warehouse,
        """select borough_name, minor_text, month_header, cell, _load_id, _row_number from raw.mps__borough_recent
           where _row_number = 2 order by month_header""",
    ) == [
        ("Barnet", "ARSON", "202401", str(count(0, 1, "202401")), done.load_id, 2),
        ("Barnet", "ARSON", "202402", str(count(0, 1, "202402")), done.load_id, 2),
    ]
    assert rows(warehouse, "select count(*) from raw.mps__borough_recent") == [(done.rows * 2,)]


def test_the_ledger_says_what_a_file_was(warehouse: Settings, land: Land) -> None:
    body = borough_file("202401", "202402", vintage="connect_2024")
    done = land("borough_recent", body, "MPS Borough.csv")
    assert rows(
        warehouse,
        """select source, dataset, release_date, sha256, file_name, bytes, classification, first_period, last_period,
               rows_in_file, rows_loaded, rows_quarantined, state, reason, is_synthetic from ops.load""",
    ) == [
        ("mps", "borough_recent", dt.date(2024, 3, 1), hashlib.sha256(body).hexdigest(), "MPS Borough.csv", len(body),
         "connect_2024", dt.date(2024, 1, 1), dt.date(2024, 2, 1), done.rows, done.rows, 0, "loaded", None, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "next_step"),
    [
        (b"<html>try again later</html>\n", "fetch it again"),
        (borough_file("202401", "202402").rstrip(b"\r\n"), "fetch it again"),
        (borough_file("202401", "202402").replace(b"Barnet", b"Barnett"), "extend its source.yml or the named seed"),
    ],
    ids=["a page", "cut short", "a new label"],
)
def test_what_to_do_next_depends_on_what_is_wrong(land: Land, body: bytes, next_step: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        land("borough_recent", body)
    assert f"Next: {next_step}" in str(refusal.value).replace("if the publisher has changed the file, ", "")


def test_what_a_killed_landing_left_is_removed_by_the_next_and_what_another_is_writing_is_not(
    warehouse: Settings, land: Land
) -> None:
    folder = warehouse.landing / "mps" / "borough_recent"
    (folder / ".incoming-folder").mkdir(parents=True)
    for name in ("dead", "at work", "new"):
        (folder / f".incoming-{name}").write_bytes(b"half")
    for left in folder.iterdir():
        if left.name != ".incoming-new":
            os.utime(left, (time.time() - 120,) * 2)
    with (folder / ".incoming-at work").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        land("borough_recent", borough_file("202401", "202402"))
    assert sorted(file.name for file in folder.glob(".incoming-*")) == [".incoming-at work", ".incoming-new"]


def test_the_same_bytes_are_loaded_once(warehouse: Settings, land: Land) -> None:
    body = borough_file("202401", "202402")
    first = land("borough_recent", body)
    before = state(warehouse)
    again = land("borough_recent", body, "under another name.csv")
    assert (again.load_id, again.is_new) == (first.load_id, False)
    assert state(warehouse) == before


def test_a_file_that_is_refused_stays_in_landing_and_changes_neither_raw_nor_the_rest_of_the_ledger(
    warehouse: Settings, land: Land
) -> None:
    land("borough_recent", borough_file("202401", "202402"))
    before = state(warehouse)
    bad = borough_file(
        "202402", "202403", cells={("ARSON", "Barnet", "202403"): -5, ("RAPE", "Brent", "202402"): "n/a"}
    )
    with refused_with("VALUE_NOT_A_NUMBER") as refused:
        land("borough_recent", bad, "bad.csv")
    told = str(refused.value)
    assert "file bad.csv: row 2, column 202403: '-5' is not a whole number of offences, 0 or more" in told
    assert "column 202402: 'n/a' is not a whole number" in told
    assert "raw and the marts are as they were" in told
    assert state(warehouse) == before
    assert (warehouse.landing / "mps" / "borough_recent" / f"{hashlib.sha256(bad).hexdigest()}.csv").read_bytes() == bad
    assert rows(
        warehouse, "select state, rows_in_file, rows_loaded, rows_quarantined = rows_in_file from ops.load order by 1"
    ) == [
        ("loaded", ROWS, ROWS, False),
        ("refused", ROWS, 0, True),
    ]
    assert rows(
        warehouse, "select row_number, column_name, value, reason from quarantine.refused_row order by row_number"
    )[0] == (2, "202403", "-5", "is not a whole number of offences, 0 or more")


def test_a_home_of_real_data_refuses_synthetic_files_and_the_other_way_round(warehouse: Settings, land: Land) -> None:
    land("borough_recent", borough_file("202401", "202402"))
    with refused_with("KINDS_MIXED", where="invented.csv"):
        land("borough_recent", borough_file("202402", "202403"), "invented.csv", is_synthetic=True)
    assert not list(warehouse.landing.glob("*/*/*.csv"))[1:]
    assert rows(warehouse, "select data_kind from ops.warehouse") == [("real",)]


def test_a_database_of_synthetic_data_refuses_real_files_though_landing_is_new(
    warehouse: Settings, land: Land, tmp_path: Path
) -> None:
    land("borough_recent", borough_file("202401", "202402"), is_synthetic=True)
    elsewhere = warehouse.model_copy(update={"home": tmp_path / "elsewhere"})
    file = tmp_path / "real.csv"
    file.write_bytes(borough_file("202402", "202403"))
    landed = file_drop.take(elsewhere.landing, MPS, "borough_recent", file, elsewhere.now())
    with refused_with("KINDS_MIXED"):
        steps.load_one(elsewhere, MPS, "borough_recent", landed)


def test_landed_bytes_that_changed_since_are_refused(warehouse: Settings, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(borough_file("202401", "202402"))
    landed = file_drop.take(warehouse.landing, MPS, "borough_recent", file, warehouse.now())
    landed.path.chmod(0o644)
    landed.path.write_bytes(borough_file("202401", "202402", cells={("ARSON", "Barnet", "202401"): 49}))
    with refused_with("LANDING_DAMAGED"):
        steps.load_one(warehouse, MPS, "borough_recent", landed)
    assert rows(warehouse, "select count(*) from raw.mps__borough_recent") == [(0,)]


def test_papers_beside_a_landed_file_say_where_it_came_from(warehouse: Settings, land: Land) -> None:
    land("borough_recent", borough_file("202401", "202402"), "MPS.csv", release_date=dt.date(2024, 3, 6))
    (beside,) = warehouse.landing.glob("mps/borough_recent/*.papers.json")
    papers = json.loads(beside.read_text())
    assert (papers["file_name"], papers["is_synthetic"]) == ("MPS.csv", False)
    assert papers["licence"] == "Open Government Licence v3.0"
    assert landing.read_provenance(beside).landed_at.tzinfo is not None
    assert landing.read_provenance(beside).release_date == dt.date(2024, 3, 6), (
        "told by a person, believed, noted beside"
    )


def test_two_loads_of_one_file_at_once_leave_one(warehouse: Settings, land: Land, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(borough_file("202401", "202402"))
    landed = file_drop.take(warehouse.landing, MPS, "borough_recent", file, warehouse.now())
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: steps.load_one(warehouse, MPS, "borough_recent", landed), range(4)))
    assert sorted(d.is_new for d in done) == [False, False, False, True]
    assert rows(warehouse, "select count(*) from raw.mps__borough_recent") == [(done[0].rows * 2,)]


def test_a_load_that_is_killed_leaves_nothing_and_the_next_one_loads_it(warehouse: Settings, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(borough_file("202401", "202402"))
    landed = file_drop.take(warehouse.landing, MPS, "borough_recent", file, warehouse.now())
    with (
        connect(warehouse, ADMIN, autocommit=True) as blocker,
        # A transaction sees one snapshot of who is doing what, so another one looks.
        connect(warehouse, ADMIN, autocommit=True) as watcher,
    ):
        # The load waits for this lock when its rows are in and its line in the ledger is not.
        blocker.execute("begin; lock table ops.load in share row exclusive mode")
        code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from warehouse.platform.settings import settings
from warehouse import steps
from ingest import landing
from ingest.declaration import find_source
chosen = settings()
steps.load_one(chosen, find_source("mps"), "borough_recent", landing.find(chosen.landing, sys.argv[1]))
"""
        environment = {
            **os.environ,
            "VRU_HOME": str(warehouse.home),
            "VRU_SECRETS_DIR": str(warehouse.secrets),
            "VRU_DATABASE_URL": warehouse.database_url.get_secret_value() if warehouse.database_url else "",
        }
        relative = landed.path.relative_to(warehouse.landing).as_posix()
        process = subprocess.Popen([sys.executable, "-c", code, relative], env=environment)
        for _ in range(300):
            waiting = watcher.execute(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock' and usename = %s and datname = current_database()",
                [LOADER],
            ).fetchone()
            if waiting:
                break
            time.sleep(0.05)
        assert waiting
        process.send_signal(signal.SIGKILL)
        process.wait()
        blocker.execute("rollback")
    assert steps.load_one(warehouse, MPS, "borough_recent", landed).is_new
    assert rows(warehouse, "select count(distinct _load_id), count(*) from raw.mps__borough_recent") == [(1, ROWS * 2)]


def test_a_full_database_disk_is_a_sentence(warehouse: Settings, land: Land, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise psycopg.errors.DiskFull("could not extend file")

    monkeypatch.setattr("ingest.load._claim_kind", full)
    with refused_with("DISK_FULL"):
        land("borough_recent", borough_file("202401", "202402"))


def test_every_real_borough_file_loads_and_its_total_is_the_files(warehouse: Settings, samples: Path) -> None:
    files = sorted((samples / "mps" / "borough").glob("*.csv"), key=lambda f: f.name.split("_")[2])
    historical = [f for f in files if "_hist_" in f.name]
    for file in [*historical, *(f for f in files if f not in historical)]:
        dataset = "borough_historical" if file in historical else "borough_recent"
        landed = file_drop.take(warehouse.landing, MPS, dataset, file, warehouse.now())
        done = steps.load_one(warehouse, MPS, dataset, landed)
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        assert done.rows == len(lines) - 1
        expected = sum(int(field) for line in lines[1:] for field in line.split(",") if field.isdigit())
        assert rows(warehouse, f"select sum(cell::int) from raw.mps__{dataset} where _load_id = {done.load_id}") == [
            (expected,)
        ]


def test_papers_that_are_damaged_are_a_sentence(warehouse: Settings, land: Land) -> None:
    body = borough_file("202401", "202402")
    land("borough_recent", body)
    (papers,) = warehouse.landing.glob("mps/*/*.papers.json")
    papers.chmod(0o644)
    papers.write_text("{", encoding="utf-8")
    with refused_with("LANDING_DAMAGED"):
        land("borough_recent", body)


def test_what_no_reader_foresaw_is_refused_in_words_that_tell_nothing_of_the_file(
    warehouse: Settings, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("Jane Doe, 1 High Street")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.load.open_file", fails)
        with refused_with("UNFORESEEN") as refused:
            land("borough_recent", borough_file("202401", "202402"))
    assert "could not be read, for a reason that no check covers (KeyError, test_load.py line" in str(refused.value)
    assert "report this sentence" in str(refused.value)
    assert rows(warehouse, "select state, reason like '%KeyError%' from ops.load") == [("refused", True)]
    told = rows(warehouse, "select reason from ops.load union all select reason from quarantine.refused_row")
    assert "Jane Doe" not in str(refused.value) + str(told)
    assert land("borough_recent", borough_file("202401", "202402")).is_new


def test_a_landing_folder_that_cannot_be_read_is_not_held_against_the_file(
    warehouse: Settings, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.load.open_file", fails)
        with refused_with("FOLDER_NOT_USABLE"):
            land("borough_recent", borough_file("202401", "202402"))
    assert rows(warehouse, "select count(*) from ops.load") == [(0,)]
