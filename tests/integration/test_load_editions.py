"""Editions of a file: which one speaks, never a hole between two, and which release date, dataset and months a file may have."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from ingest import landing
from tests.mps_deliveries import Land, landing_in, state
from tests.mps_files import borough_file
from tests.queries import rows
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings
from warehouse.steps import step


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


def test_both_files_of_one_publication_get_the_same_release_date(land: Land) -> None:
    assert land("borough_historical", borough_file("201004", "201006")).release_date == dt.date(2012, 7, 1)
    assert land("borough_recent", borough_file("201007", "201206"), "recent.csv").release_date == dt.date(2012, 7, 1)


def test_an_older_file_is_kept_as_history(land: Land) -> None:
    land("borough_recent", borough_file("202401", "202404"))
    assert land("borough_recent", borough_file("202311", "202403"), "older.csv").is_history


def test_a_hole_between_historical_and_recent_is_refused_with_the_missing_months_named(
    warehouse: Settings, land: Land
) -> None:
    land("borough_historical", borough_file("202301", "202307"))
    before = state(warehouse)
    with refused_with("MONTHS_MISSING", match="2023-08, 2023-09, 2023-10 .* borough_historical"):
        land("borough_recent", borough_file("202311", "202402"), "recent.csv")
    assert state(warehouse) == before


def test_a_hole_is_closed_by_landing_the_missing_file_first(land: Land) -> None:
    recent = borough_file("202311", "202402")
    land("borough_historical", borough_file("202301", "202307"))
    with refused_with("MONTHS_MISSING"):
        land("borough_recent", recent, "recent.csv")
    land("borough_historical", borough_file("202301", "202310"), "longer.csv")
    assert land("borough_recent", recent, "recent.csv").is_new


def test_a_publisher_who_goes_back_to_what_was_there_is_believed_again(warehouse: Settings, land: Land) -> None:
    first = borough_file("202401", "202402")
    spoilt = borough_file("202401", "202402", cells={("ARSON", "Barnet", "202401"): 49})
    newest = (
        "select load_id from ops.load where state = 'loaded' order by release_date desc, landed_at desc, load_id desc"
    )
    one = land("borough_recent", first)
    two = land("borough_recent", spoilt, "spoilt.csv")
    assert rows(warehouse, newest)[0] == (two.load_id,)
    assert land("borough_recent", first).is_back
    assert rows(warehouse, newest)[0] == (one.load_id,)
    assert not land("borough_recent", first).is_back
    arrivals = [file.provenance.sha256 for file in landing.every_file(warehouse.landing)]
    assert arrivals == [hashlib.sha256(body).hexdigest() for body in (first, spoilt, first)]


def test_a_file_the_publisher_went_back_to_speaks_again_though_the_night_that_fetched_it_was_killed(
    warehouse: Settings, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    newest = (
        "select load_id from ops.load where state = 'loaded' order by release_date desc, landed_at desc, load_id desc"
    )
    first = borough_file("202401", "202402")
    one = land("borough_recent", first)
    two = land("borough_recent", borough_file("202401", "202402", cells={("ARSON", "Barnet", "202401"): 49}), "b.csv")
    with connect(warehouse, LOADER) as connection:
        connection.execute(
            """insert into ops.fetched_address (source, dataset, url, sha256, bytes, fetched_at, checked_at)
               values ('mps', 'borough_recent', 'https://here/file.csv', %s, 1, clock_timestamp(), clock_timestamp())""",
            [hashlib.sha256(first).hexdigest()],
        )
    assert rows(warehouse, newest)[0] == (two.load_id,)
    steps.load("night", "mps", "borough_recent", [])
    assert rows(warehouse, newest)[0] == (one.load_id,)
    spoken = rows(warehouse, "select load_id, landed_at from ops.load order by load_id")
    steps.load("night", "mps", "borough_recent", [])
    assert rows(warehouse, "select load_id, landed_at from ops.load order by load_id") == spoken


def test_a_file_of_the_other_dataset_is_refused(land: Land) -> None:
    with refused_with("RELEASE_DATE_IMPOSSIBLE", match=r"20\d\d-\d\d-01"):
        land("borough_historical", borough_file("202404", "202603"))
    with refused_with("SPAN_OF_ANOTHER_DATASET", match="36 months, .* 30"):
        land("borough_recent", borough_file("202104", "202403"))


def test_a_release_date_that_was_refused_does_not_stick_to_the_file(warehouse: Settings, land: Land) -> None:
    body = borough_file("202401", "202402")
    with refused_with("RELEASE_DATE_IMPOSSIBLE", match="2099-01-01"):
        land("borough_recent", body, release_date=dt.date(2099, 1, 1))
    with refused_with("RELEASE_DATE_IMPOSSIBLE", match="2020-01-01 .* 2024-02"):
        land("borough_recent", body, release_date=dt.date(2020, 1, 1))
    assert land("borough_recent", body, release_date=dt.date(2024, 3, 6)).release_date == dt.date(2024, 3, 6)
    (file,) = landing.every_file(warehouse.landing)
    assert file.provenance.release_date == dt.date(2024, 3, 6)
    with refused_with(
        "RELEASE_DATE_IMPOSSIBLE",
        match="2024-03-06, .* 2024-03-07",
    ):
        land("borough_recent", body, release_date=dt.date(2024, 3, 7))


def test_a_piece_of_history_is_not_taken_for_the_historical_file(land: Land) -> None:
    land("borough_historical", borough_file("201004", "201903"))
    with refused_with(
        "SPAN_OF_ANOTHER_DATASET",
        match="2017-01, .* 2010-04",
    ):
        land("borough_historical", borough_file("201701", "201912"), "recent.csv")
