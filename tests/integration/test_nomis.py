"""NOMIS: real answers load exactly and come out of the marts; what the API gets wrong is handled or refused by name."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.delivery import seed
from ingest.errors import FileRefused
from tests.builds import build_and_publish
from tests.conftest import PROJECT
from tests.mps_files import borough_file
from tests.nomis_files import MISSING, answer
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import ANALYST, LOADER, connect
from warehouse.platform.settings import Settings

NOMIS = find_source("nomis")
# Which real answer is of which dataset, and the measure its values come out as.
ANSWERS = {
    "03f1baae-cefc-3d9e-9436-919cb1234585": ("annual_population_survey", "nomis_employment_rate"),
    "9262535b-efe1-3ea4-b6aa-99e895e95fef": ("annual_population_survey", "nomis_employment_rate"),
    "ed138ebf-26ad-3e7e-82e1-9c1836a0e2d0": ("annual_population_survey", "nomis_unemployment_rate"),
    "5305d37a-fde5-32a2-ab55-741eaa02d056": ("jobs_density", "nomis_jobs_density"),
    "9caff008-2b1a-3093-9bcb-58f2a80c7800": ("jobs_density", "nomis_jobs_density"),
    "caeef9b7-f288-380f-b433-601017b2b306": ("jobs_density", "nomis_total_jobs"),
}


NORMAL = ("A", "Normal Value", "F")


def ask(warehouse: Settings, query: str, role: str = ANALYST) -> list[tuple[Any, ...]]:
    with connect(warehouse, role) as connection:
        return connection.execute(query.encode()).fetchall()


def land(warehouse: Settings, dataset: str, file: Path) -> int:
    landed = file_drop.take(warehouse.landing, NOMIS, dataset, file, warehouse.now())
    return steps.load_one(warehouse, NOMIS, dataset, landed).rows


def test_real_answers_load_exactly_and_come_out_of_the_marts(to_build: Settings, samples: Path) -> None:
    warehouse = to_build
    expected = set()
    for name, (dataset, measure) in ANSWERS.items():
        file = samples / "nomis" / "small_responses" / f"{name}.csv"
        rows = list(csv.DictReader(io.StringIO(file.read_text())))
        assert land(warehouse, dataset, file) == len(rows)
        expected |= {(measure, row["GEOGRAPHY_CODE"], row["DATE_NAME"][-4:], Decimal(row["OBS_VALUE"])) for row in rows}
    population = samples / "population" / "demographr_population20_ltla21_london.csv"
    published = list(csv.DictReader(io.StringIO(population.read_text(encoding="utf-8-sig"))))
    answer = warehouse.home / "population.csv"
    answer.write_bytes(in_nomis_form(published))
    assert land(warehouse, "population", answer) == (len(published) + 2) * 3 * 92
    assert build_and_publish(warehouse)
    found = ask(
        warehouse,
        """select measure_code, area_code, to_char(period_end_date, 'YYYY'), value from marts.fct_measure
           where measure_code in ('nomis_employment_rate', 'nomis_unemployment_rate', 'nomis_jobs_density', 'nomis_total_jobs')""",
    )
    assert set(found) == expected
    whole = ask(
        warehouse,
        """select area_code, age_band, value from marts.fct_measure
           where measure_code = 'nomis_population' and sex = 'all' and area_code in ('LONDON_32', 'LONDON_33', 'E09000007')""",
    )
    values = {(area, band): value for area, band, value in whole}
    camden = next(row for row in published if row["ltla21_code"] == "E09000007")
    assert values["E09000007", "all"] == Decimal(camden["total_population"])
    assert values["E09000007", "0"] == Decimal(camden["0"])
    assert values["E09000007", "0-24"] == sum(Decimal(camden[str(age)]) for age in range(25))
    assert values["E09000007", "10-24"] == sum(Decimal(camden[str(age)]) for age in range(10, 25))
    total = sum(Decimal(row["total_population"]) for row in published)
    city = next(Decimal(row["total_population"]) for row in published if row["ltla21_code"] == "E09000001")
    assert len(published) == 33
    assert values["LONDON_33", "all"] == total
    assert values["LONDON_32", "all"] == total - city
    assert values["LONDON_33", "90+"] == sum(Decimal(row["90+"]) for row in published)


def test_one_withheld_borough_takes_its_sums_and_its_rates_and_not_the_night(
    to_build: Settings, tmp_path: Path
) -> None:
    ages = {**{str(age): "1000" for age in range(90)}, "90+": "1000"}
    with (PROJECT / "dbt_project" / "seeds" / "boroughs.csv").open(encoding="utf-8", newline="") as seed:
        areas = {row["borough_code"]: row["borough_name"] for row in csv.DictReader(seed)} | {
            "E09000001": "City of London"
        }
    whole = in_nomis_form(
        [
            {"ltla21_code": code, "ltla21_name": name, "total_population": "91000", **ages}
            for code, name in areas.items()
        ]
    )
    withheld = re.sub(
        rb'("E09000008",.*"Value",)\d+,"A","Normal Value"', rb'\1"","Q","These figures are missing."', whole
    )
    assert land(to_build, "population", written(tmp_path, withheld)) == 35 * 3 * 92
    crimes = file_drop.take(
        to_build.landing,
        find_source("mps"),
        "borough_recent",
        written(tmp_path, borough_file("202411", "202610"), "mps.csv"),
        to_build.now(),
    )
    steps.load_one(to_build, find_source("mps"), "borough_recent", crimes)
    assert build_and_publish(to_build)
    assert ask(
        to_build,
        """select area_code, value::int from marts.fct_measure
           where measure_code = 'nomis_population' and age_band = 'all' and sex = 'all'
             and area_code in ('LONDON_32', 'LONDON_33', 'INNER', 'OUTER', 'E09000008') order by area_code""",
    ) == [("E09000008", None), ("INNER", 13 * 91000), ("LONDON_33", 33 * 91000)]
    assert ask(
        to_build,
        """select area_code, rate, london_rate from marts.rpt_borough_measure
           where measure_code = 'mps_robbery_personal' and window_kind = 'month' and month_start_date = '2026-10-01'
             and area_code = 'E09000008' and sex = 'all' and age_band = 'all'""",
    ) == [("E09000008", None, None)]


def in_nomis_form(published: list[dict[str, str]]) -> bytes:
    """Real populations by single year of age as NOMIS gives them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(
        [
            "DATE",
            "DATE_NAME",
            "GEOGRAPHY_NAME",
            "GEOGRAPHY_CODE",
            "GEOGRAPHY_TYPECODE",
            "GENDER",
            "GENDER_NAME",
            "C_AGE",
            "C_AGE_NAME",
            "MEASURES",
            "MEASURES_NAME",
            "OBS_VALUE",
            "OBS_STATUS",
            "OBS_STATUS_NAME",
            "OBS_CONF",
            "RECORD_OFFSET",
            "RECORD_COUNT",
        ]
    )
    ages = [("total_population", 200, "All Ages"), *[(str(age), 101 + age, f"Age {age}") for age in range(90)]]
    ages.append(("90+", 191, "Aged 90+"))
    columns = [column for column, *_ in ages]
    everyone = {row["ltla21_code"]: {column: int(float(row[column])) for column in columns} for row in published}
    # Of each age of a borough half are men. London is the sum of its areas, England seven times London.
    men = {area: {column: found[column] // 2 for column in columns[1:]} for area, found in everyone.items()}
    for found in men.values():
        found["total_population"] = sum(found.values())
    places = [(row["ltla21_code"], row["ltla21_name"], 424, [row["ltla21_code"]], 1) for row in published]
    places += [("E12000007", "London", 480, list(everyone), 1), ("E92000001", "England", 499, list(everyone), 7)]
    offset, total = 0, len(places) * len(ages) * 3
    for area, label, kind, its_areas, times in places:
        for column, code, name in ages:
            both, male = (times * sum(of[one][column] for one in its_areas) for of in (everyone, men))
            for sex, (sex_name, count) in enumerate({"Total": both, "Male": male, "Female": both - male}.items()):
                place = [2020, "2020", label, area, kind, sex, sex_name, code, name]
                writer.writerow([*place, 20100, "Value", count, *NORMAL, offset, total])
                offset += 1
    return text.getvalue().encode()


def jobs(values: dict[str, object], **of_each: object) -> list[dict[str, object]]:
    """Records of 2025 by area: the density of jobs, then as many jobs again."""
    year = {"DATE": "2025", "MEASURES": 20100, "MEASURES_NAME": "Value"}
    return [
        {**year, "ITEM": item, "ITEM_NAME": name, "GEOGRAPHY_CODE": area, "OBS_VALUE": value, **of_each}
        for item, name in ((3, "Jobs density"), (1, "Total jobs"))
        for area, value in values.items()
    ]


def zipped(folder: Path, *pages: bytes, compression: int = zipfile.ZIP_STORED) -> Path:
    file = folder / "pages.zip"
    with zipfile.ZipFile(file, "w", compression) as archive:
        for number, page in enumerate(pages):
            archive.writestr(f"page-{number}.csv", page)
    return file


def written(folder: Path, body: bytes, name: str = "answer.csv") -> Path:
    file = folder / name
    file.write_bytes(body)
    return file


AREAS = {f"E090000{n:02d}": n / 10 for n in range(1, 34)} | {"E12000007": 3.4, "E92000001": 3.5}


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
    ("case", "says"),
    [
        ("missing", "has 6 of 33 records: it is cut short"),
        ("repeated", "has 6 records twice: a page was repeated"),
        ("changed", "its records say that there are 33 and 34 of them"),
        ("header", "header is not the same on all 2 pages"),
        ("foreign", "holds pages that are not delimited text: page-1.csv"),
        ("packed", "is a zip archive, but not one of pages stored as they came"),
        ("no zip", "is not a readable zip archive"),
    ],
)
def test_pages_that_are_not_the_whole_answer_are_refused(
    warehouse: Settings, tmp_path: Path, case: str, says: str
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
    with pytest.raises(FileRefused, match=says):
        land(warehouse, "jobs_density", file)
    assert ask(warehouse, "select count(*) from raw.nomis__jobs_density", LOADER) == [(0,)]
    assert ask(warehouse, "select state from ops.load", LOADER) == [("refused",)]


def test_an_answer_of_25000_records_that_says_it_has_more_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    body = answer(jobs(AREAS), total=57024)
    with refused_with("ROWS_FEWER_THAN_STATED", match="70 of 57024"):
        land(warehouse, "jobs_density", written(tmp_path, body))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty"),
        (b'{"error": "Query is incomplete"}', "is JSON"),
        (b"Cannot create query", "has no column for date_name"),
        (answer(jobs(AREAS)).split(b"\n")[0] + b"\n", "has a header and no rows"),
        (answer(jobs({"E09000002": "12,5"})), "is not a number"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(warehouse: Settings, tmp_path: Path, body: bytes, says: str) -> None:
    with pytest.raises(FileRefused, match=says):
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

    for file, says in (
        (saved(lines=6012), "has 6,012 records and not 6,072, one for each of 1 date × 22 geography_code × 3 gender"),
        (saved(areas=34), r"has 34 of 35 areas: it lacks E92000001"),
        (saved(areas=33), r"has 33 of 35 areas: it lacks E12000007, E92000001"),
        (saved(ages=91), r"has 91 of 92 values of c_age: it lacks 191"),
    ):
        with pytest.raises(FileRefused, match=says):
            land(warehouse, "population", file)
    assert land(warehouse, "population", saved()) == 35 * 3 * 92


def test_an_answer_that_says_how_long_it_is_has_all_that_the_query_asks_for_too(
    warehouse: Settings, tmp_path: Path
) -> None:
    boroughs = {area: value for area, value in AREAS.items() if area.startswith("E09")}
    for records, says in (
        (jobs(boroughs), "has 33 of 35 areas: it lacks E12000007, E92000001"),
        (jobs(AREAS)[:35], "has 1 of 2 values of item: it lacks 1"),
    ):
        with pytest.raises(FileRefused, match=says):
            land(warehouse, "jobs_density", written(tmp_path, answer(records)))
    # Of one area nobody asked for the others.
    assert land(warehouse, "jobs_density", written(tmp_path, answer(jobs({"E09000009": 9.9})))) == 2


def test_a_label_that_is_another_codes_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    records = jobs(AREAS)
    records[3]["ITEM_NAME"] = "Total jobs"
    with refused_with("LABEL_OF_ANOTHER_CODE", match="row 4, column ITEM_NAME: 'Total jobs'"):
        land(warehouse, "jobs_density", written(tmp_path, answer(records)))


def test_an_answer_under_another_ones_name_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    for value, (name, says) in enumerate(
        (
            ("NM_2002_1_2025_2025.csv", "is an answer of NM_2002_1 by its name, and came as NM_57_1"),
            ("NM_57_1_2024_2024.csv", "has periods 2024 to 2024 by its name, and 2025 to 2025 in its rows"),
        )
    ):
        with refused_with("NAME_DIFFERS_FROM_ROWS", match=says):
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


@pytest.mark.parametrize(("typecode", "code"), [("153", "E05013570"), ("151", "E01000001"), ("153", "E09000002")])
def test_residents_of_wards_are_loaded_and_of_no_other_areas(
    warehouse: Settings, tmp_path: Path, typecode: str, code: str
) -> None:
    wards = [
        {
            "DATE": "2021",
            "GEOGRAPHY_CODE": area,
            "GEOGRAPHY_TYPECODE": typecode,
            "C2021_RESTYPE_3": 0,
            "C2021_RESTYPE_3_NAME": "Total: All usual residents",
            "MEASURES": 20100,
            "MEASURES_NAME": "Value",
            "OBS_VALUE": 12345,
        }
        for area in ("E05009317", code)
    ]
    file = written(tmp_path, answer(wards))
    if code.startswith("E05"):
        assert land(warehouse, "census_ward_residents", file) == 2
        # Cut, and without the columns that would say so.
        rows = [line.rsplit(b",", 2)[0] for line in answer(wards).splitlines()]
        with refused_with("RECORD_COUNT_MISSING"):
            land(warehouse, "census_ward_residents", written(tmp_path, b"\n".join(rows) + b"\n", "cut.csv"))
        return
    with refused_with("VALUE_MALFORMED"):
        land(warehouse, "census_ward_residents", file)


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


def test_every_real_answer_of_another_form_is_refused_by_name(warehouse: Settings, samples: Path) -> None:
    """Wide census files, three of them header only, and job seekers, which no dataset here is of."""
    others = [f for f in (samples / "nomis" / "small_responses").glob("*.csv") if f.stem not in ANSWERS]
    wide = [f for f in others if f.read_bytes().startswith(b'"date","geography"')]
    assert len(wide) == 6
    for file in [*wide, samples / "nomis" / "QS201EW_bulk_la-ethnic-groups_2011.csv"]:
        with refused_with("HEADER_UNKNOWN", match="'geography code'"):
            land(warehouse, "census_ethnic_group", file)


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


def test_a_year_of_the_annual_population_survey_is_known_by_the_month_it_ends_with(
    warehouse: Settings, samples: Path
) -> None:
    land(warehouse, "annual_population_survey", samples / "nomis" / "small_responses" / f"{next(iter(ANSWERS))}.csv")
    rows = csv.DictReader((samples / "nomis" / "small_responses" / f"{next(iter(ANSWERS))}.csv").open())
    ends = {
        date(int(row["DATE_NAME"][-4:]), {"Mar": 3, "Jun": 6, "Sep": 9, "Dec": 12}[row["DATE_NAME"][9:12]], 1)
        for row in rows
    }
    query = "select first_period, last_period, (select count(*) from jsonb_object_keys(totals)) from ops.load"
    assert ask(warehouse, query, LOADER) == [(min(ends), max(ends), len(ends))]


def test_months_that_a_spreadsheet_saved_again_are_those_months(
    warehouse: Settings, samples: Path, tmp_path: Path
) -> None:
    file = samples / "nomis" / "small_responses" / "455d72ce-3cb6-3de5-88b7-1420f87ec435.csv"
    # Of its LSOAs one stands for a borough here: an answer about several areas has all that are asked for.
    header, first, *_ = file.read_bytes().splitlines(keepends=True)
    body = header + re.sub(rb"E01[0-9]{6}", b"E09000002", first)
    assert land(warehouse, "claimant_count", written(tmp_path, body)) == 1
    assert ask(warehouse, "select first_period, last_period from ops.load", LOADER) == [
        (date(2017, 12, 1), date(2017, 12, 1))
    ]


def test_what_nomis_does_not_call_normal_is_kept_and_is_no_value_and_the_newest_delivery_speaks(
    to_build: Settings, tmp_path: Path
) -> None:
    warehouse = to_build
    records = jobs(AREAS)
    records[0] |= {**MISSING, "OBS_VALUE": ""}
    records[1] |= {"OBS_STATUS": "U", "OBS_STATUS_NAME": "Unreliable"}
    records[2] |= {"OBS_CONF": "C"}
    land(warehouse, "jobs_density", written(tmp_path, answer(records)))
    survey = {"DATE": "2026-06", "DATE_NAME": "Jul 2025-Jun 2026", "GEOGRAPHY_CODE": "E09000002", "VARIABLE": 45}
    survey |= {"VARIABLE_NAME": "Employment rate - aged 16-64"}
    parts = {20599: 75.5, 21001: 151000, 21002: 200000, 21003: 3.4}
    names = {20599: "Variable", 21001: "Numerator", 21002: "Denominator", 21003: "Confidence"}
    body = answer([{**survey, "MEASURES": m, "MEASURES_NAME": names[m], "OBS_VALUE": v} for m, v in parts.items()])
    land(warehouse, "annual_population_survey", written(tmp_path, body))
    # A statistic nobody asks for has no label that we know.
    pay = {
        "DATE": "2025",
        "SEX": 8,
        "SEX_NAME": "Total",
        "ITEM": 1,
        "ITEM_NAME": "Mean",
        "PAY": 7,
        "PAY_NAME": "Annual pay - gross",
    }
    pay |= {"GEOGRAPHY_CODE": "E09000002", "MEASURES": 20100, "MEASURES_NAME": "Value", "OBS_VALUE": 50000}
    with pytest.raises(FileRefused, match="column ITEM: '1' is not in the list"):
        land(warehouse, "earnings_residents", written(tmp_path, answer([pay])))
    # A later delivery revises one area, and says nothing of the others.
    land(warehouse, "jobs_density", written(tmp_path, answer(jobs({"E09000009": 9.9})), "later.csv"))
    assert build_and_publish(warehouse)
    found = ask(
        warehouse,
        """select area_code, value::float, value_note from marts.fct_measure
           where measure_code = 'nomis_jobs_density' order by area_code""",
    )
    assert found == [
        ("E09000001", None, "These figures are missing."),
        ("E09000002", None, "Unreliable"),
        ("E09000003", None, "Not free for publication (C)"),
        *((f"E090000{n:02d}", 9.9 if n == 9 else n / 10, None) for n in range(4, 34)),
        ("E92000001", 3.5, None),
        ("LONDON_33", 3.4, None),
    ]
    assert ask(
        warehouse,
        """select period_kind, period_start_date, period_end_date, numerator::int, denominator::int, value::float, value_note
           from marts.fct_measure where measure_code = 'nomis_employment_rate'""",
    ) == [
        (
            "rolling_year",
            date(2025, 7, 1),
            date(2026, 6, 30),
            151000,
            200000,
            75.5,
            "95 % confidence interval: ± 3.4 percentage points.",
        )
    ]
    assert ask(
        warehouse,
        """select area_code, compared_with, earlier_value, value, difference_percent from marts.rpt_revision
           where measure_code = 'nomis_jobs_density' order by compared_with""",
    ) == [("E09000009", "first", 0.9, 9.9, 1000.0), ("E09000009", "previous", 0.9, 9.9, 1000.0)]
    assert ask(
        warehouse, "select obs_value, obs_status from raw.nomis__jobs_density where obs_status = 'U'", LOADER
    ) == [("0.2", "U")]


def test_a_file_that_does_not_say_which_pay_it_is_of_is_refused(warehouse: Settings, samples: Path) -> None:
    file = samples / "nomis" / "small_responses" / "e09b148e-c34c-3ab1-8540-c3d903ebb9f4.csv"
    with refused_with("COLUMN_MISSING", match="sex_name"):
        land(warehouse, "earnings_residents", file)
