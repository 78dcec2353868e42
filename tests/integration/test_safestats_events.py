"""Event feeds: what is not as agreed is quarantined row by row, what is private never reaches raw, and counts alone reach the marts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from sandbox.safestats import feeds
from tests.queries import rows
from tests.refused import refused_with
from tests.safestats_files import AMBULANCE, EVENTS, SAFESTATS, ambulance, land
from warehouse.platform.settings import Settings
from warehouse.reports import status

ECDS = "Attendance ID,Site Code,EC_Injury_Date,EC_Injury_Time,EC_Injury_Intent_SNOMED_CT,Borough\n"


@pytest.mark.parametrize("dataset", EVENTS)
def test_every_feed_has_a_contract_and_its_stand_in_loads_whole(
    warehouse: Settings, tmp_path: Path, dataset: str
) -> None:
    assert SAFESTATS.dataset(dataset).contract == "2026-1"
    for file in feeds.files(dt.date(2026, 11, 22), 1):
        if file.folder == dataset:
            done = land(warehouse, tmp_path, dataset, file.body.decode(), file.name)
            assert (done.quarantined, done.rows) == (0, file.body.count(b"\n") - 1)
    assert rows(warehouse, "select distinct classification, part from ops.load order by 2") == [
        ("2026-1", "2026-08"), ("2026-1", "2026-09"), ("2026-1", "2026-10"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "column", "value", "reason"),
    [
        ("x,12/10/2026,21:15,Stabbing chest pain,20,M,Camden,", "Illness Code", None, "is not in the list"),
        ("x,12/10/2026,21:15,Assault,20,M,Camdem,", "Borough", None, "nearest in it: 'camden'"),
        ("x,31/02/2026,21:15,Assault,20,M,Camden,", "Dispatch Date", "31/02/2026", "is not a valid date"),
        ("x,10/13/2026,21:15,Assault,20,M,Camden,", "Dispatch Date", None, "does not match"),
        ("x,12/10/2026,24:00,Assault,20,M,Camden,", "Dispatch Time", None, "does not match"),
        ("x,12/10/2026,9pm,Assault,20,M,Camden,", "Dispatch Time", None, "does not match"),
        ("x,12/10/2026,21:15,Assault,aged 20,M,Camden,", "Age", None, "is not a number"),
        (",12/10/2026,21:15,Assault,20,M,Camden,", "Incident ID", None, "is blank"),
        ("x,12/10/2026,21:15,Assault,20,M", "the row", None, "has 6 fields where the header has 8"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_as_agreed_is_quarantined_and_the_rest_loads(
    warehouse: Settings, tmp_path: Path, line: str, column: str, value: str | None, reason: str
) -> None:
    done = land(warehouse, tmp_path, "ambulance_incidents", ambulance(line))
    assert (done.rows, done.quarantined) == (40, 1)
    ((found_column, found_value, found_reason, row),) = rows(
        warehouse, "select column_name, value, reason, row_number from quarantine.refused_row"
    )
    assert (found_column, found_value, row) == (column, value, 41)
    assert reason in str(found_reason)
    assert rows(warehouse, "select rows_in_file, rows_loaded, rows_quarantined from ops.load") == [(41, 40, 1)]


def test_too_many_of_them_refuse_the_file(warehouse: Settings, tmp_path: Path) -> None:
    odd = ["x,12/10/2026,21:15,New code,20,M,Camden,"] * 3
    with refused_with("LABEL_UNKNOWN", match="row 41, column Illness Code"):
        land(warehouse, tmp_path, "ambulance_incidents", ambulance(*odd))
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(0,)]


@pytest.mark.parametrize("code", ["5.2684005E7", "52684005.0", "5.27E+07", "052684005", "99999999"])
def test_a_snomed_code_that_has_been_a_number_or_is_not_listed_is_quarantined(
    warehouse: Settings, tmp_path: Path, code: str
) -> None:
    good = "".join(f"{n},XYZ01,12/10/2026,21:15,52684005,Camden\n" for n in range(40))
    done = land(warehouse, tmp_path, "ed_ecds", f"{ECDS}{good}x,XYZ01,12/10/2026,21:15,{code},Camden\n")
    assert (done.rows, done.quarantined) == (40, 1)


def test_a_snomed_code_whose_check_digit_is_wrong_is_quarantined_whatever_list_it_is_of(
    warehouse: Settings, tmp_path: Path
) -> None:
    header = ECDS.rstrip("\n") + ",Injury Mechanism\n"
    # Refsets of the national data set, and none; the last digit of another, two digits swapped, one rounded by a spreadsheet.
    good = ["991281000000103", "1024501000000108", "999003031000000102", ""]
    bad = ["991281000000104", "1042501000000108", "999003031000000100"]
    lines = [f"{n},XYZ01,12/10/2026,21:15,52684005,Camden,{code}\n" for n, code in enumerate([*good * 20, *bad])]
    done = land(warehouse, tmp_path, "ed_ecds", header + "".join(lines))
    assert (done.rows, done.quarantined) == (80, 3)
    assert rows(warehouse, "select column_name, value, reason from quarantine.refused_row order by row_number") == [
        ("Injury Mechanism", code, "is not a valid identifier: its check digit is wrong") for code in bad
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("X1,12/10/2026,21:15,JANE DOE 07700900123,20,M,Camden,\n" * 50, "NOT_THE_FILE"),
        (AMBULANCE + "X1,12/10/2026,21:15,JANE DOE 07700900123,20,M,Camden,\n" * 50, "LABEL_UNKNOWN"),
        (AMBULANCE + "X1,12/10/2026,21:15,Assault,20,M,JANE DOE 07700900123,\n" * 50, "LABEL_UNKNOWN"),
        (AMBULANCE + "X1,JANE DOE 07700900123,21:15,Assault,20,M,Camden,\n" * 50, "VALUE_MALFORMED"),
        (AMBULANCE + "X1,12/10/2026,JANE DOE 07700900123,Assault,20,M,Camden,\n" * 50, "VALUE_MALFORMED"),
    ],
)
def test_a_person_named_where_nobody_should_be_stands_in_no_message_and_no_ledger(
    warehouse: Settings, tmp_path: Path, body: str, code: str
) -> None:
    with refused_with(code) as refusal:
        land(warehouse, tmp_path, "ambulance_incidents", body)
    ledgers = rows(
        warehouse, "select l::text from ops.load as l union all select q::text from quarantine.refused_row as q"
    )
    assert ledgers
    assert "JANE" not in str(refusal.value) + str(ledgers)


def test_free_text_never_reaches_raw(warehouse: Settings, tmp_path: Path) -> None:
    land(warehouse, tmp_path, "ambulance_incidents", ambulance())
    for dataset in EVENTS:
        columns = rows(
            warehouse, f"select column_name from information_schema.columns where table_name = 'safestats__{dataset}'"
        )
        assert not {"free_text", "place_text", "method_other_text"} & {name for (name,) in columns}
    assert rows(
        warehouse, "select count(*) from raw.safestats__ambulance_incidents as r where r::text like '%a name%'"
    ) == [(0,)]


def test_other_headers_for_the_same_columns_are_known_and_a_lost_one_is_named(
    warehouse: Settings, tmp_path: Path
) -> None:
    text = ambulance().replace("Incident ID,Dispatch Date,Dispatch Time", "CAD Number,Incident Date,Incident Time")
    assert land(warehouse, tmp_path, "ambulance_incidents", text).rows == 40
    with refused_with("HEADER_UNKNOWN", match="category"):
        land(warehouse, tmp_path, "ambulance_incidents", ambulance().replace("Illness Code", "Illness 2"))


def test_a_new_column_is_left_out_and_noted(warehouse: Settings, tmp_path: Path) -> None:
    text = "".join(f"{line},{'New' if n == 0 else 'a name'}\n" for n, line in enumerate(ambulance().splitlines()))
    assert land(warehouse, tmp_path, "ambulance_incidents", text).rows == 40
    assert rows(warehouse, "select drift from ops.load") == [
        ({"new columns by place": ["column 9"], "missing columns": ["lsoa_code"]},)
    ]
    (warning,) = status.warnings(warehouse)
    assert warning["warning"] == (
        "columns that are not declared, left out of raw (what they are called stands in the landed file alone: look there): column 9"
    )


def test_an_unknown_column_is_told_by_its_place_and_by_the_declared_one_that_is_close(
    warehouse: Settings, tmp_path: Path
) -> None:
    done = land(warehouse, tmp_path, "ambulance_incidents", ambulance().replace("Crew Notes", "Crew Note JD"))
    assert done.drift["new columns by place"] == ["column 8 (close to 'crew notes')"]
    with refused_with("HEADER_UNKNOWN", match=r"column 4 \(close to 'illness code'\); .*category") as refused:
        land(warehouse, tmp_path, "ambulance_incidents", ambulance().replace("Illness Code", "Illness Code Q"))
    assert "Code Q" not in str(refused.value)


def every_second(lines: list[str], between: str) -> str:
    """A file in which each second line end was lost, with something in its place."""
    return "".join(f"{between.join(lines[n : n + 2])}\n" for n in range(0, len(lines), 2))


LINE_ENDS_LOST = {
    "all are NEL": "\u0085".join,
    "all are NEL but the last": lambda lines: "\u0085".join(lines) + "\n",
    "the header's is U+2028": lambda lines: "\u2028".join([lines[0], "\n".join(lines[1:]) + "\n"]),
    "the header's is gone": lambda lines: "".join([lines[0], "\n".join(lines[1:]) + "\n"]),
    "every second is a comma": lambda lines: every_second(lines, ","),
    "every second is gone": lambda lines: every_second(lines, ""),
    "every second is NEL": lambda lines: every_second(lines, "\u0085"),
}


@pytest.mark.parametrize("how", LINE_ENDS_LOST)
@pytest.mark.parametrize("dataset", EVENTS)
def test_a_header_that_goes_on_into_a_row_refuses_the_file_and_tells_nothing_of_the_row(
    warehouse: Settings, tmp_path: Path, dataset: str, how: str
) -> None:
    file = next(file for file in feeds.files(dt.date(2026, 11, 22), 1) if file.folder == dataset)
    lines = file.body.decode().splitlines()
    with refused_with("FILE_DAMAGED") as refused:
        land(warehouse, tmp_path, dataset, LINE_ENDS_LOST[how](lines), file.name)
    assert rows(warehouse, "select state, rows_loaded from ops.load") == [("refused", 0)]
    ledgers = rows(
        warehouse,
        "select reason, drift::text from ops.load union all select q.value, q.reason from quarantine.refused_row as q",
    )
    said = refused.value.problem + str(ledgers)
    fields = [field for field in lines[1].split(",") if len(field) > 2]
    assert fields
    assert [field for field in fields if field in said] == []


def test_a_header_of_mostly_unknown_columns_is_none_of_a_feed_of_persons(warehouse: Settings, tmp_path: Path) -> None:
    lines = ambulance().splitlines()
    text = "".join(f"{'JANE,DOE,NW,ZZ,' if n == 0 else 'a,b,c,d,'}{line}\n" for n, line in enumerate(lines))
    land(warehouse, tmp_path, "ambulance_incidents", text)
    text = "".join(f"{'EH,' if n == 0 else 'e,'}{line}\n" for n, line in enumerate(text.splitlines()))
    with refused_with("HEADER_UNKNOWN", match=r"\b8 .*\b5 ") as no:
        land(warehouse, tmp_path, "ambulance_incidents", text)
    assert "JANE" not in str(no.value) + str(rows(warehouse, "select l::text from ops.load as l"))
