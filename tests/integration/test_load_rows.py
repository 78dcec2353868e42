"""Loading files with a row per row of raw: quarantine, drift, parts, what a release changed. On an invented source."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.connectors import file_drop
from ingest.declaration import Source
from ingest.landing import every_file
from ingest.load import Loaded
from ingest.raw import create_table
from ingest.readers import rows as rows_read
from sandbox.spoilt_archives import workbook
from tests.publishers import PARKS
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.reports import status
from warehouse.steps import loading, step

Land = Callable[..., Loaded]
HEADER = "Borough,Month,Park type,Incidents\n"


def rows_of(month: str, count: int, borough: str = "Barnet", each: int = 1) -> str:
    """So many rows of a month, of as many kinds of park."""
    return "".join(f"{borough},{month}-01,Park {chr(97 + n // 26)}{chr(97 + n % 26)},{each}\n" for n in range(count))


def declared(**changes: Any) -> Source:
    """The parks, with some of the declaration of `incidents` (and its layout) changed."""
    source = copy.deepcopy(PARKS.model_dump())
    dataset = source["datasets"]["incidents"]
    dataset["layout"].update(changes.pop("layout", {}))
    dataset.update(changes)
    return Source.model_validate(source)


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    """Lands and loads text as a file of the parks."""
    made: set[str] = set()

    def now(
        text: str | bytes, source: Source = PARKS, name: str = "a.csv", dataset: str = "incidents", **how: Any
    ) -> Loaded:
        if dataset not in made:
            made.add(dataset)
            with connect(warehouse, ADMIN) as connection:
                create_table(connection, source, dataset, source.dataset(dataset))
                connection.execute(f"grant select, insert, delete on raw.parks__{dataset} to vru_loader".encode())
                connection.execute(b"grant usage, select, update on all sequences in schema raw to vru_loader")
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        landed = file_drop.take(warehouse.landing, source, dataset, file, warehouse.now(), **how)
        return steps.load_one(warehouse, source, dataset, landed)

    return now


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings, ADMIN) as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_file_stands_in_raw_row_by_row_and_the_ledger_says_what_it_is_about(warehouse: Settings, land: Land) -> None:
    done = land(HEADER + rows_of("2026-09", 2, each=3) + rows_of("2026-10", 1, each=4))
    assert (done.rows, done.drift) == (3, {})
    assert ask(warehouse, "select *, null from raw.parks__incidents order by _row_number")[0][:6] == (
        "Barnet", "2026-09-01", "Park aa", "3", done.load_id, 1,
    )  # fmt: skip
    assert ask(warehouse, "select first_period, last_period, totals, changes, drift from ops.load") == [
        (dt.date(2026, 9, 1), dt.date(2026, 10, 1), {"2026-09": 6, "2026-10": 4}, {}, {})
    ]


BAD_ROWS = {"bad_rows": "quarantine", "at_most_quarantined": 0.1}


def test_bad_rows_are_quarantined_each_with_its_reason_and_the_rest_is_loaded(warehouse: Settings, land: Land) -> None:
    good = rows_of("2026-10", 30)
    done = land(HEADER + "Atlantis,2026-10-01,Common,5\nBrent,2026-10-01,Common,*\n" + good, declared(layout=BAD_ROWS))
    assert (done.rows, done.quarantined) == (30, 2)
    assert str(done).endswith("2 quarantined)")
    assert ask(warehouse, "select count(*), min(_row_number) from raw.parks__incidents") == [(30, 3)]
    assert ask(warehouse, "select rows_in_file, rows_loaded, rows_quarantined, state from ops.load") == [
        (32, 30, 2, "loaded")
    ]
    assert ask(warehouse, "select row_number, column_name, value from quarantine.refused_row order by 1") == [
        (1, "Borough", "Atlantis"),
        (2, "Incidents", "*"),
    ]


def test_more_bad_rows_than_declared_refuse_the_file(warehouse: Settings, land: Land) -> None:
    bad = "".join(f"Atlantis,2026-10-01,Common {chr(97 + n)},5\n" for n in range(4))
    with refused_with("LABEL_UNKNOWN", match="row 1, column Borough: 'Atlantis'"):
        land(HEADER + bad + rows_of("2026-10", 30), declared(layout=BAD_ROWS))
    assert ask(warehouse, "select count(*) from raw.parks__incidents") == [(0,)]
    assert ask(warehouse, "select rows_in_file, rows_loaded, rows_quarantined, state from ops.load") == [
        (34, 0, 34, "refused")
    ]


def test_a_file_with_more_faults_than_are_kept_is_refused_though_its_rows_might_be_quarantined(
    warehouse: Settings, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = "Atlantis,2026-10-01,Common,5\nBrent,2026-10-01,Common,*\n"
    monkeypatch.setattr(rows_read, "QUARANTINED", 1)
    with refused_with("LABEL_UNKNOWN", match="row 1, column Borough: 'Atlantis' .*; and 1 more"):
        land(HEADER + bad + rows_of("2026-10", 30), declared(layout=BAD_ROWS))
    monkeypatch.setattr(rows_read, "QUARANTINED", 2)
    assert land(HEADER + bad + rows_of("2026-10", 31), declared(layout=BAD_ROWS)).quarantined == 2


def test_a_file_cut_within_a_row_is_refused_though_bad_rows_may_be_quarantined(land: Land) -> None:
    with refused_with("FILE_CUT_SHORT"):
        land(HEADER + rows_of("2026-10", 30)[:-3], declared(layout=BAD_ROWS))


def test_a_value_of_a_person_is_withheld_wherever_it_is_told(warehouse: Settings, land: Land) -> None:
    columns = PARKS.model_dump()["datasets"]["incidents"]["layout"]["columns"]
    columns[3]["is_personal"] = True
    source = declared(layout={**BAD_ROWS, "columns": columns})
    land(HEADER + "Barnet,2026-10-01,Common,Jane\n" + rows_of("2026-10", 30), source)
    assert ask(warehouse, "select row_number, column_name, value from quarantine.refused_row") == [
        (1, "Incidents", None)
    ]


def test_a_new_column_loads_what_is_known_is_recorded_and_warned_about(warehouse: Settings, land: Land) -> None:
    plain = HEADER + rows_of("2026-10", 3)
    wider = plain.replace("Incidents\n", "Incidents,Source\n").replace(",1\n", ",1,x\n")
    assert land(plain).drift == {}
    assert status.warnings(warehouse) == []
    done = land(wider.replace("2026-10", "2026-11"), name="b.csv")
    assert str(done).endswith("WARNING: columns that are not declared, left out of raw: Source)")
    assert ask(warehouse, f"select count(*) from raw.parks__incidents where _load_id = {done.load_id}") == [(3,)]
    assert ask(warehouse, f"select drift from ops.load where load_id = {done.load_id}") == [
        ({"new columns": ["Source"]},)
    ]
    (warning,) = status.warnings(warehouse)
    assert warning["dataset"] == "incidents"
    assert warning["warning"] == "columns that are not declared, left out of raw: Source"


def test_a_new_column_that_is_declared_at_last_stands_in_raw_from_then_on(warehouse: Settings, land: Land) -> None:
    wider = (HEADER + rows_of("2026-10", 3)).replace("Incidents\n", "Incidents,Source\n").replace(",1\n", ",1,x\n")
    land(wider)
    columns = PARKS.model_dump()["datasets"]["incidents"]["layout"]["columns"]
    source = declared(layout={"columns": [*columns, {"name": "told_by", "headers": ["Source"]}]})
    with connect(warehouse, ADMIN) as connection:
        create_table(connection, source, "incidents", source.dataset("incidents"))
    land(wider.replace("2026-10", "2026-11"), source, "b.csv")
    assert ask(warehouse, "select month, min(told_by) from raw.parks__incidents group by 1 order by 1") == [
        ("2026-10-01", None),
        ("2026-11-01", "x"),
    ]
    assert status.warnings(warehouse) == []


def test_a_column_that_may_be_missing_is_warned_about_when_it_goes_and_not_ever_after(
    warehouse: Settings, land: Land
) -> None:
    columns = PARKS.model_dump()["datasets"]["incidents"]["layout"]["columns"]
    columns = [*columns, {"name": "note", "headers": ["Note"], "may_be_missing": True, "may_be_blank": True}]
    source = declared(layout={"columns": columns})
    with_note = (HEADER + rows_of("2026-09", 2)).replace("Incidents\n", "Incidents,Note\n").replace(",1\n", ",1,\n")
    land(with_note, source)
    assert status.warnings(warehouse) == []
    land(HEADER + rows_of("2026-10", 2), source, "b.csv")
    assert [row["warning"] for row in status.warnings(warehouse)] == ["columns it lacks: note"]
    land(HEADER + rows_of("2026-11", 2), source, "c.csv")
    assert status.warnings(warehouse) == []


def test_a_renamed_column_fails_its_dataset_alone(warehouse: Settings, land: Land) -> None:
    land(HEADER + rows_of("2026-10", 2))
    land(workbook((HEADER + rows_of("2026-10", 2)).encode()), dataset="workbook", name="a.xlsx")
    with refused_with("HEADER_UNKNOWN", match=r"'Count' .* incident"):
        land((HEADER + rows_of("2026-11", 2)).replace("Incidents", "Count"), name="b.csv")
    land(workbook((HEADER + rows_of("2026-11", 2)).encode()), dataset="workbook", name="b.xlsx")
    assert ask(warehouse, "select dataset, count(*) filter (where state = 'loaded') from ops.load group by 1 order by 1") == [
        ("incidents", 1), ("workbook", 2),
    ]  # fmt: skip


PARTS = {"part_pattern": r"(\d{4}-\d\d)-.*", "keep_releases": "newest_of_each_part"}


def test_of_each_part_the_newest_release_stands_in_raw_and_landing_keeps_all(warehouse: Settings, land: Land) -> None:
    source = declared(**PARTS)
    september = HEADER + rows_of("2026-09", 4)
    land(september, source, "2026-09-barnet.csv", release_date=dt.date(2026, 10, 5))
    land(HEADER + rows_of("2026-10", 3), source, "2026-10-barnet.csv", release_date=dt.date(2026, 11, 5))
    again = land(HEADER + rows_of("2026-09", 5), source, "2026-09-barnet.csv", release_date=dt.date(2026, 11, 5))
    standing = "select month, count(*) from raw.parks__incidents group by 1 order by 1"
    assert ask(warehouse, standing) == [("2026-09-01", 5), ("2026-10-01", 3)]
    assert ask(warehouse, "select part, state, rows_loaded from ops.load order by load_id") == [
        ("2026-09", "superseded", 4),
        ("2026-10", "loaded", 3),
        ("2026-09", "loaded", 5),
    ]
    assert len(list(warehouse.landing.glob("parks/incidents/*.csv"))) == 3
    assert ask(warehouse, f"select changes->>'rows' from ops.load where load_id = {again.load_id}") == [("1",)]


def test_an_older_release_of_a_part_is_loaded_and_at_once_superseded(warehouse: Settings, land: Land) -> None:
    source = declared(**PARTS)
    land(HEADER + rows_of("2026-09", 5), source, "2026-09-b.csv", release_date=dt.date(2026, 11, 5))
    older = land(HEADER + rows_of("2026-09", 4), source, "2026-09-b.csv", release_date=dt.date(2026, 10, 5))
    assert older.is_history
    assert ask(warehouse, "select count(*) from raw.parks__incidents") == [(5,)]
    assert ask(warehouse, "select state from ops.load order by load_id") == [("loaded",), ("superseded",)]


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
    (changes,) = (row[0] for row in ask(warehouse, "select changes from ops.load where file_name = 'b'"))
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
    assert ask(warehouse, "select totals, changes->>'sum' from ops.load order by load_id") == [
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


def test_a_header_and_no_rows_is_refused(warehouse: Settings, land: Land) -> None:
    with refused_with("NO_ROWS"):
        land(HEADER)


def test_blank_lines_are_no_rows_and_no_reason_to_refuse(warehouse: Settings, land: Land) -> None:
    assert land(HEADER + "\n" + rows_of("2026-10", 3) + "\n\n").rows == 3


def test_a_value_that_stands_twice_is_refused_as_declared(land: Land) -> None:
    with refused_with("ROW_REPEATED", match="row 3, .*'Barnet / 2026-10-01 / Park aa' .* row 1"):
        land(HEADER + rows_of("2026-10", 2) + rows_of("2026-10", 1))


def test_bytes_that_are_no_text_in_a_header_are_told_and_kept(warehouse: Settings, land: Land) -> None:
    with refused_with("HEADER_UNKNOWN", match="Incid.*xe9nts"):
        land((HEADER + rows_of("2026-10", 2)).encode().replace(b"Incidents", b"Incid\xe9nts"))
    assert ("Incid\\xe9nts",) in ask(warehouse, "select value from quarantine.refused_row")


def test_rows_that_are_given_twice_are_loaded_once_and_said(warehouse: Settings, land: Land) -> None:
    source = declared(layout={"repeats": "leave_out"})
    done = land(HEADER + rows_of("2026-10", 3, each=5) + rows_of("2026-10", 2, each=5), source)
    assert done.rows == 3
    assert "WARNING: rows that repeat another in every column, left out and counted once: 2, the first in row 4" in str(
        done
    )
    assert ask(warehouse, "select rows_loaded, rows_quarantined, totals from ops.load") == [(3, 0, {"2026-10": 15})]
    with refused_with("ROW_REPEATED", match=r"row 4, column the row: .* and says something else there"):
        land(HEADER + rows_of("2026-10", 3, each=5) + rows_of("2026-10", 1, each=6), source, "b.csv")


def test_a_file_that_was_refused_for_its_name_is_judged_again_under_another(warehouse: Settings, land: Land) -> None:
    source = declared(part_pattern=r"(\d{4}-\d\d)\.csv")
    text = HEADER + rows_of("2026-10", 3)
    for name in ("october.csv", "the tenth.csv"):
        with refused_with("NAME_UNKNOWN"):
            land(text, source, name)
    assert land(text, source, "2026-10.csv").rows == 3
    assert ask(warehouse, "select part, file_name from ops.load where state = 'loaded'") == [("2026-10", "2026-10.csv")]
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
    path, sha256 = ask(warehouse, "select landed_path, sha256 from ops.load where state = 'refused'")[0]
    assert steps.load("night 1", "parks", "incidents", []) == {"files": 0, "rows": 0, "editions": []}
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """insert into ops.fetched_address (source, dataset, url, sha256, bytes, fetched_at, checked_at)
               values ('parks', 'incidents', 'http://x/older.csv', %s, 1, now(), now())""",
            [sha256],
        )
    # Nothing has changed: nobody is told again.
    assert steps.load("night 2", "parks", "incidents", []) == {"files": 0, "rows": 0, "editions": []}
    assert ask(warehouse, "select count(*) from ops.load where state = 'refused'") == [(1,)]
    with connect(warehouse, ADMIN) as connection:
        connection.execute("delete from raw.parks__incidents where _load_id = %s", [first.load_id])
        connection.execute("update ops.load set state = 'withdrawn' where load_id = %s", [first.load_id])
    land(HEADER + rows_of("2025-01", 3), name="another.csv")
    today = warehouse.london_date().isoformat()
    assert steps.load("night 3", "parks", "incidents", []) == {"files": 1, "rows": 6, "editions": [today]}
    assert ask(warehouse, "select landed_path from ops.load where state = 'loaded' and rows_loaded = 6") == [(path,)]


def test_a_time_that_the_marts_have_no_month_for_is_refused(land: Land) -> None:
    told = r"is about {}, and the calendar of the marts is 2000-01 to 2039-12"
    with refused_with("OUTSIDE_CALENDAR", match=told.format("1999-12")):
        land(HEADER + rows_of("1999-12", 3), declared(release={"months_after_newest": 1}))
    with refused_with("OUTSIDE_CALENDAR", match=told.format("2040-01")):
        land(HEADER + rows_of("2040-01", 3), name="b.csv")
