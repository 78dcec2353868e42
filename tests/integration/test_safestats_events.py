"""Event feeds: what is not as agreed is quarantined row by row, what is private never reaches raw, and counts alone reach the marts."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ingest import landing
from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.errors import FileRefused, Refusal
from ingest.load import Loaded
from sandbox.safestats import feeds
from tests.builds import build_and_publish, found_by
from tests.conftest import Server, warehouse_to_build
from tests.integration.test_command_line import vru
from tests.integration.test_load import rows
from warehouse import runs, steps
from warehouse.build.transform import inputs
from warehouse.platform.connection import ADMIN, ANALYST, OPEN, connect
from warehouse.platform.settings import Settings
from warehouse.reports import status
from warehouse.steps import step

SAFESTATS = find_source("safestats")
EVENTS = [name for name, dataset in SAFESTATS.datasets.items() if dataset.part_pattern]
AMBULANCE = "Incident ID,Dispatch Date,Dispatch Time,Illness Code,Age,Gender,Borough,Crew Notes\n"
PLACED = "Incident Number,Date,Time,Illness,Age,Sex,LA Name,LSOA21CD\n"
ISTV = "Site Code,Assault Date,Assault Time,Assault Method,Assault Location Type,Borough\n"
ECDS = "Attendance ID,Site Code,EC_Injury_Date,EC_Injury_Time,EC_Injury_Intent_SNOMED_CT,Borough\n"


def land(warehouse: Settings, folder: Path, dataset: str, text: str, name: str = "feed-2026-10.csv") -> Loaded:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    landed = file_drop.take(warehouse.landing, SAFESTATS, dataset, file, warehouse.now())
    return steps.load_one(warehouse, SAFESTATS, dataset, landed)


def ambulance(*special: str, ordinary: int = 40) -> str:
    """A feed of ordinary assaults in Camden, and these lines among them."""
    return (
        AMBULANCE
        + "".join(f"{n},12/10/2026,21:15,Assault,20,M,Camden,a name\n" for n in range(ordinary))
        + "".join(f"{line}\n" for line in special)
    )


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
    with pytest.raises(FileRefused, match="row 41, column Illness Code: is not in the list"):
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
    "body",
    [
        "X1,12/10/2026,21:15,JANE DOE 07700900123,20,M,Camden,\n" * 50,
        AMBULANCE + "X1,12/10/2026,21:15,JANE DOE 07700900123,20,M,Camden,\n" * 50,
        AMBULANCE + "X1,12/10/2026,21:15,Assault,20,M,JANE DOE 07700900123,\n" * 50,
        AMBULANCE + "X1,JANE DOE 07700900123,21:15,Assault,20,M,Camden,\n" * 50,
        AMBULANCE + "X1,12/10/2026,JANE DOE 07700900123,Assault,20,M,Camden,\n" * 50,
    ],
)
def test_a_person_named_where_nobody_should_be_stands_in_no_message_and_no_ledger(
    warehouse: Settings, tmp_path: Path, body: str
) -> None:
    with pytest.raises(FileRefused) as refusal:
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
    with pytest.raises(FileRefused, match="has no column for category"):
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
    with pytest.raises(FileRefused) as refused:
        land(warehouse, tmp_path, "ambulance_incidents", ambulance().replace("Illness Code", "Illness Code Q"))
    assert refused.value.problem.startswith(
        "header has a column that is not known: column 4 (close to 'illness code'); header has no column for category"
    )
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
    # Without line ends at all, the free text within quotation marks is no CSV.
    says = "the header goes on into a row: a line end is missing" + ("|is not valid CSV" if "all" in how else "")
    with pytest.raises(FileRefused, match=says) as refused:
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
    with pytest.raises(FileRefused, match="is not one that we know: 8 of its columns are declared and 5 are not") as no:
        land(warehouse, tmp_path, "ambulance_incidents", text)
    assert "JANE" not in str(no.value) + str(rows(warehouse, "select l::text from ops.load as l"))


def test_a_file_whose_name_says_no_month_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="a name that does not say what it is about"):
        land(warehouse, tmp_path, "ambulance_incidents", ambulance(), "feed.csv")


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("las-2026-10_created-2026-11-03.csv", "2026-10"), ("2026-10-31 las.csv", "2026-10"),
        ("las 12026-01 2026-10.csv", "2026-10"),
    ],
)  # fmt: skip
def test_the_first_month_in_a_name_is_the_month_of_the_file(
    warehouse: Settings, tmp_path: Path, name: str, month: str
) -> None:
    land(warehouse, tmp_path, "ambulance_incidents", ambulance(), name)
    assert rows(warehouse, "select part, state from ops.load") == [(month, "loaded")]


def days(*of: str) -> str:
    """An ambulance feed of an event on each of these days."""
    return AMBULANCE + "".join(f"{n},{day},21:15,Assault,20,M,Barnet,\n" for n, day in enumerate(of))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "las-2026-09.csv",
            days(*["12/08/2026"] * 400),
            "is of 2026-09 by its name, and 0 of its 400 rows are; it has rows of 2026-08 \\(400\\)$",
        ),
        (
            "created-2026-11-03_las-2026-10.csv",
            ambulance(),
            "is of 2026-11 by its name, and 0 of its 40 rows are; it has rows of 2026-10 \\(40\\)$",
        ),
        (
            "las-2026-10.csv",
            days("12/10/2026", "13/09/2026", "14/09/2026"),
            "is of 2026-10 by its name, and 1 of its 3 rows are; it has rows of 2026-09 \\(2\\), 2026-10 \\(1\\)$",
        ),
        # The first twelve days of January as an American writes them: each lies in another month.
        (
            "las-2026-01.csv",
            days(*(f"01/{day:02d}/2026" for day in range(1, 13)), "01/05/2026"),
            "is of 2026-01 by its name, and 1 of its 13 rows are; it has rows of 2026-05 \\(2\\), 2026-01 \\(1\\), "
            "2026-02 \\(1\\), 2026-03 \\(1\\), 2026-04 \\(1\\) and 7 other months$",
        ),
    ],
)
def test_a_file_most_of_whose_events_lie_in_other_months_is_refused_and_no_month_becomes_zeros(
    warehouse: Settings, tmp_path: Path, name: str, text: str, says: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        land(warehouse, tmp_path, "ambulance_incidents", text, name)
    assert re.search(says, refused.value.problem), refused.value.problem
    assert rows(warehouse, "select state, rows_loaded from ops.load") == [("refused", 0)]
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(0,)]


def test_as_many_events_in_the_month_as_outside_it_are_of_the_month(warehouse: Settings, tmp_path: Path) -> None:
    text = days("12/10/2026", "13/10/2026", "30/09/2026", "01/11/2026")
    assert land(warehouse, tmp_path, "ambulance_incidents", text).rows == 4


def test_an_event_that_comes_again_is_quarantined_whatever_it_says_the_second_time(
    warehouse: Settings, tmp_path: Path
) -> None:
    same = "7,12/10/2026,21:15,Assault,20,M,Camden,a name"
    done = land(warehouse, tmp_path, "ambulance_incidents", ambulance(same, same.replace("Camden", "Barnet")))
    assert (done.rows, done.quarantined) == (40, 2)
    # Its number is personal, so it is not repeated.
    assert rows(
        warehouse, "select row_number, column_name, value, reason from quarantine.refused_row order by row_number"
    ) == [
        (41, "the row", None, "stands already in row 8"),
        (42, "the row", None, "stands already in row 8, and says something else there"),
    ]
    assert rows(
        warehouse, "select event_id, borough_name from raw.safestats__ambulance_incidents where event_id = '7'"
    ) == [("7", "Camden")]


def test_a_file_whose_events_all_came_three_times_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"row 41, column the row: stands already in row 1; .*; and 75 more"):
        land(warehouse, tmp_path, "ambulance_incidents", ambulance() + 2 * ambulance().removeprefix(AMBULANCE))
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(0,)]


def test_every_feed_whose_events_have_a_number_takes_each_number_once() -> None:
    key = {name: SAFESTATS.dataset(name).layout.unique for name in EVENTS}
    # Assaults that a hospital shares have no number; two that agree in everything may be two people.
    assert key == {name: () if name == "ed_istv" else ("event_id",) for name in EVENTS}


def test_two_people_hurt_in_one_fight_are_two(warehouse: Settings, tmp_path: Path) -> None:
    line = "XYZ01,12/10/2026,21:15,Fist/punch,Public place/street,Camden\n"
    assert land(warehouse, tmp_path, "ed_istv", ISTV + 2 * line).rows == 2


def test_a_newer_file_of_a_month_takes_the_place_of_the_older(warehouse: Settings, tmp_path: Path) -> None:
    land(warehouse, tmp_path, "ambulance_incidents", ambulance())
    land(warehouse, tmp_path, "ambulance_incidents", ambulance(ordinary=50))
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(50,)]
    assert rows(warehouse, "select state from ops.load order by load_id") == [("superseded",), ("loaded",)]


def test_the_name_of_a_file_of_persons_is_in_no_report(warehouse: Settings, tmp_path: Path) -> None:
    good, bad = tmp_path / "jane-example-2026-10.csv", tmp_path / "john-example-2026-10.csv"
    good.write_text(ambulance(), encoding="utf-8")
    bad.write_text(ambulance("x,12/10/2026,21:15,Assault,20,M,Camdem,"), encoding="utf-8")
    landed = vru(warehouse, "land", "safestats", "ambulance_incidents", str(good), str(bad), "--synthetic")
    hashes = [hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in (good, bad)]
    assert landed.stdout.startswith(f"file {hashes[0]}: loaded 40 rows")
    assert f"\nfile {hashes[1]}: loaded 40 rows" in landed.stdout
    listed = [
        vru(warehouse, command, *options).stdout for command in ("loads", "quarantine") for options in ((), ("--json",))
    ]
    assert all(hashes[1] in told for told in listed)
    reports = [landed.stdout, landed.stderr, vru(warehouse, "status").stdout, *listed]
    assert [told for told in reports if "-example" in told] == []


def test_a_withdrawn_file_is_read_by_no_build_night_or_rebuild_until_it_is_landed_again(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse.model_copy(update={"today": dt.date(2026, 11, 22)})
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    this = ("safestats", "ambulance_incidents")
    first = land(warehouse, tmp_path, "ambulance_incidents", ambulance())
    before = inputs(warehouse).fingerprint
    mistaken = land(warehouse, tmp_path, "ambulance_incidents", ambulance(ordinary=50), "not-ours-2026-10.csv")
    again = steps.withdraw(*this, mistaken.load_id, "not London's", "the owner")
    assert re.match(r"file [0-9a-f]{12}: loaded 40 rows \(load 3, edition of 2026-11-22;", str(again))
    assert rows(warehouse, "select count(*), min(_load_id) from raw.safestats__ambulance_incidents") == [(40, 3)]
    assert inputs(warehouse).fingerprint == before, "the next build is of what it would have been without the file"
    assert rows(warehouse, "select load_id, withdrawn_at::date, withdrawn_by, reason from ops.withdrawal") == [
        (mistaken.load_id, dt.date(2026, 11, 22), "the owner", "not London's")
    ]
    ((line),) = status.withdrawals(warehouse)
    (sha256,) = rows(warehouse, "select sha256 from ops.load where load_id = 2")[0]
    assert (line["file_name"], line["reason"], line["is_still_published"]) == (
        sha256[:12],
        "not London's",
        False,
    )

    (kept,) = landing.find_by_name(warehouse.landing, *this, "not-ours-2026-10.csv")
    assert [file.provenance.file_name for file in landing.every_file(warehouse.landing)] == ["feed-2026-10.csv"]
    with pytest.raises(Refusal, match=r"was withdrawn on 2026-11-22 by the owner \(not London's\) and came again"):
        steps.load("night", *this, [kept])
    for load_id, why in (
        (first.load_id, "is superseded"),
        (mistaken.load_id, "is withdrawn"),
        (99, "is not in the ledger"),
    ):
        with pytest.raises(Refusal, match=f"load {load_id} of safestats ambulance_incidents {why}"):
            steps.withdraw(*this, load_id, "a slip", "me")

    said = str(land(warehouse, tmp_path, "ambulance_incidents", ambulance(ordinary=50)))
    assert "withdrawn on 2026-11-22 by the owner (not London's), and now stands again" in said
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(50,)]
    assert status.withdrawals(warehouse) == []
    assert len(list(landing.every_file(warehouse.landing))) == 3, "a rebuild takes it, and after the other"


def test_a_withdrawal_is_whole_or_not_there_and_what_was_cut_off_is_put_right(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse.model_copy(update={"today": dt.date(2026, 11, 22)})
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    this = ("safestats", "ambulance_incidents")
    land(warehouse, tmp_path, "ambulance_incidents", ambulance())
    land(warehouse, tmp_path, "ambulance_incidents", ambulance(ordinary=50), "not-ours-2026-10.csv")
    ((before,), (path,)) = (
        landing.find_by_name(warehouse.landing, *this, name) for name in ("feed-2026-10.csv", "not-ours-2026-10.csv")
    )
    file = warehouse.landing / path
    states = "select state from ops.load order by load_id"

    def withdraw(load_id: int, reason: str = "not\nLondon's", by: str = "the owner") -> str | None:
        return steps.withdraw(*this, load_id, reason, by)

    for words, says in (
        ((" \n",), "--reason is empty"),
        (("a\udcff",), "--reason is not text"),
        (("why", ""), "--by is empty"),
    ):
        with pytest.raises(Refusal, match=says):
            withdraw(2, *words)
    # Its bytes are not there: the release before cannot take the place of what would go.
    (warehouse.landing / before).rename(tmp_path / "aside")
    with pytest.raises(Refusal, match=r"the release before it cannot take its place: .*nothing is withdrawn"):
        withdraw(2)
    (tmp_path / "aside").rename(warehouse.landing / before)
    assert rows(warehouse, states) == [("superseded",), ("loaded",)]
    assert (landing.read_withdrawal(file), status.withdrawals(warehouse)) == (None, [])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut_off:
        cut_off.setattr(landing, "note_withdrawal", killed)
        with pytest.raises(KeyboardInterrupt):
            withdraw(2)
    assert rows(warehouse, states) == [("superseded",), ("withdrawn",), ("loaded",)]
    assert landing.read_withdrawal(file) is None
    assert withdraw(2) is None, "the same again puts it right"
    note = landing.read_withdrawal(file)
    assert note is not None
    assert (note["withdrawn_by"], note["reason"]) == ("the owner", r"not\x0aLondon's")
    assert withdrawn_when(warehouse) == note["withdrawn_at"]

    # So does whatever reads landing: none of them takes the bytes back silently.
    landing.clear_withdrawal(file)
    with pytest.raises(
        Refusal,
        match=r"ambulance_incidents, file [0-9a-f]{12}: was withdrawn on 2026-11-22 by the owner .* and is read no more",
    ):
        steps.replay(*this, file=path)
    landing.clear_withdrawal(file)
    again = steps.replay(*this)
    assert again == {"files": 1, "rows": 40, "editions": ["2026-11-22"], "refused": [], "withdrawn": [path]}
    assert withdraw(4) is None, "nothing stands before it"
    with pytest.raises(Refusal, match=f"one that was withdrawn by landing it by hand: {before}, {path}"):
        steps.replay(*this)
    landing.clear_withdrawal(file)
    monkeypatch.setattr(runs, "build_and_publish", lambda *_, **__: True)
    runs.rebuild(warehouse, print)
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(0,)]

    # A note of bytes that stand, as a command left it that was killed after it and before its commit, is not believed.
    for put_right in (
        lambda: land(warehouse, tmp_path, "ambulance_incidents", ambulance()),
        lambda: steps.begin("night", ["safestats"]),
    ):
        land(warehouse, tmp_path, "ambulance_incidents", ambulance())
        landing.note_withdrawal(warehouse.landing / before, warehouse.now(), "the owner", "cut off")
        put_right()
        assert landing.read_withdrawal(warehouse.landing / before) is None


def withdrawn_when(warehouse: Settings) -> str:
    ((moment,),) = rows(warehouse, "select withdrawn_at from ops.withdrawal where load_id = 2")
    assert isinstance(moment, dt.datetime)
    return moment.isoformat()


def test_until_the_next_build_the_newest_published_month_is_that_of_what_was_withdrawn(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    land(warehouse, tmp_path, "ambulance_incidents", ambulance().replace("/10/2026", "/09/2026"), "feed-2026-09.csv")
    land(warehouse, tmp_path, "ambulance_incidents", ambulance())
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind) values ('one', '', '', 'real');
               insert into ops.candidate_load select 'one', load_id from ops.load;
               insert into ops.release (candidate_id, verdict, state, judged_at, published_at, code_version, data_kind)
               values ('one', 'passed', 'published', now(), now(), '', 'real');
               update ops.dataset set newest_published_month = '2026-10-01' where dataset = 'ambulance_incidents'"""
        )
    months = """select newest_period_start_date, newest_loaded_period_start_date from marts.data_status
                where dataset = 'ambulance_incidents'"""
    assert rows(warehouse, months) == [(dt.date(2026, 10, 1), dt.date(2026, 10, 1))]
    steps.withdraw("safestats", "ambulance_incidents", 2, "not London's", "the owner")
    assert rows(warehouse, months) == [(dt.date(2026, 10, 1), dt.date(2026, 9, 1))]
    steps.withdraw("safestats", "ambulance_incidents", 1, "nor this", "the owner")
    state = months.replace("newest_loaded_period_start_date", "newest_loaded_period_start_date, state, fetched_at")
    assert rows(warehouse, state) == [(dt.date(2026, 10, 1), None, "missing", None)]


