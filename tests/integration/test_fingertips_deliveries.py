"""Files of Fingertips at the door: every header is read, and a file that is cut, or says what cannot be, is refused by name."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from expectations import gate
from ingest.declaration import SEEDS
from tests.fingertips_files import HEADER, body, landed
from tests.queries import ask
from tests.refused import refused_with
from warehouse.build import transform
from warehouse.platform.connection import LOADER
from warehouse.platform.settings import Settings
from warehouse.reports import status


@pytest.mark.parametrize(
    "name",
    [
        "Compared to percentiles",
        "Compared to Region value or percentiles",
        "Compared to Regions (statistical) value or percentiles",
        "Compared to Counties & UAs (from Apr 2021) value or percentiles",
        "Column not used",
    ],
)
def test_the_column_whose_name_moves_is_found_under_each(warehouse: Settings, tmp_path: Path, name: str) -> None:
    header = [name if column == "Compared to percentiles" else column for column in HEADER]
    landed(warehouse, tmp_path, body({"Compared to percentiles": "Better"}, header=header))
    assert ask(warehouse, "select compared_to_parent, compared_to_goal from raw.fingertips__data", LOADER) == [
        ("Better", "")
    ]


@pytest.mark.parametrize(("names", "fields"), [(27, 27), (26, 26), (26, 25), (25, 25), (27, 26)])
def test_older_bodies_of_25_and_26_fields_neither_crash_nor_shift(
    warehouse: Settings, tmp_path: Path, names: int, fields: int
) -> None:
    assert landed(warehouse, tmp_path, body({}, {}, header=HEADER[:names], fields=fields)) == 2
    assert ask(
        warehouse, "select distinct value, time_period_sortable, new_data from raw.fingertips__data", LOADER
    ) == [("10.123456789012345", "20220000", "")]


PERIODS = ("2020/21", "2021/22", "2022/23")
with (SEEDS / "boroughs.csv").open(encoding="utf-8", newline="") as seed:
    NAMES = {row["borough_code"]: row["borough_name"] for row in csv.DictReader(seed)} | {"E09000001": "City of London"}
LONDON = [
    {
        "Area Code": f"E090000{area:02d}",
        "Area Name": NAMES[f"E090000{area:02d}"],
        "Time period": period,
        "Time period Sortable": f"{period[:4]}0000",
    }
    for period in PERIODS
    for area in range(1, 34)
]
ELSEWHERE = [{"Area Code": f"E080000{area:02d}"} for area in range(1, 30)]


def test_a_body_cut_by_a_few_rows_of_london_is_refused_though_nothing_in_it_says_so(
    warehouse: Settings, tmp_path: Path
) -> None:
    landed(warehouse, tmp_path, body(*LONDON, *ELSEWHERE))
    with refused_with(
        "LESS_THAN_BEFORE",
        match=r"3 of 99 rows .*11202 / Waltham Forest / Persons / All ages / 20220000, 11202 / Wandsworth /",
    ):
        landed(warehouse, tmp_path, body(*LONDON[:-3], *ELSEWHERE))
    assert ask(warehouse, "select state, rows_in_file from ops.load order by load_id", LOADER) == [
        ("loaded", 128),
        ("refused", 125),
    ]


def test_the_real_file_without_its_last_309_rows_is_refused(warehouse: Settings, tmp_path: Path, samples: Path) -> None:
    lines = (samples / "fingertips" / "admissions_injuries_la_2324.data.csv").read_bytes().splitlines(keepends=True)
    assert landed(warehouse, tmp_path, b"".join(lines)) == 7208
    with refused_with("LESS_THAN_BEFORE", match="66 of 1,292 rows"):
        landed(warehouse, tmp_path, b"".join(lines[:-309]))


def test_a_row_of_london_that_is_gone_is_warned_about_by_name(to_build: Settings, tmp_path: Path) -> None:
    # Of the period before the newest, of which no borough may be missing.
    row = LONDON[-34]
    warehouse, gone = to_build, f"11202 / Westminster / Persons / All ages / {row['Time period Sortable']}"
    landed(warehouse, tmp_path, body(*LONDON, *ELSEWHERE))
    assert landed(warehouse, tmp_path, body(*(one for one in LONDON if one is not row), *ELSEWHERE)) == 127
    assert [row["warning"] for row in status.warnings(warehouse)] == [
        f"rows it lacks that the edition before had: {gone}"
    ]
    candidate = transform.build(warehouse)
    assert candidate is not None
    verdict = gate.judge(warehouse, candidate)
    check = "no_row_of_london_is_gone_that_the_release_before_had"
    (result,) = [result for result in verdict.results if result.check == check]
    assert (result.outcome, result.severity) == ("failed", "warning")
    (named,) = result.named
    assert named.startswith("data load 2 (rows gone ")


def test_the_oldest_period_and_areas_elsewhere_may_go(warehouse: Settings, tmp_path: Path) -> None:
    landed(warehouse, tmp_path, body(*LONDON, *ELSEWHERE))
    newest = [{**row, "Time period": "2023/24", "Time period Sortable": "20230000"} for row in LONDON[:33]]
    assert landed(warehouse, tmp_path, body(*LONDON[33:], *newest)) == 99
    assert status.warnings(warehouse) == []


def test_a_byte_order_mark_and_a_line_end_within_a_name_are_taken(warehouse: Settings, tmp_path: Path) -> None:
    name = "Incidence rate/100,000\n"
    assert landed(warehouse, tmp_path, b"\xef\xbb\xbf" + body({"Indicator Name": name}, {})) == 2
    assert ask(
        warehouse, "select indicator_id, indicator_name from raw.fingertips__data order by _row_number", LOADER
    ) == [
        ("11202", name),
        ("11202", "Violence"),
    ]


@pytest.mark.parametrize(
    ("content", "code", "named"),
    [
        (b"", "NO_ROWS", ""),
        (b"<!DOCTYPE html PUBLIC>", "NOT_THE_FILE", "HTML"),
        (body(), "NO_ROWS", ""),
        (
            body({}, header=["Val" if column == "Value" else column for column in HEADER]),
            "HEADER_UNKNOWN",
            "'Val'",
        ),
        (body({"Value": "*"}), "VALUE_NOT_A_NUMBER", r"column Value: '\*'"),
        (body({}, {"Value": "9" * 30}), "VALUE_OUT_OF_RANGE", f"row 2, column Value: '{'9' * 30}'"),
        (body({"Count": "-1e12"}), "VALUE_OUT_OF_RANGE", "row 1, column Count: '-1e12'"),
        (body({"Time period Sortable": ""}), "VALUE_BLANK", "column Time period Sortable"),
        (body({"Sex": "Women"}), "VALUE_MALFORMED", "column Sex: 'Women'"),
        (body({})[:-1], "FILE_CUT_SHORT", ""),
    ],
)
def test_what_is_no_indicator_file_is_refused_by_name(
    warehouse: Settings, tmp_path: Path, content: bytes, code: str, named: str
) -> None:
    if content == body({})[:-1]:
        content = content[:-2]
    with refused_with(code, match=named):
        landed(warehouse, tmp_path, content)
    assert ask(warehouse, "select count(*) from raw.fingertips__data", LOADER) == [(0,)]


LIMITS = ("Lower CI 95.0 limit", "Upper CI 95.0 limit", "Lower CI 99.8 limit", "Upper CI 99.8 limit")


@pytest.mark.parametrize(
    ("row", "code", "named"),
    [
        (
            {"Area Code": "E09000003", "Area Name": "Brent"},
            "LABEL_OF_ANOTHER_CODE",
            "Area Code and Area Name: 'E09000003 / Brent'",
        ),
        (
            {"Area Code": "nE09000033", "Area Name": "Brent"},
            "LABEL_OF_ANOTHER_CODE",
            "Area Code and Area Name: 'nE09000033 / Brent'",
        ),
        ({LIMITS[0]: "11"}, "VALUES_CONTRADICT", f"{LIMITS[0]}: '11' .*Value, 10.123456789012345"),
        ({LIMITS[1]: "9.5"}, "VALUES_CONTRADICT", f"Value: '10.123456789012345' .*{LIMITS[1]}, 9.5"),
        ({LIMITS[2]: "1e2"}, "VALUES_CONTRADICT", f"{LIMITS[2]}: '1e2' .*Value, 10.123456789012345"),
        ({"Value": "", LIMITS[0]: "12", LIMITS[1]: "9"}, "VALUES_CONTRADICT", f"{LIMITS[0]}: '12' .*{LIMITS[1]}, 9"),
    ],
)
def test_a_row_that_cannot_be_true_refuses_the_file_by_row(
    warehouse: Settings, tmp_path: Path, row: dict[str, str], code: str, named: str
) -> None:
    with refused_with(code, match=f": row 2, column {named}") as refused:
        landed(warehouse, tmp_path, body({}, row))
    assert "; row" not in refused.value.problem, "no other row, and nothing else of this one"
    assert ask(warehouse, "select count(*) from raw.fingertips__data", LOADER) == [(0,)]


def test_names_an_area_is_known_by_limits_that_touch_and_areas_of_no_list_are_taken(
    warehouse: Settings, tmp_path: Path
) -> None:
    touching = {"Value": "0", LIMITS[0]: "0", LIMITS[1]: "0.0"}
    named = {"Area Code": "E12000007", "Area Name": "London region"}
    elsewhere = {"Area Code": "E06000001", "Area Name": "Hartlepool"}
    stray = {"Area Code": "nE09000033", "Area Name": "Westminster"}
    unnamed = {"Area Code": "E09000003", "Area Name": ""}
    assert landed(warehouse, tmp_path, body(touching, named, elsewhere, stray, unnamed)) == 5
