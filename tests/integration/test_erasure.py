"""Erasing a file: nothing of it is left in landing, raw, quarantine, history or backups, and a row says so."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ingest import landing
from tests.queries import rows
from tests.refused import refused_with
from tests.safestats_files import ambulance, land
from warehouse import steps
from warehouse.home import backup
from warehouse.platform import audit
from warehouse.platform.connection import ADMIN, AUDITOR, PUBLISHER, connect
from warehouse.platform.settings import Settings
from warehouse.steps import step

THIS = ("safestats", "ambulance_incidents")


@pytest.fixture
def home(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    warehouse = warehouse.model_copy(update={"today": dt.date(2026, 11, 22)})
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    return warehouse


def release(home: Settings, candidate: str, *loads: int) -> None:
    """Note a release that was built of these loads."""
    with connect(home, ADMIN) as connection:
        connection.execute(
            "insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind) values (%s, '', '', 'synthetic')",
            [candidate],
        )
        for load_id in loads:
            connection.execute("insert into ops.candidate_load values (%s, %s)", [candidate, load_id])
        connection.execute(
            """insert into ops.release (candidate_id, verdict, state, judged_at, published_at, code_version, data_kind)
               values (%s, 'passed', 'published', now(), now(), '', 'synthetic')""",
            [candidate],
        )


def test_a_file_is_erased_from_landing_to_backups_and_a_row_proves_it(home: Settings, tmp_path: Path) -> None:
    load_id = land(home, tmp_path, "ambulance_incidents", ambulance(), "feed-2026-10.csv").load_id
    ((path, sha256, size),) = rows(home, "select landed_path, sha256, bytes from ops.load")
    with connect(home, ADMIN) as connection:
        connection.execute(
            "insert into quarantine.refused_row (load_id, row_number, column_name, value, reason) values (%s, 1, 'age', 'x', '')",
            [load_id],
        )
    with connect(home, PUBLISHER) as connection:
        connection.execute(
            """create table marts.dim_measure as
                   select 'safestats_las_dispatches' as measure_code, 'safestats' as source union all select 'mps_homicide', 'mps';
               create table marts_past.fct_measure as select * from (values
                   ('safestats_las_dispatches', 1::bigint, 2::bigint), ('safestats_las_dispatches', 2, 3), ('safestats_las_dispatches', 1, null),
                   ('mps_homicide', 1, 2)
               ) as past (measure_code, valid_from_release_id, valid_to_release_id)"""
        )
    release(home, "with_it", load_id)
    audit.write(home, PUBLISHER, "export", "fct_measure")
    backup.take(home)

    assert steps.erase(*THIS, path, "not ours to hold", "the owner") == [], "the marts are made of it"
    assert not (home.landing / path).exists()
    assert rows(
        home,
        """select (select count(*) from raw.safestats__ambulance_incidents), (select count(*) from quarantine.refused_row),
                  (select count(*) from marts_past.fct_measure), (select (state, totals, label_counts)::text from ops.load)""",
    ) == [(0, 0, 4, "(withdrawn,{},{})")]
    assert [sha256 in one.landing.values() for one in backup.backups(home)] == [True]

    release(home, "without_it")
    (proof,) = steps.finish_erasures()
    assert {name: proof[name] for name in ("raw_rows", "quarantined_rows", "landed_bytes", "history_rows", "backups_removed")} == {
        "raw_rows": 40, "quarantined_rows": 1, "landed_bytes": size, "history_rows": 1, "backups_removed": 1,
    }  # fmt: skip
    assert (proof["kind"], proof["asked_by"], proof["exports_to_call_back"]) == ("controller", "the owner", 1)
    # What was true in the first release, and of its owner's measures.
    assert rows(home, "select measure_code, valid_from_release_id from marts_past.fct_measure order by 1, 2") == [
        ("mps_homicide", 1), ("safestats_las_dispatches", 1), ("safestats_las_dispatches", 2),
    ]  # fmt: skip
    assert [sha256 in one.landing.values() for one in backup.backups(home)] == [False]
    assert not backup.kept(backup.folder_of(home) / backup.LANDING, sha256).exists()
    assert rows(home, "select subject, why from ops.audit where action = 'erase'") == [(path, "not ours to hold")]
    assert audit.check(home, AUDITOR)[1] is None
    assert steps.finish_erasures() == []

    assert list(landing.every_file(home.landing)) == []
    with refused_with("FILE_ERASED", match=r"was erased on 2026-11-22 and has come again"):
        land(home, tmp_path, "ambulance_incidents", ambulance(), "feed-2026-10.csv")
    assert not (home.landing / path).exists()


def test_a_file_goes_when_it_was_kept_for_as_long_as_its_source_says(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(home, tmp_path, "ambulance_incidents", ambulance())
    ((path,),) = rows(home, "select landed_path from ops.load")
    found = []
    for days in (1826, 1828):
        later = home.model_copy(update={"today": dt.date(2026, 11, 22) + dt.timedelta(days=days)})
        monkeypatch.setattr(step, "settings", lambda later=later: later)
        found.append([(row["kind"], row["landed_path"], row["raw_rows"]) for row in steps.erase_due()])
    assert found == [[], [("retention", path, 40)]]
    assert rows(home, "select count(*) from raw.safestats__ambulance_incidents") == [(0,)]


def test_what_is_no_file_of_the_dataset_is_not_erased(home: Settings, tmp_path: Path) -> None:
    land(home, tmp_path, "ambulance_incidents", ambulance())
    ((path,),) = rows(home, "select landed_path from ops.load")
    with refused_with("LANDED_FILE_NOT_THERE"):
        steps.erase("safestats", "ed_ecds", path, "a slip", "me")
    assert (home.landing / path).exists()