# ---- built


TIMES = {
    "12/10/2026,21:15": ("exact", dt.datetime(2026, 10, 12, 20, 15, tzinfo=dt.UTC)),
    "2026-10-13,1:05:30": ("exact", dt.datetime(2026, 10, 13, 0, 5, 30, tzinfo=dt.UTC)),
    "14/10/2026,7": ("hour", dt.datetime(2026, 10, 14, 6, 0, tzinfo=dt.UTC)),
    "15/10/2026,": ("date_only", None),
    "16/10/2026,00:00": ("default_midnight", dt.datetime(2026, 10, 15, 23, 0, tzinfo=dt.UTC)),
    "25/10/2026,01:30": ("repeated_hour", dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)),
    "25/10/2026,00:59": ("exact", dt.datetime(2026, 10, 24, 23, 59, tzinfo=dt.UTC)),
    "25/10/2026,02:00": ("exact", dt.datetime(2026, 10, 25, 2, 0, tzinfo=dt.UTC)),
    "29/03/2026,01:30": ("impossible_hour", None),
    "29/03/2026,02:00": ("exact", dt.datetime(2026, 3, 29, 1, 0, tzinfo=dt.UTC)),
}


@pytest.fixture(scope="module")
def built(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("events")
    with warehouse_to_build(server, folder) as settings:
        lines = [f"t{n},{time},Animal Bite,20,M,Camden," for n, time in enumerate(TIMES)]
        lines += ["o,12/10/2026,12:00,Assault,20,M,Outside London,", "u,12/10/2026,12:00,Knife Injury,20,M,,"]
        land(settings, folder, "ambulance_incidents", ambulance(*lines, "l,12/09/2026,12:00,Assault,20,M,Camden,"))
        # Both vintages of LSOA, one that is not London's, and a borough that the LSOA knows better.
        places = [",E01000001", ",E01033784", "Camden,E01000002", "Camden,E01099999", ",W01000001"]
        # Of one of them neither age nor sex is known: too few for the month to have no figures by age.
        text = PLACED + "".join(
            f"{n},01/09/2026,12:00,Gun Injury,{',' if n == 3 else '20,M'},{place}\n" for n, place in enumerate(places)
        )
        land(settings, folder, "ambulance_incidents", text, "feed-2026-09.csv")
        treated = [
            "1,Knife/sharp object,Own home,Camden",
            "1,Unknown,Public place/street,Camden",
            "2,Gun,Unknown,Barnet",
        ]
        text = "".join(f"XYZ0{line}\n".replace(",", ",12/10/2026,21:15,", 1) for line in (treated[0], *treated))
        land(settings, folder, "ed_istv", ISTV + text)
        assert build_and_publish(settings)
        yield settings


def test_a_local_time_says_what_it_is_worth(built: Settings) -> None:
    found = rows(
        built,
        "select time_quality, event_at from intermediate.int_safestats_event where row_number between 41 and 50 order by row_number",
    )
    assert found == list(TIMES.values())


def test_counts_by_month_reach_the_marts_with_zeros_and_what_has_no_borough(built: Settings) -> None:
    assert rows(
        built,
        """select area_code, value::int from marts.fct_measure
           where measure_code = 'safestats_las_violence_dispatches' and period_start_date = '2026-10-01'
             and area_code in ('E09000007', 'E09000008', 'E09000001', 'LONDON_32', 'UNALLOCATED', 'OUTSIDE_LONDON')
           order by area_code""",
    ) == [
        ("E09000001", 0), ("E09000007", 40), ("E09000008", 0), ("LONDON_32", 40), ("OUTSIDE_LONDON", 1), ("UNALLOCATED", 1),
    ]  # fmt: skip


def test_the_lsoa_says_the_borough_where_there_is_one(built: Settings) -> None:
    assert rows(
        built,
        """select row_number, area_code from intermediate.int_safestats_event
           where month_start_date = '2026-09-01' and code_label = 'Gun Injury' order by row_number""",
    ) == [(1, "E09000001"), (2, "E09000016"), (3, "E09000001"), (4, "E09000007"), (5, "UNALLOCATED")]


def test_a_month_of_which_no_file_has_come_is_not_counted_and_a_stray_event_in_no_month(built: Settings) -> None:
    assert rows(
        built,
        """select period_start_date, sum(value)::int from marts.fct_measure
           where measure_code = 'safestats_las_violence_dispatches'
             and area_code in ('LONDON_33', 'LONDON_32', 'E09000001', 'UNALLOCATED', 'OUTSIDE_LONDON')
           group by 1 order by 1""",
    ) == [(dt.date(2026, 9, 1), 5), (dt.date(2026, 10, 1), 42)]


def test_when_it_happened_is_told_by_londons_clock_and_against_the_hours_there_were(built: Settings) -> None:
    """September and October 2026 have 1,465 hours, the 25th of October 25 of them."""
    assert rows(
        built,
        """select dimension, dimension_value, event_count, known_count, share_percent, expected_share_percent, index_to_expected, months_held
           from marts.rpt_temporal_profile
           where measure_code = 'safestats_las_violence_dispatches' and area_code = 'E09000007'
             and dimension in ('hour', 'weekday', 'day_kind', 'time_quality', 'night_time_economy') order by 1, 2""",
    ) == [
        ("day_kind", "school_day", 41, 41, 100.0, 63.891, 156.5, 2),
        ("hour", "12", 1, 41, 2.439, 4.164, None, 2),
        ("hour", "21", 40, 41, 97.561, 4.164, None, 2),
        ("night_time_economy", "all other hours", 41, 41, 100.0, 84.3, 118.6, 2),
        ("time_quality", "exact", 41, 41, 100.0, None, None, 2),
        ("weekday", "1 Monday", 40, 41, 97.561, 13.106, 744.4, 2),
        ("weekday", "2 Tuesday", 1, 41, 2.439, 14.744, 16.5, 2),
    ]
    assert rows(
        built,
        "select hours from intermediate.int_temporal_hour where local_date = '2026-10-25' and local_hour in (0, 1, 2) order by local_hour",
    ) == [(1,), (2,), (1,)]


def test_attendances_are_told_by_weapon_and_place_beside_what_the_department_states_of_them(built: Settings) -> None:
    assert rows(
        built,
        """select site_code, area_code, weapon_group, place_group, attendance_count, site_count, weapon_stated_percent, place_stated_percent
           from marts.rpt_ed_attendance order by 1, 3""",
    ) == [
        ("XYZ01", "E09000007", "knife_or_sharp_object", "home", 2, 3, 66.7, 100.0),
        ("XYZ01", "E09000007", "unknown", "public_place", 1, 3, 66.7, 100.0),
        ("XYZ02", "E09000003", "firearm", "unknown", 1, 1, 100.0, 0.0),
    ]


def test_a_dispatch_counts_towards_every_measure_that_it_is_one_of(built: Settings) -> None:
    assert rows(
        built,
        """select measure_code, value::int from marts.fct_measure
           where measure_code ~ '^safestats_las_.*dispatches' and period_start_date = '2026-10-01' and area_code = 'E09000007'
             and value > 0 order by 1""",
    ) == [
        ("safestats_las_assault_dispatches", 40), ("safestats_las_dispatches", 48), ("safestats_las_violence_dispatches", 40),
    ]  # fmt: skip


def test_patients_are_counted_in_bands_of_five_years_and_those_of_unknown_age_are_kept(built: Settings) -> None:
    assert rows(
        built,
        """select sex, age_band, person_count, whole_count, share_percent, months_held, rate_per_100000, withheld_reason like '%2 of 12 months%'
           from marts.rpt_victim_profile
           where measure_code = 'safestats_las_violence_dispatches' and area_code = 'E09000007' order by 1, 2""",
    ) == [
        ("all", "0-24", 40, 41, 97.561, 2, None, True), ("all", "20-24", 40, 41, 97.561, 2, None, True),
        ("all", "all", 41, None, None, 2, None, True), ("all", "unknown", 1, 41, 2.439, 2, None, True),
        ("male", "0-24", 40, 41, 97.561, 2, None, True), ("male", "20-24", 40, 41, 97.561, 2, None, True),
        ("male", "all", 40, 41, 97.561, 2, None, True), ("unknown", "all", 1, 41, 2.439, 2, None, True),
        ("unknown", "unknown", 1, 41, 2.439, 2, None, True),
    ]  # fmt: skip


def test_a_month_that_came_twice_under_new_numbers_is_named(built: Settings) -> None:
    twice = """with october as (
                 update ops.load set rows_in_file = 2 * rows_in_file, rows_loaded = 2 * rows_loaded, rows_quarantined = 2 * rows_quarantined
                 where part = '2026-10' returning load_id
               )
               insert into intermediate.int_safestats_event
               select (jsonb_populate_record(e, jsonb_build_object('row_number', row_number + 1000))).* from intermediate.int_safestats_event as e
               where load_id in (select load_id from october)"""
    ((_, _, month, loaded, before, share),) = found_by(
        built, "landing/safestats/delivery", "no_month_came_twice_under_new_numbers", twice
    )
    assert (month, loaded, before, share) == (dt.date(2026, 10, 1), 106, 5, 1)
    grown = "update intermediate.int_safestats_event set event_at = now() + random() * interval '1 day'"
    assert found_by(built, "landing/safestats/delivery", "no_month_came_twice_under_new_numbers", twice, grown) == []
    assert found_by(built, "landing/safestats/delivery", "no_month_came_twice_under_new_numbers") == []


def test_an_analyst_reads_counts_and_no_event(built: Settings) -> None:
    with connect(built, ANALYST) as connection:
        assert connection.execute("select 1 from marts.fct_measure limit 1").fetchone() == (1,)
    for table in ("raw.safestats__ambulance_incidents", "staging.stg_safestats__ambulance_incidents",
                  "intermediate.int_safestats_event", "intermediate.int_safestats_event_month"):  # fmt: skip
        with connect(built, ANALYST) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select 1 from {table} limit 1".encode())


def test_anyone_sees_a_count_as_its_owners_rule_lets_it_out_and_nothing_else(built: Settings) -> None:
    with connect(built, OPEN) as connection:
        found = connection.execute(
            """select area_code, value::int, is_suppressed, publish_rule from marts_open.measure
               where measure_code = 'safestats_las_violence_dispatches' and period_start_date = '2026-10-01'
                 and area_code in ('E09000007', 'E09000008', 'LONDON_32', 'UNALLOCATED') order by area_code"""
        ).fetchall()
        assert found == [
            ("E09000007", 40, False, "suppress_1_to_7_round_5"),
            ("E09000008", 0, False, "suppress_1_to_7_round_5"),
            ("LONDON_32", 40, False, "suppress_1_to_7_round_5"),
            ("UNALLOCATED", None, True, "suppress_1_to_7_round_5"),
        ]
        counts = [0, 1, 7, 8, 12, 13, -1]
        by_rule = [
            [connection.execute("select marts_open.publishable(%s, %s)::int", [n, rule]).fetchone()[0] for n in counts]  # type: ignore[index]
            for rule in ("open", "suppress_1_to_7_round_5", "on_the_moon")
        ]
        assert by_rule == [counts, [0, None, None, 10, 10, 15, None], [None] * 7]
    # Every value of the marts is there, none that has a rule as it was counted, and those without one unchanged.
    assert rows(
        built,
        """select count(*) filter (where o.area_code is null), count(*) filter (where r.publish_rule = 'open' and o.value <> f.value),
                  count(*) filter (where r.publish_rule <> 'open' and o.value % 5 <> 0),
                  count(*) filter (where r.publish_rule <> 'open' and f.value between 1 and 7 and not o.is_suppressed),
                  count(*) filter (where o.is_suppressed and o.value is not null)
           from marts.fct_measure as f
           inner join marts.dim_measure as m using (measure_code)
           inner join (select distinct source, publish_rule from marts.dim_source) as r using (source)
           left join marts_open.measure as o
             using (area_code, period_kind, period_start_date, measure_code, sex, age_band, ethnicity)""",
    ) == [(0, 0, 0, 0, 0)]
    for table in ("marts.fct_measure", "marts.dim_measure", "marts_history.fct_measure"):
        with connect(built, OPEN) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select 1 from {table} limit 1".encode())


def test_no_event_stands_in_a_mart(built: Settings) -> None:
    columns = rows(
        built,
        """select distinct column_name from information_schema.columns
           where table_schema in ('marts', 'marts_open', 'marts_history')""",
    )
    assert not {"event_at", "event_date", "lsoa_code", "event_id", "age", "time_quality"} & {
        name for (name,) in columns
    }


def test_what_it_may_be_used_for_stands_beside_it(built: Settings) -> None:
    assert rows(
        built,
        """select distinct classification, publish_rule, legal_gateway from marts.dim_source where source = 'safestats'""",
    ) == [("OFFICIAL-SENSITIVE", "suppress_1_to_7_round_5", "information_sharing_agreement")]
