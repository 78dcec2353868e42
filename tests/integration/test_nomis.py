"""NOMIS: real answers load exactly and come out of the marts; what the API gets wrong is handled or refused by name."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

from ingest.connectors import file_drop
from ingest.declaration import find_source
from tests.builds import build_and_publish
from warehouse import nightly
from warehouse.connection import ANALYST, connect
from warehouse.settings import Settings

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
    return nightly.load_one(warehouse, NOMIS, dataset, landed).rows


def test_real_answers_load_exactly_and_come_out_of_the_marts(warehouse: Settings, samples: Path) -> None:
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
    assert land(warehouse, "population", answer) == len(published) * 92
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
           where measure_code = 'nomis_population' and area_code in ('LONDON_32', 'LONDON_33', 'E09000007')""",
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
    offset, total = 0, len(published) * len(ages)
    for row in published:
        for column, code, name in ages:
            place = [2020, "2020", row["ltla21_name"], row["ltla21_code"], 424]
            writer.writerow([*place, 0, "Total", code, name, 20100, "Value", int(float(row[column])), *NORMAL, offset, total])
            offset += 1
    return text.getvalue().encode()
