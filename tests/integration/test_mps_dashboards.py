"""Dashboard files and the VAWG workbook of the MPS: what is read, and what is refused by name."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import mps_more_files as files
from tests.mps_deliveries import KNIFE, Land, landing_in
from tests.queries import rows
from tests.refused import refused_with
from warehouse.platform.settings import Settings


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


def test_a_day_and_a_month_that_changed_places_are_refused(land: Land) -> None:
    body = files.dashboard_file(files.every_borough("202602", KNIFE), date_form="%m/%d/%Y")
    with refused_with("VALUE_MALFORMED", match="Month_Year: '02/01/2026'"):
        land("dashboard_knife", body)


@pytest.mark.parametrize(
    ("old", "new", "code", "named"),
    [
        (b"Borough,Barnet,Barnet", b"Borough,Barnett,Barnett", "LABEL_UNKNOWN", "Borough_SNT: 'Barnett'"),
        (b"Knife Crime,Knife Crime,", b"Knife Crime,Knife Kimre,", "LABEL_UNKNOWN", "'Knife Crime / Knife Kimre'"),
        (b",Offences,", b",Offenses,", "LABEL_UNKNOWN", "Measure: 'Offenses'"),
        (b"Count,Refresh", b"Tally,Refresh", "HEADER_UNKNOWN", "'Tally' .*count"),
        (b"_01,1,", b"_01,-1,", "VALUE_OUT_OF_RANGE", "Count: '-1'"),
    ],
    ids=["a borough", "a subject", "a measure", "a header", "a negative count"],
)  # fmt: skip
def test_what_a_dashboard_file_has_that_nobody_declared_is_refused_by_name(
    land: Land, old: bytes, new: bytes, code: str, named: str
) -> None:
    body = files.dashboard_file(files.every_borough("202602", KNIFE))
    assert old in body
    with refused_with(code, match=named):
        land("dashboard_knife", body.replace(old, new))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("count", "differs"),
    [("3", False), ("4", True)],
)
@pytest.mark.parametrize(
    ("dataset", "subject"),
    [
        ("dashboard_tno", "ARSON AND CRIMINAL DAMAGE|ARSON"),
        ("dashboard_knife", KNIFE),
        ("dashboard_other", "Hate crime|Hate crime"),
    ],
)
def test_a_row_of_a_dashboard_file_that_stands_twice_is_counted_once_or_refused_where_it_differs(
    land: Land, warehouse: Settings, dataset: str, subject: str, count: str, differs: bool, form: str
) -> None:
    """Added up, it would be counted twice."""
    body = files.dashboard_file(files.every_borough("202602", subject, 3))
    header, *lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    # The third row is that of the second borough; it comes again at the end.
    again = [*lines[2][:10], count, *lines[2][11:]]
    table = [*lines, again]
    whole = files.csv_bytes(header, table) if form == "csv" else files.xlsx_bytes({"data": [header, *table]})
    kind, _, sub = subject.partition("|")
    key = f"01/02/2026 / Borough / Barnet / Barnet / E09000003 / {kind} / {sub} / Offences"
    shown = key if len(key) <= 60 else key[:57] + "..."
    if not differs:
        # The publisher gives some rows twice, the same in every column.
        done = land(dataset, whole, f"file.{form}")
        assert done.drift["repeated rows"] == ["1, the first in row 65"]
        assert rows(warehouse, f"select count(*) from raw.mps__{dataset}") == [(64,)]
        return
    sheet = "" if form == "csv" else "sheet data, "
    with refused_with("ROW_REPEATED", match=f": {sheet}row 65, .*{re.escape(shown)}.* row 3\\b"):
        land(dataset, whole, f"file.{form}")
    assert rows(warehouse, "select row_number, value from quarantine.refused_row") == [(65, key)]
    assert rows(warehouse, f"select count(*) from raw.mps__{dataset}") == [(0,)]


def test_a_row_of_the_vawg_workbook_that_stands_twice_in_a_sheet_is_refused(land: Land) -> None:
    month = dt.date(2026, 1, 1)
    line = ["Central", "Camden", "A ward", month, month, 9]
    with refused_with("ROW_REPEATED", match="sheet Offence count location, row 2"):
        land("vawg", files.xlsx_bytes({"Offence count location": [files.VAWG_PLACE, line, line]}), "VAWG.xlsx")


def test_a_class_of_the_vawg_workbook_that_nobody_has_declared_refuses_it(land: Land) -> None:
    month = dt.date(2026, 1, 1)
    sheets = {
        "Offence count location": [files.VAWG_PLACE, ["Central", "Camden", "A ward", month, month, 9]],
        "Offence count classification": [files.VAWG_CLASS, ["Arson", "Arson", "Arson", "Arson", month, month, 9]],
    }
    with refused_with("LABEL_UNKNOWN", match="Arson"):
        land("vawg", files.xlsx_bytes(sheets), "VAWG.xlsx")


def test_a_ward_may_have_a_name_that_no_list_has(land: Land) -> None:
    """Only borough rows are held to the list of areas."""
    body = files.dashboard_file(files.every_borough("202602", KNIFE))
    assert land("dashboard_knife", body.replace(b"Invented Ward", b"Nowhere in Particular")).rows == 64


def common(share: Callable[[int], bool] = lambda _: True, *, snt: bool = True) -> bytes:
    """A dashboard of two months with 40 of a crime in every borough, of whose rows some are left out by their number."""
    counts = [*files.every_borough("202601", KNIFE, 40), *files.every_borough("202602", KNIFE, 40)]
    header, *lines = files.dashboard_file(counts, snt=snt).splitlines(keepends=True)
    return header + b"".join(line for number, line in enumerate(lines) if share(number))


@pytest.mark.parametrize(
    ("body", "code", "figures"),
    [
        (common(lambda n: n % 4 != 1), "FIGURES_DISAGREE", "2,560 .* 1,280 .* 32 of 64 .* Barking and Dagenham / 2026-01 .*40 and 0"),
        (common(lambda n: n % 2 == 0, snt=False), "AREAS_MISSING", "16 of the 32"),
        (common(lambda n: n % 3 != 0, snt=False), "AREAS_MISSING", "knife crime.* 42 of the 64"),
    ],
    ids=["half of the teams", "every second borough", "a third of the boroughs' rows"],
)  # fmt: skip
def test_a_first_dashboard_that_lacks_rows_is_refused(land: Land, body: bytes, code: str, figures: str) -> None:
    with refused_with(code, match=figures):
        land("dashboard_knife", body)


def test_a_dashboard_of_boroughs_alone_is_whole(land: Land) -> None:
    assert land("dashboard_knife", common(snt=False)).rows == 64


@pytest.mark.parametrize("form", ["%Y-%m", "%b-%y", "%B %Y", "%m/%Y"])
def test_a_month_that_a_spreadsheet_saved_again_is_that_month(land: Land, warehouse: Settings, form: str) -> None:
    counts = files.every_borough("202405", KNIFE, 2)
    body = files.dashboard_file(counts, date_form=form).replace(dt.date(2026, 3, 18).strftime(form).encode(), b"")
    assert land("dashboard_knife", body).release_date == dt.date(2024, 6, 1)


def test_a_workbook_whose_sheets_count_different_offences_is_refused(land: Land) -> None:
    month = dt.date(2026, 1, 1)
    sheets = {
        "Offence count location": [files.VAWG_PLACE, ["Central", "Camden", "A ward", month, month, 9]],
        "Offence count classification": [
            files.VAWG_CLASS,
            ["Rape", "Rape", "Rape", "Rape of a Female aged 16 and over", month, month, 8],
        ],
    }
    with refused_with("FIGURES_DISAGREE", match=r"\b9 .*\b8\b"):
        land("vawg", files.xlsx_bytes(sheets), "VAWG.xlsx")


def test_a_file_is_of_the_dataset_the_crimes_and_the_months_that_its_name_says(land: Land) -> None:
    knife, hate = "Knife Crime|Knife Crime", "Hate crime|AntiSemitic"
    knife_name, other_name = (f"M1045_MonthlyCrimeDashboard_{kind}CrimeData.csv" for kind in ("Knife", "Other"))

    def body(subject: str, count: int) -> bytes:
        return files.dashboard_file(files.every_borough("202602", subject, count))

    for count, (dataset, subject, name, named) in enumerate([
        ("dashboard_knife", hate, other_name, "dashboard_other.* dashboard_knife"),
        ("dashboard_knife", hate, knife_name, "knife crime .* hate crime"),
        ("dashboard_other", knife, other_name, "other crimes .* knife crime"),
        ("dashboard_knife", knife, "knife_202601.csv", "2026-01 .* 2026-02"),
        ("dashboard_knife", knife, "knife_202601-202602.csv", "2026-01 to 2026-02 .* 2026-02 to 2026-02"),
    ]):  # fmt: skip
        with refused_with("NAME_DIFFERS_FROM_ROWS", match=named):
            land(dataset, body(subject, count), name)
    assert land("dashboard_knife", body(knife, 9), knife_name.replace(".csv", "_202603.csv")).rows == 64
