"""NOMIS: real answers load exactly and come out of the marts; what the API gets wrong is handled or refused by name."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.connectors import file_drop
from ingest.declaration import find_source
from tests.builds import build_and_publish
from tests.conftest import PROJECT
from tests.mps_files import borough_file
from tests.nomis_files import AREAS, MISSING, answer, jobs, land, written
from tests.queries import ask
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import LOADER
from warehouse.platform.settings import Settings

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


def test_every_real_answer_of_another_form_is_refused_by_name(warehouse: Settings, samples: Path) -> None:
    """Wide census files, three of them header only, and job seekers, which no dataset here is of."""
    others = [f for f in (samples / "nomis" / "small_responses").glob("*.csv") if f.stem not in ANSWERS]
    wide = [f for f in others if f.read_bytes().startswith(b'"date","geography"')]
    assert len(wide) == 6
    for file in [*wide, samples / "nomis" / "QS201EW_bulk_la-ethnic-groups_2011.csv"]:
        with refused_with("HEADER_UNKNOWN", match="'geography code'"):
            land(warehouse, "census_ethnic_group", file)


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
    with refused_with("LABEL_UNKNOWN", match="column ITEM: '1'"):
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
