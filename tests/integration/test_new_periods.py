"""A new period whose figures are unlike those of the period before is set aside by name, and stands once a person says that it is true."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from ingest.connectors import file_drop
from ingest.declaration import find_source
from tests import fingertips_files
from tests.fingertips_files import body
from tests.mps_more_files import csv_bytes
from tests.nomis_files import answer, zipped
from tests.refused import refused_with
from warehouse import steps
from warehouse.build import set_aside
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings

BOROUGHS = [f"E090000{n:02d}" for n in range(1, 34)]
AREAS = [*BOROUGHS, "E12000007", "E92000001"]
HACKNEY = "E09000012"
MONTHS = ("July", "August", "September", "October")
Change = Callable[[str, Mapping[str, str], float], float]


def unchanged(_: str, __: Mapping[str, str], figure: float) -> float:
    return figure


def hackney(times: float) -> Change:
    return lambda area, _, figure: figure * times if area == HACKNEY else figure


def land(settings: Settings, folder: Path, source: str, dataset: str, name: str, content: bytes) -> int:
    file = folder / name
    file.write_bytes(content)
    declared = find_source(source)
    landed = file_drop.take(settings.landing, declared, dataset, file, settings.now())
    return steps.load_one(settings, declared, dataset, landed).load_id


def aside(settings: Settings) -> list[tuple[int, str, str]]:
    """What is set aside before a build: load, code, reason."""
    set_aside.judge(settings)
    with connect(settings, ADMIN) as connection:
        return connection.execute(
            "select load_id, code, reason from ops.load where state = 'set_aside' order by 1"
        ).fetchall()


def wave(area: str, period: int) -> float:
    """What moves a figure from one period to the next: up to a twelfth, each area by itself."""
    return 1 + ((AREAS.index(area) * 7 + period * 5) % 9 - 4) / 50


def claimants(months: Iterable[int], change: Change = unchanged) -> bytes:
    return answer(
        {
            "DATE": f"2026-{month + 7:02d}",
            "DATE_NAME": f"{MONTHS[month]} 2026",
            "GEOGRAPHY_CODE": area,
            "GENDER": gender,
            "GENDER_NAME": label,
            "AGE": age,
            "AGE_NAME": "All categories: Age 16+" if age == "0" else f"Aged {age}",
            "MEASURE": measure,
            "MEASURE_NAME": "Claimant count" if measure == "1" else "Claimants as a proportion of residents aged 16-64",
            "MEASURES": "20100",
            "MEASURES_NAME": "Value",
            "OBS_VALUE": round(
                change(
                    area,
                    {"gender": gender},
                    share * (1000 + 90 * AREAS.index(area)) * wave(area, month) / (1 if measure == "1" else 400),
                ),
                1,
            ),
        }
        for month in months
        for area in AREAS
        for gender, label, share in (("0", "Total", 1.0), ("1", "Male", 0.6), ("2", "Female", 0.4))
        for age in ("0", *map(str, range(10, 21)))
        for measure in ("1", "2")
    )


def yearly(years: Iterable[int], series: Iterable[Mapping[str, str]], change: Change = unchanged) -> bytes:
    return answer(
        {
            "DATE": str(year),
            "GEOGRAPHY_CODE": area,
            **{name: text for name, text in one.items() if name != "level"},
            "OBS_VALUE": round(
                change(area, one, float(one["level"]) * (1 + AREAS.index(area) / 40) * wave(area, year)), 2
            ),
        }
        for year in years
        for one in series
        for area in AREAS
    )


VALUE = {"MEASURES": "20100", "MEASURES_NAME": "Value"}
JOBS = [
    {"ITEM": "3", "ITEM_NAME": "Jobs density", **VALUE, "level": "0.8"},
    {"ITEM": "1", "ITEM_NAME": "Total jobs", **VALUE, "level": "90000"},
]
EARNINGS = [
    {"SEX": "8", "SEX_NAME": "Total", "ITEM": "2", "ITEM_NAME": "Median", "PAY": pay, "PAY_NAME": name, **measure, "level": level}
    for pay, name, amount in (("7", "Annual pay - gross", "38000"), ("1", "Weekly pay - gross", "720"))
    for measure, level in ((VALUE, amount), ({"MEASURES": "20701", "MEASURES_NAME": "Confidence"}, "2"))
]  # fmt: skip


@pytest.mark.parametrize("change", [unchanged, lambda area, _, figure: figure * 1.6], ids=["as before", "half more"])
def test_a_new_month_that_follows_the_one_before_stands(warehouse: Settings, tmp_path: Path, change: Change) -> None:
    land(warehouse, tmp_path, "nomis", "claimant_count", "one.csv", claimants(range(3)))
    land(warehouse, tmp_path, "nomis", "claimant_count", "two.csv", claimants([3], change))
    assert aside(warehouse) == []


def test_a_new_month_with_a_borough_ten_times_is_set_aside_until_accepted(warehouse: Settings, tmp_path: Path) -> None:
    land(warehouse, tmp_path, "nomis", "claimant_count", "one.csv", claimants(range(3)))
    pages = zipped(tmp_path, claimants([3], hackney(10)), compression=zipfile.ZIP_STORED)
    new = land(warehouse, tmp_path, "nomis", "claimant_count", "NM_162_1_2026-10_2026-10.zip", pages.read_bytes())
    ((load_id, code, reason),) = aside(warehouse)
    assert (load_id, code) == (new, "PERIOD_UNLIKE_THE_LAST")
    assert (
        "Total / All categories: Age 16+ / Claimant count: Hackney has 19,104 in October 2026 and had 2,069.6 in September 2026;"
        in reason
    )
    assert reason.count("Hackney has") == 5
    assert "E09" not in reason
    set_aside.accept(warehouse, new, "the borough counts otherwise now", "a person")
    assert aside(warehouse) == []


@pytest.mark.parametrize(
    ("dataset", "series", "change", "said"),
    [
        ("jobs_density", JOBS, hackney(100), "Jobs density: Hackney has "),
        ("jobs_density", JOBS, hackney(100), "Total jobs: Hackney has "),
        (
            "earnings_residents",
            EARNINGS,
            lambda _, one, n: n / 52,
            "Weekly pay - gross: 35 areas have 0.0178 times in 2024 what they had in 2023",
        ),
        ("earnings_workplace", EARNINGS, hackney(10), "Annual pay - gross: Hackney has "),
        (
            "earnings_workplace",
            EARNINGS,
            lambda _, one, n: n * 52 if one["PAY"] == "1" else n / 52,
            "Weekly pay - gross: 35 areas have 48.1 times",
        ),
    ],
    ids=["density", "jobs", "a week's pay", "one borough's pay", "two kinds of pay exchanged"],
)
def test_a_new_year_in_another_unit_is_set_aside(
    warehouse: Settings, tmp_path: Path, dataset: str, series: list[dict[str, str]], change: Change, said: str
) -> None:
    land(warehouse, tmp_path, "nomis", dataset, "one.csv", yearly(range(2019, 2024), series))
    land(warehouse, tmp_path, "nomis", dataset, "two.csv", yearly([2024], series, change))
    ((_, code, reason),) = aside(warehouse)
    assert code == "PERIOD_UNLIKE_THE_LAST"
    assert said in reason


def test_men_and_women_exchanged_in_a_new_month_are_set_aside(warehouse: Settings, tmp_path: Path) -> None:
    land(warehouse, tmp_path, "nomis", "claimant_count", "one.csv", claimants(range(3)))
    turned = {"0": 1.0, "1": 4 / 6, "2": 6 / 4}
    land(
        warehouse,
        tmp_path,
        "nomis",
        "claimant_count",
        "two.csv",
        claimants([3], lambda _, one, n: n * turned[one["gender"]]),
    )
    ((_, _, reason),) = aside(warehouse)
    assert "Male and Female have changed places in 35 areas in October 2026" in reason


LEVELS = {"Persons": 50.0, "Male": 70.0, "Female": 30.0}


def indicator(years: Iterable[int], change: Change = unchanged, *, without: str = "") -> bytes:
    """An indicator of three sexes; the newest year is changed."""
    names = fingertips_files.names_of_areas()
    newest = max(years)
    rows = []
    for year in years:
        for sex, level in LEVELS.items():
            for area in AREAS:
                if year == newest and area == without:
                    continue
                figure = level * (1 + AREAS.index(area) / 60) * wave(area, year)
                if year == newest:
                    figure = change(area, {"sex": sex}, figure)
                rows.append(
                    {
                        "Area Code": area, "Area Name": names[area], "Sex": sex, "Time period": f"{year}/{(year + 1) % 100:02d}",
                        "Value": f"{figure:.4f}", "Lower CI 95.0 limit": f"{figure * 0.9:.4f}", "Upper CI 95.0 limit": f"{figure * 1.1:.4f}",
                        "Count": f"{round(level * 8)}", "Time period Sortable": f"{year}0000",
                    }
                )  # fmt: skip
    return body(*rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (hackney(10), "Violence / Persons / All ages / 1y: Hackney has 556.1667 in 2026/27 and had 60.35 in 2025/26"),
        (
            lambda _, __, figure: figure / 100,
            "Violence / Persons / All ages / 1y: 35 areas have 0.00926 times in 2026/27",
        ),
        (
            lambda _, one, n: n * {"Persons": 1, "Male": 3 / 7, "Female": 7 / 3}[one["sex"]],
            "Violence / All ages / 1y: Female and Male have changed places in 35 areas in 2026/27",
        ),
    ],
    ids=["a borough ten times", "per another number", "men and women exchanged"],
)
def test_a_new_period_of_an_indicator_unlike_the_last_is_set_aside(
    warehouse: Settings, tmp_path: Path, change: Change, said: str
) -> None:
    name = "indicator_11202.csv"
    land(warehouse, tmp_path, "fingertips", "data", name, indicator(range(2020, 2025)))
    land(warehouse, tmp_path, "fingertips", "data", name, indicator(range(2020, 2026)))
    assert aside(warehouse) == []
    land(warehouse, tmp_path, "fingertips", "data", name, indicator(range(2020, 2027), change))
    ((_, code, reason),) = aside(warehouse)
    assert code == "PERIOD_UNLIKE_THE_LAST"
    assert said in reason


def test_the_first_file_of_an_indicator_is_judged_by_its_newest_period(warehouse: Settings, tmp_path: Path) -> None:
    land(warehouse, tmp_path, "fingertips", "data", "indicator_11202.csv", indicator(range(2020, 2026), hackney(10)))
    ((_, code, reason),) = aside(warehouse)
    assert code == "PERIOD_UNLIKE_THE_LAST"
    assert "Hackney has" in reason


def test_a_new_period_without_a_borough_is_refused_by_name(warehouse: Settings, tmp_path: Path) -> None:
    land(warehouse, tmp_path, "fingertips", "data", "indicator_11202.csv", indicator(range(2020, 2025)))
    with refused_with("AREAS_MISSING", match="lacks Hackney.* in 2025/26"):
        land(
            warehouse,
            tmp_path,
            "fingertips",
            "data",
            "indicator_11202.csv",
            indicator(range(2020, 2026), without=HACKNEY),
        )


@pytest.mark.parametrize(
    ("column", "now", "said"),
    [
        ("Unit", "per 1,000", "the unit of 11202 (Violence) is 'per 1,000' and was 'per 100,000'"),
        ("Value type", "Count", "the type of value of 11202 (Violence) is 'Count' and was 'Crude rate'"),
        ("Polarity", "RAG - High is good", "the polarity of 11202 (Violence) is 'RAG - High is good' and was"),
    ],
)
def test_a_definition_of_another_unit_is_set_aside(
    warehouse: Settings, tmp_path: Path, column: str, now: str, said: str
) -> None:
    row = {
        "Indicator ID": "11202", "Indicator": "Violence", "Definition": "Offences", "Data source": "Invented", "Unit": "per 100,000",
        "Value type": "Crude rate", "Year type": "Financial", "Polarity": "RAG - Low is good",
    }  # fmt: skip
    land(warehouse, tmp_path, "fingertips", "metadata", "metadata.csv", csv_bytes(list(row), [list(row.values())]))
    changed = row | {column: now}
    land(
        warehouse,
        tmp_path,
        "fingertips",
        "metadata",
        "metadata.csv",
        csv_bytes(list(changed), [list(changed.values())]),
    )
    ((_, code, reason),) = aside(warehouse)
    assert code == "UNIT_CHANGED"
    assert said in reason
