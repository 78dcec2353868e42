"""Answers of NOMIS at the door: the whole answer is loaded, and any other is refused by name."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from ingest.delivery import seed
from tests.nomis_files import AREAS, NOMIS, answer, jobs, land, written, zipped
from tests.queries import ask
from tests.refused import refused_with
from warehouse.platform.connection import LOADER
from warehouse.platform.settings import Settings


def test_pages_load_as_the_one_answer_they_are(warehouse: Settings, tmp_path: Path) -> None:
    records = jobs(AREAS)
    pages = [answer(records[:6], total=70), answer(records[6:], total=70, first=6)]
    assert land(warehouse, "jobs_density", zipped(tmp_path, *pages)) == 70
    found = ask(warehouse, "select geography_code, obs_value from raw.nomis__jobs_density order by _row_number", LOADER)
    assert found == [(area, str(value)) for area, value in [*AREAS.items(), *AREAS.items()]]
    assert ask(warehouse, "select rows_in_file, rows_loaded, first_period from ops.load", LOADER) == [
        (70, 70, date(2025, 1, 1))
    ]


@pytest.mark.parametrize(
    ("case", "code", "named"),
    [
        ("missing", "ROWS_FEWER_THAN_STATED", "6 of 33"),
        ("repeated", "ROW_REPEATED", "6 records"),
        ("changed", "CHANGED_WHILE_READ", "33 and 34"),
        ("header", "FILE_DAMAGED", "2 pages"),
        ("foreign", "NOT_THE_FILE", "page-1.csv"),
        ("packed", "NOT_THE_FILE", ""),
        ("no zip", "ARCHIVE_DAMAGED", ""),
    ],
)
def test_pages_that_are_not_the_whole_answer_are_refused(
    warehouse: Settings, tmp_path: Path, case: str, code: str, named: str
) -> None:
    records = jobs(AREAS)
    first, second = answer(records[:6], total=33), answer(records[6:], total=33, first=6)
    file = {
        "missing": lambda: zipped(tmp_path, first),
        "repeated": lambda: zipped(tmp_path, first, first),
        "changed": lambda: zipped(tmp_path, first, answer(records[6:], total=34, first=6)),
        "header": lambda: zipped(tmp_path, first, b"X" + second),
        "foreign": lambda: zipped(tmp_path, first, b'{"error": "Query is incomplete"}'),
        "packed": lambda: zipped(tmp_path, first, second, compression=zipfile.ZIP_DEFLATED),
        "no zip": lambda: written(tmp_path, b"PK\x03\x04 and no more"),
    }[case]()
    with refused_with(code, match=named):
        land(warehouse, "jobs_density", file)
    assert ask(warehouse, "select count(*) from raw.nomis__jobs_density", LOADER) == [(0,)]
    assert ask(warehouse, "select state from ops.load", LOADER) == [("refused",)]


def test_an_answer_of_25000_records_that_says_it_has_more_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    body = answer(jobs(AREAS), total=57024)
    with refused_with("ROWS_FEWER_THAN_STATED", match="70 of 57024"):
        land(warehouse, "jobs_density", written(tmp_path, body))


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (b"", "NO_ROWS", ""),
        (b'{"error": "Query is incomplete"}', "NOT_THE_FILE", "JSON"),
        (b"Cannot create query", "HEADER_UNKNOWN", "date_name"),
        (answer(jobs(AREAS)).split(b"\n")[0] + b"\n", "NO_ROWS", ""),
        (answer(jobs({"E09000002": "12,5"})), "VALUE_NOT_A_NUMBER", "row 1, column OBS_VALUE: '12,5'"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(
    warehouse: Settings, tmp_path: Path, body: bytes, code: str, named: str
) -> None:
    with refused_with(code, match=named):
        land(warehouse, "jobs_density", written(tmp_path, body))


def test_one_area_in_anothers_place_is_refused_by_row(warehouse: Settings, tmp_path: Path) -> None:
    records = jobs(AREAS)
    records[4] |= {"GEOGRAPHY_CODE": "E09000002", "OBS_VALUE": 7}
    with refused_with("ROW_REPEATED") as refused:
        land(warehouse, "jobs_density", written(tmp_path, answer(records)))
    key = "2025 / 2025 / E09000002 / 3 / Jobs density / 20100 / Value"
    assert refused.value.problem == f"row 5, column the row: '{key}' stands already in row 2"
    assert ask(warehouse, "select count(*) from raw.nomis__jobs_density", LOADER) == [(0,)]


def test_an_answer_that_does_not_say_how_long_it_is_has_all_that_the_query_asks_for(
    warehouse: Settings, tmp_path: Path
) -> None:
    def saved(*, areas: int = 35, ages: int = 92, lines: int | None = None) -> Path:
        codes = [*AREAS, "E12000007", "E92000001"][:areas]
        rows = [
            f"2024,2024,Somewhere,{area},{sex},Sex {sex},{age},Age {age},20100,Value,10,A,Normal Value,F"
            for area in codes
            for sex in range(3)
            for age in [200, *range(101, 192)][:ages]
        ]
        header = (
            "DATE,DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,GENDER,GENDER_NAME,C_AGE,C_AGE_NAME,MEASURES,MEASURES_NAME,OBS_VALUE,"
            "OBS_STATUS,OBS_STATUS_NAME,OBS_CONF"
        )
        return written(tmp_path, "\n".join([header, *rows[:lines], ""]).encode(), f"{areas} {ages} {lines}.csv")

    for file, code, named in (
        (saved(lines=6012), "ROWS_FEWER_THAN_STATED", "6,012 .*6,072.* 1 date × 22 geography_code × 3 gender"),
        (saved(areas=34), "AREAS_MISSING", "34 of 35 .* E92000001"),
        (saved(areas=33), "AREAS_MISSING", "33 of 35 .* E12000007, E92000001"),
        (saved(ages=91), "CATEGORIES_MISSING", "91 of 92 .*c_age.* 191"),
    ):
        with refused_with(code, match=named):
            land(warehouse, "population", file)
    assert land(warehouse, "population", saved()) == 35 * 3 * 92


def test_an_answer_that_says_how_long_it_is_has_all_that_the_query_asks_for_too(
    warehouse: Settings, tmp_path: Path
) -> None:
    boroughs = {area: value for area, value in AREAS.items() if area.startswith("E09")}
    for records, code, named in (
        (jobs(boroughs), "AREAS_MISSING", "33 of 35 .* E12000007, E92000001"),
        (jobs(AREAS)[:35], "CATEGORIES_MISSING", "1 of 2 .*item.* 1"),
    ):
        with refused_with(code, match=named):
            land(warehouse, "jobs_density", written(tmp_path, answer(records)))
    # Of one area nobody asked for the others.
    assert land(warehouse, "jobs_density", written(tmp_path, answer(jobs({"E09000009": 9.9})))) == 2


def test_a_label_that_is_another_codes_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    records = jobs(AREAS)
    records[3]["ITEM_NAME"] = "Total jobs"
    with refused_with("LABEL_OF_ANOTHER_CODE", match="row 4, column ITEM_NAME: 'Total jobs'"):
        land(warehouse, "jobs_density", written(tmp_path, answer(records)))


def test_an_answer_under_another_ones_name_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    for value, (name, named) in enumerate(
        (
            ("NM_2002_1_2025_2025.csv", "NM_2002_1 .*NM_57_1"),
            ("NM_57_1_2024_2024.csv", "2024 to 2024 .*2025 to 2025"),
        )
    ):
        with refused_with("NAME_DIFFERS_FROM_ROWS", match=named):
            land(warehouse, "jobs_density", written(tmp_path, answer(jobs(AREAS | {"E09000001": value})), name))
    assert land(warehouse, "jobs_density", written(tmp_path, answer(jobs(AREAS)), "NM_57_1_2025_2025.csv")) == 70


def test_an_answer_without_one_record_for_each_combination_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    records = jobs(AREAS)
    with refused_with("ROWS_FEWER_THAN_STATED") as refused:
        land(warehouse, "jobs_density", written(tmp_path, answer([*records[:38], *records[39:]])))
    assert refused.value.problem == (
        "the file has 69 records and not 70, one for each of 1 date × 35 geography_code × 2 item × 1 measures: "
        "some are missing or of another area"
    )


@pytest.mark.parametrize(("code", "is_right"), [("424", True), ("TYPE480", True), ("265", False), ("298", False)])
def test_areas_of_another_type_are_refused(warehouse: Settings, tmp_path: Path, code: str, is_right: bool) -> None:
    file = written(tmp_path, answer(jobs(AREAS, GEOGRAPHY_TYPECODE=code)))
    if is_right:
        assert land(warehouse, "jobs_density", file) == 70
        return
    with refused_with("VALUE_MALFORMED", match=f"row 1, column GEOGRAPHY_TYPECODE: '{code}'"):
        land(warehouse, "jobs_density", file)


SURVEY = {"DATE": "2026-06", "DATE_NAME": "Jul 2025-Jun 2026", "GEOGRAPHY_CODE": "E09000002", "VARIABLE": 45,
          "VARIABLE_NAME": "Employment rate - aged 16-64"}  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "name", "value", "is_right"),
    [
        (20599, "Variable", "100", True), (20599, "Variable", "455.5", False), (20599, "Variable", "-0.1", False),
        (21003, "Confidence", "100.1", False), (21001, "Numerator", "151000", True),
    ],
)  # fmt: skip
def test_a_percentage_outside_0_to_100_is_refused(
    warehouse: Settings, tmp_path: Path, measure: int, name: str, value: str, is_right: bool
) -> None:
    whole = answer([{**SURVEY, "MEASURES": measure, "MEASURES_NAME": name, "OBS_VALUE": value}])
    # And where somebody left out the codes.
    names = b"DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,VARIABLE_NAME,MEASURES_NAME,OBS_VALUE\n"
    line = f"Jul 2025-Jun 2026,Barking and Dagenham,E09000002,Employment rate - aged 16-64,{name},{value}\n"
    for file in (written(tmp_path, whole), written(tmp_path, names + line.encode(), "names.csv")):
        if is_right:
            assert land(warehouse, "annual_population_survey", file) == 1
            continue
        with refused_with(
            "VALUE_OUT_OF_RANGE",
            match=f"row 1, column OBS_VALUE: '{value}'",
        ):
            land(warehouse, "annual_population_survey", file)


def test_real_answers_about_lsoas_are_refused_and_each_area_is_named(warehouse: Settings, samples: Path) -> None:
    """A reader of boroughs would take their counts and never show them."""
    answers = samples / "nomis" / "small_responses"
    for name, areas in (("41340fec-3141-3932-ae52-49477ff6c05d", 12), ("455d72ce-3cb6-3de5-88b7-1420f87ec435", 6)):
        with refused_with("LABEL_UNKNOWN", match="GEOGRAPHY_CODE: 'E01000001'"):
            land(warehouse, "claimant_count", answers / f"{name}.csv")
        published = {
            row["GEOGRAPHY_CODE"] for row in csv.DictReader(io.StringIO((answers / f"{name}.csv").read_text()))
        }
        named = ask(
            warehouse,
            """select value from quarantine.refused_row where load_id = (select max(load_id) from ops.load) order by value""",
            LOADER,
        )
        assert [value for (value,) in named] == sorted(published)
        assert len(published) == areas
    assert ask(warehouse, "select state from ops.load", LOADER) == [("refused",), ("refused",)]


# What is asked for by ward is held to the form of a ward's code.
@pytest.mark.parametrize("dataset", [name for name in NOMIS.datasets if name != "census_ward_residents"])
def test_no_dataset_takes_a_row_of_an_area_that_it_does_not_ask_for(
    warehouse: Settings, tmp_path: Path, dataset: str
) -> None:
    """A foreign area among boroughs refuses the answer whole, whichever dataset it is of."""
    layout = NOMIS.dataset(dataset).layout
    time = date(2025, 12, 1).strftime(layout.period.forms[-1] if layout.period else "%Y")
    record = dict.fromkeys((column.headers[0] for column in layout.columns), "x")
    record |= {"DATE": "2025", "DATE_NAME": time, "OBS_VALUE": "1", "GEOGRAPHY_TYPECODE": "464"}
    record |= {"MEASURES": "20100", "MEASURES_NAME": "Value"}
    for row in seed("nomis_label"):  # its dimensions, each with a code and its label
        if row["dataset"] == dataset:
            record |= {row["dimension"].upper(): row["code"], f"{row['dimension'].upper()}_NAME": row["published_name"]}
    records = [{**record, "GEOGRAPHY_CODE": area} for area in ("E09000002", "E08000032")]
    with refused_with("LABEL_UNKNOWN", match="row 2, column GEOGRAPHY_CODE: 'E08000032'") as refused:
        land(warehouse, dataset, written(tmp_path, answer(records)))
    assert "E09000002" not in str(refused.value)


def test_a_file_that_does_not_say_which_pay_it_is_of_is_refused(warehouse: Settings, samples: Path) -> None:
    file = samples / "nomis" / "small_responses" / "e09b148e-c34c-3ab1-8540-c3d903ebb9f4.csv"
    with refused_with("COLUMN_MISSING", match="sex_name"):
        land(warehouse, "earnings_residents", file)
