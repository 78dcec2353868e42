"""Editions of files with a row per row of raw: parts, what a release changed, and what is judged again. On an invented source."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from ingest.landing import every_file
from tests.parks_files import HEADER, Land, declared, landing_in, rows_of
from tests.publishers_served import PARKS
from tests.queries import rows
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.reports import status
from warehouse.steps import loading, step


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


PARTS = {"part_pattern": r"(\d{4}-\d\d)-.*", "keep_releases": "newest_of_each_part"}


def test_of_each_part_the_newest_release_stands_in_raw_and_landing_keeps_all(warehouse: Settings, land: Land) -> None:
    source = declared(**PARTS)
    september = HEADER + rows_of("2026-09", 4)
    land(september, source, "2026-09-barnet.csv", release_date=dt.date(2026, 10, 5))
    land(HEADER + rows_of("2026-10", 3), source, "2026-10-barnet.csv", release_date=dt.date(2026, 11, 5))
    again = land(HEADER + rows_of("2026-09", 5), source, "2026-09-barnet.csv", release_date=dt.date(2026, 11, 5))
    standing = "select month, count(*) from raw.parks__incidents group by 1 order by 1"
    assert rows(warehouse, standing) == [("2026-09-01", 5), ("2026-10-01", 3)]
    assert rows(warehouse, "select part, state, rows_loaded from ops.load order by load_id") == [
        ("2026-09", "superseded", 4),
        ("2026-10", "loaded", 3),
        ("2026-09", "loaded", 5),
    ]
    assert len(list(warehouse.landing.glob("parks/incidents/*.csv"))) == 3
    assert rows(warehouse, f"select changes->>'rows' from ops.load where load_id = {again.load_id}") == [("1",)]


def test_an_older_release_of_a_part_is_loaded_and_at_once_superseded(warehouse: Settings, land: Land) -> None:
    source = declared(**PARTS)
    land(HEADER + rows_of("2026-09", 5), source, "2026-09-b.csv", release_date=dt.date(2026, 11, 5))
    older = land(HEADER + rows_of("2026-09", 4), source, "2026-09-b.csv", release_date=dt.date(2026, 10, 5))
    assert older.is_history
    assert rows(warehouse, "select count(*) from raw.parks__incidents") == [(5,)]
    assert rows(warehouse, "select state from ops.load order by load_id") == [("loaded",), ("superseded",)]


def test_a_file_whose_name_does_not_say_its_part_is_refused(land: Land) -> None:
    with refused_with("NAME_UNKNOWN"):
        land(HEADER + rows_of("2026-09", 4), declared(**PARTS), "barnet.csv")


def test_the_ledger_says_what_a_release_changed_and_by_how_much(warehouse: Settings, land: Land) -> None:
    first = land(
        HEADER + rows_of("2026-08", 3, each=5) + rows_of("2026-09", 3, each=10) + rows_of("2026-10", 3, each=7)
    )
    land(
        HEADER + rows_of("2026-09", 3, each=11) + rows_of("2026-10", 4, each=7) + rows_of("2026-11", 2, each=6),
        name="b",
    )
    (changes,) = (row[0] for row in rows(warehouse, "select changes from ops.load order by load_id desc limit 1"))
    assert changes == {
        "against_load": first.load_id, "rows": 0, "sum": 7, "months_new": ["2026-11"], "months_partial": [],
        "months_gone": ["2026-08"],
        "months_in_both": 2, "months_revised": 2, "revised_by": 10, "revised_most": {"month": "2026-10", "by": 7},
    }  # fmt: skip
    in_words = "rows +0; sum +7; 1 month new (2026-11); 1 month gone (2026-08); 2 of 2 months revised by +10, most 2026-10 (+7)"
    assert [row["changed"] for row in status.loads(warehouse)] == ["", in_words]
    assert [(row["dataset"], row["changes"]) for row in status.newest_changes(warehouse)] == [("incidents", in_words)]


def test_without_a_value_column_rows_are_what_changed(warehouse: Settings, land: Land) -> None:
    source = declared(layout={"value_column": None})
    land(HEADER + rows_of("2026-10", 3, each=5), source)
    land(HEADER + rows_of("2026-10", 5, each=5), source, "b.csv")
    assert rows(warehouse, "select totals, changes->>'sum' from ops.load order by load_id") == [
        ({"2026-10": 3}, None),
        ({"2026-10": 5}, "2"),
    ]


def test_an_older_copy_of_a_file_that_nobody_dates_is_refused(warehouse: Settings, land: Land) -> None:
    newer = HEADER + rows_of("2026-09", 3) + rows_of("2026-10", 3)
    land(newer)
    older = HEADER + rows_of("2026-08", 3) + rows_of("2026-09", 3)
    with refused_with("OLDER_COPY", match="2026-09-01, .* 2026-10-01"):
        land(older, name="older.csv")
    assert land(older, name="older.csv", release_date=dt.date(2026, 10, 1)).rows == 6  # a person says when it was
    (beside,) = warehouse.landing.glob("parks/incidents/*.events.jsonl")
    assert [json.loads(line) for line in beside.read_text().splitlines()][-2:] == [
        {"event": "described_again", "release_date": "2026-10-01"},
        {"event": "loaded"},
    ]
    assert land(HEADER + rows_of("2026-06", 3), name="about another time.csv").rows == 3


def test_a_file_cut_where_a_line_ends_is_told_by_what_its_months_lost(warehouse: Settings, land: Land) -> None:
    whole = HEADER + rows_of("2026-10", 120) + rows_of("2026-10", 120, "Brent")
    land(whole)
    cut = HEADER + rows_of("2026-10", 110)
    with refused_with("LESS_THAN_BEFORE", match="2026-10 has 110 and had 240"):
        land(cut, name="cut.csv")
    assert land(cut, declared(may_lose=1.0), "cut.csv").rows == 110


def test_a_file_that_was_refused_for_its_name_is_judged_again_under_another(warehouse: Settings, land: Land) -> None:
    source = declared(part_pattern=r"(\d{4}-\d\d)\.csv")
    text = HEADER + rows_of("2026-10", 3)
    for name in ("october.csv", "the tenth.csv"):
        with refused_with("NAME_UNKNOWN"):
            land(text, source, name)
    assert land(text, source, "2026-10.csv").rows == 3
    assert rows(warehouse, "select part from ops.load where state = 'loaded'") == [("2026-10",)]
    # From now on they are what they were loaded as, here and in a home that is rebuilt from landing.
    assert not land(text, source, "2026-11.csv").is_new
    (landed,) = every_file(warehouse.landing)
    assert landed.provenance.file_name == "2026-10.csv"


def test_bytes_that_once_stood_keep_their_name_when_another_is_refused(warehouse: Settings, land: Land) -> None:
    source = declared(part_pattern=r"(\d{4}-\d\d)\.csv")
    text = HEADER + rows_of("2026-10", 3)
    done = land(text, source, "2026-10.csv")
    with connect(warehouse, ADMIN) as connection:
        connection.execute("delete from raw.parks__incidents")
        connection.execute("update ops.load set state = 'superseded' where load_id = %s", [done.load_id])
    assert land(text, source, "october.csv").rows == 3
    (landed,) = every_file(warehouse.landing)
    assert landed.provenance.file_name == "2026-10.csv"


def test_a_duplicate_of_a_file_that_was_refused_is_told_once_wherever_it_came_from(
    warehouse: Settings, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    monkeypatch.setattr(loading, "find_source", {"parks": PARKS}.__getitem__)
    land(HEADER + rows_of("2026-09", 3) + rows_of("2026-10", 3))
    with refused_with("OLDER_COPY"):
        land(HEADER + rows_of("2026-08", 3) + rows_of("2026-09", 3), name="older.csv")
    path = rows(warehouse, "select landed_path from ops.load where state = 'refused'")[0][0]
    # The same bytes under another address: a night lands them, and they are refused as before.
    assert steps.load("night 2", "parks", "incidents", [path]) == {"files": 0, "rows": 0, "editions": []}
    assert rows(warehouse, "select distinct code from ops.load where state = 'refused'") == [("OLDER_COPY",)]
    assert rows(warehouse, "select count(*) from ops.run_problem") == [(0,)]


def test_what_the_publisher_still_offers_is_judged_again_once_another_file_has_come(
    warehouse: Settings, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    monkeypatch.setattr(loading, "find_source", {"parks": PARKS}.__getitem__)
    newer, older = (
        HEADER + rows_of("2026-09", 3) + rows_of("2026-10", 3),
        HEADER + rows_of("2026-08", 3) + rows_of("2026-09", 3),
    )
    first = land(newer)
    with refused_with("OLDER_COPY"):
        land(older, name="older.csv")
    path, sha256 = rows(warehouse, "select landed_path, sha256 from ops.load where state = 'refused'")[0]
    assert steps.load("night 1", "parks", "incidents", []) == {"files": 0, "rows": 0, "editions": []}
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """insert into ops.fetched_address (source, dataset, url, sha256, bytes, fetched_at, checked_at)
               values ('parks', 'incidents', 'http://x/older.csv', %s, 1, now(), now())""",
            [sha256],
        )
    # Nothing has changed: nobody is told again.
    assert steps.load("night 2", "parks", "incidents", []) == {"files": 0, "rows": 0, "editions": []}
    assert rows(warehouse, "select count(*) from ops.load where state = 'refused'") == [(1,)]
    with connect(warehouse, ADMIN) as connection:
        connection.execute("delete from raw.parks__incidents where _load_id = %s", [first.load_id])
        connection.execute("update ops.load set state = 'withdrawn' where load_id = %s", [first.load_id])
    land(HEADER + rows_of("2025-01", 3), name="another.csv")
    today = warehouse.london_date().isoformat()
    assert steps.load("night 3", "parks", "incidents", []) == {"files": 1, "rows": 6, "editions": [today]}
    assert rows(warehouse, "select landed_path from ops.load where state = 'loaded' and rows_loaded = 6") == [(path,)]
