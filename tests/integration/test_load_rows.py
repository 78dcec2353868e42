"""Loading files with a row per row of raw: quarantine, drift, parts, what a release changed. On an invented source."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ingest.raw import create_table
from ingest.readers import rows as rows_read
from sandbox.spoilt_archives import workbook
from tests.parks_files import HEADER, Land, declared, landing_in, rows_of
from tests.publishers_served import PARKS
from tests.queries import rows
from tests.refused import refused_with
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.reports import status


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


def test_a_file_stands_in_raw_row_by_row_and_the_ledger_says_what_it_is_about(warehouse: Settings, land: Land) -> None:
    done = land(HEADER + rows_of("2026-09", 2, each=3) + rows_of("2026-10", 1, each=4))
    assert (done.rows, done.drift) == (3, {})
    assert rows(warehouse, "select *, null from raw.parks__incidents order by _row_number")[0][:6] == (
        "Barnet", "2026-09-01", "Park aa", "3", done.load_id, 1,
    )  # fmt: skip
    assert rows(warehouse, "select first_period, last_period, totals, changes, drift from ops.load") == [
        (dt.date(2026, 9, 1), dt.date(2026, 10, 1), {"2026-09": 6, "2026-10": 4}, {}, {})
    ]


BAD_ROWS = {"bad_rows": "quarantine", "at_most_quarantined": 0.1}


def test_bad_rows_are_quarantined_each_with_its_reason_and_the_rest_is_loaded(warehouse: Settings, land: Land) -> None:
    good = rows_of("2026-10", 30)
    done = land(HEADER + "Atlantis,2026-10-01,Common,5\nBrent,2026-10-01,Common,*\n" + good, declared(layout=BAD_ROWS))
    assert (done.rows, done.quarantined) == (30, 2)
    assert str(done).endswith("2 quarantined)")
    assert rows(warehouse, "select count(*), min(_row_number) from raw.parks__incidents") == [(30, 3)]
    assert rows(warehouse, "select rows_in_file, rows_loaded, rows_quarantined, state from ops.load") == [
        (32, 30, 2, "loaded")
    ]
    assert rows(warehouse, "select row_number, column_name, value from quarantine.refused_row order by 1") == [
        (1, "Borough", "Atlantis"),
        (2, "Incidents", "*"),
    ]


def test_more_bad_rows_than_declared_refuse_the_file(warehouse: Settings, land: Land) -> None:
    bad = "".join(f"Atlantis,2026-10-01,Common {chr(97 + n)},5\n" for n in range(4))
    with refused_with("LABEL_UNKNOWN", match="row 1, column Borough: 'Atlantis'"):
        land(HEADER + bad + rows_of("2026-10", 30), declared(layout=BAD_ROWS))
    assert rows(warehouse, "select count(*) from raw.parks__incidents") == [(0,)]
    assert rows(warehouse, "select rows_in_file, rows_loaded, rows_quarantined, state from ops.load") == [
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
    assert rows(warehouse, "select row_number, column_name, value from quarantine.refused_row") == [
        (1, "Incidents", None)
    ]


def test_a_new_column_loads_what_is_known_is_recorded_and_warned_about(warehouse: Settings, land: Land) -> None:
    plain = HEADER + rows_of("2026-10", 3)
    wider = plain.replace("Incidents\n", "Incidents,Source\n").replace(",1\n", ",1,x\n")
    assert land(plain).drift == {}
    assert status.warnings(warehouse) == []
    done = land(wider.replace("2026-10", "2026-11"), name="b.csv")
    assert str(done).endswith("WARNING: columns that are not declared, left out of raw: Source)")
    assert rows(warehouse, f"select count(*) from raw.parks__incidents where _load_id = {done.load_id}") == [(3,)]
    assert rows(warehouse, f"select drift from ops.load where load_id = {done.load_id}") == [
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
    assert rows(warehouse, "select month, min(told_by) from raw.parks__incidents group by 1 order by 1") == [
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
    assert rows(warehouse, "select dataset, count(*) filter (where state = 'loaded') from ops.load group by 1 order by 1") == [
        ("incidents", 1), ("workbook", 2),
    ]  # fmt: skip


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
    assert ("Incid\\xe9nts",) in rows(warehouse, "select value from quarantine.refused_row")


def test_rows_that_are_given_twice_are_loaded_once_and_said(warehouse: Settings, land: Land) -> None:
    source = declared(layout={"repeats": "leave_out"})
    done = land(HEADER + rows_of("2026-10", 3, each=5) + rows_of("2026-10", 2, each=5), source)
    assert done.rows == 3
    assert "WARNING: rows that repeat another in every column, left out and counted once: 2, the first in row 4" in str(
        done
    )
    assert rows(warehouse, "select rows_loaded, rows_quarantined, totals from ops.load") == [(3, 0, {"2026-10": 15})]
    with refused_with("ROW_REPEATED", match=r"row 4, .* row 1\b"):
        land(HEADER + rows_of("2026-10", 3, each=5) + rows_of("2026-10", 1, each=6), source, "b.csv")


def test_a_time_that_the_marts_have_no_month_for_is_refused(land: Land) -> None:
    with refused_with("OUTSIDE_CALENDAR", match="1999-12, .* 2000-01 to 2039-12"):
        land(HEADER + rows_of("1999-12", 3), declared(release={"months_after_newest": 1}))
    with refused_with("OUTSIDE_CALENDAR", match="2040-01, .* 2000-01 to 2039-12"):
        land(HEADER + rows_of("2040-01", 3), name="b.csv")
