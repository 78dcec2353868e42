"""Fingertips: real files load exactly and come out of the marts; what the API gets wrong is handled or refused by name."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

from tests.builds import build_and_publish
from tests.fingertips_files import body, land, landed
from tests.queries import ask
from warehouse.platform.connection import LOADER
from warehouse.platform.settings import Settings


def published(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        header, *rows = list(csv.reader(handle))
    return [dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=True)) for row in rows]


def test_real_files_load_exactly_and_come_out_of_the_marts(to_build: Settings, samples: Path) -> None:
    warehouse = to_build
    files = [
        samples / "fingertips" / name
        for name in ("indicators-CountyUA.data.csv", "admissions_injuries_la_2324.data.csv")
    ]
    expected = []
    for file in files:
        rows = published(file)
        assert land(warehouse, file) == len(rows)
        expected += rows
    raw = ask(
        warehouse, "select count(*), sum(count::numeric) filter (where count <> '') from raw.fingertips__data", LOADER
    )
    assert raw == [(len(expected), sum(Decimal(row["Count"]) for row in expected if row["Count"]))]
    assert build_and_publish(warehouse)

    def number(text: str) -> Decimal | None:
        return Decimal(text) if text else None

    wanted = {
        (
            row["Indicator ID"],
            {"E12000007": "LONDON_33"}.get(row["Area Code"], row["Area Code"]),
            row["Sex"],
            row["Age"],
            row["Category Type"],
            row["Category"],
            row["Time period"],
            number(row["Value"]),
            number(row["Lower CI 95.0 limit"]),
            number(row["Upper CI 95.0 limit"]),
            number(row["Count"]),
            number(row["Denominator"]),
            row["Value note"] or None,
        )
        for row in expected
        if row["Area Code"].startswith("E09") or row["Area Code"] in {"E12000007", "E92000001"}
    }
    found = ask(
        warehouse,
        """select indicator_id, area_code, published_sex, published_age, category_type, category, time_period, value,
             lower_95_limit, upper_95_limit, count, denominator, value_note from marts.fct_indicator""",
    )
    assert len(found) == len(set(found)), "England stands twice in the file and once here"
    assert set(found) == wanted


PERIODS = [
    # indicator (its year type), text, sortable, range, kind, start, end
    ("10401", "2017", "20170000", "1y", "calendar_year", date(2017, 1, 1), date(2017, 12, 31)),
    ("10401", "2001 - 03", "20010000", "", "calendar_years_3", date(2001, 1, 1), date(2003, 12, 31)),
    ("11202", "2017/18", "20170000", "1y", "financial_year", date(2017, 4, 1), date(2018, 3, 31)),
    ("11202", "2006 Q1", "20060100", "3m", "quarter", date(2006, 4, 1), date(2006, 6, 30)),
    ("11202", "2006/07 Q1 - 2007/08 Q4", "20060100", "", "financial_years_2", date(2006, 4, 1), date(2008, 3, 31)),
    ("11201", "2016/17 - 20/21", "20160000", "5y", "financial_years_5", date(2016, 4, 1), date(2021, 3, 31)),
    ("10301", "2017/18", "20170000", "1y", "academic_year", date(2017, 9, 1), date(2018, 8, 31)),
    ("99998", "Jan 2009", "20090001", "1m", "month", date(2009, 1, 1), date(2009, 1, 31)),
    ("10401", "Aug 2006 - Jul 2007", "20060008", "", "rolling_year", date(2006, 8, 1), date(2007, 7, 31)),
    ("90803", "2023", "20230000", "1y", "on_31_march", date(2023, 3, 1), date(2023, 3, 31)),
    ("99999", "2020/21", "20200000", "", "financial_or_academic_year", date(2020, 4, 1), date(2021, 3, 31)),
]


def test_rows_come_out_once_apart_flagged_and_dated(to_build: Settings, tmp_path: Path) -> None:
    warehouse = to_build
    england = {"Area Code": "E92000001", "Area Name": "England", "Area Type": "England"}
    twice = {**england, "Parent Code": "E92000001", "Parent Name": "England"}
    decile = {**england, "Category Type": "Deciles", "Category": "Most deprived decile (IMD2019)", "Value": "20"}
    combined = {"Indicator ID": "11201", "Value note": "Value for Hackney and City of London combined"}
    combined |= {"Time period": "2020/21 - 22/23", "Time period Sortable": "20200000", "Time period range": "3y"}
    hackney = {**combined, "Area Code": "E09000012", "Area Name": "Hackney"}
    city = {
        **combined,
        "Area Code": "E09000001",
        "Area Name": "City of London",
        "Value": "",
        "Count": "",
        "Denominator": "",
    }
    london = {"Area Code": "E12000007", "Area Name": "London region"}
    force = {
        "Indicator ID": "92863",
        "Value note": "LAs are allocated the rate of the police force area within which they sit",
        "Age": "16+ yrs",
    }
    suppressed = {"Area Code": "E09000005", "Area Name": "Brent", "Value": "", "Count": "", "Denominator": ""}
    landed(
        warehouse,
        tmp_path,
        body(
            {},
            {"Area Type": "Districts & UAs (from Apr 2023)"},
            {"Sex": "Female", "Value": "8"},
            england,
            twice,
            decile,
            {"Area Code": "nE09000033", "Area Name": "Westminster"},
            {**london, "Value": "11"},
            {"Area Code": "E06000001", "Area Name": "Hartlepool"},
            hackney,
            city,
            force,
            {**force, **london},
            {**suppressed, "Value note": "Value suppressed for disclosure control due to small count"},
            *(
                {"Indicator ID": i, "Time period": text, "Time period Sortable": sortable, "Time period range": length}
                for i, text, sortable, length, *_ in PERIODS
            ),
        ),
    )
    assert build_and_publish(warehouse)

    found = ask(
        warehouse,
        """select area_code, published_sex, category, value, is_headline, value_note is not null from marts.fct_indicator
           where indicator_id = '11202' and time_period = '2022/23' order by 1, 2 desc, 3""",
    )
    exact = Decimal("10.123456789012345")
    assert found == [
        ("E09000002", "Persons", "", exact, True, False),
        ("E09000002", "Female", "", Decimal(8), True, False),
        ("E09000005", "Persons", "", None, True, True),
        ("E09000033", "Persons", "", exact, True, False),
        ("E92000001", "Persons", "", exact, True, False),
        ("E92000001", "Persons", "Most deprived decile (IMD2019)", Decimal(20), False, False),
        ("LONDON_33", "Persons", "", Decimal(11), True, False),
    ]
    measured = ask(
        warehouse,
        """select area_code, sex, value::float, value_note from marts.fct_measure
           where measure_code = 'fingertips_violence_offences' and period_start_date = '2022-04-01' order by 1, 2""",
    )
    assert measured == [
        ("E09000002", "all", 10.1235, None),
        ("E09000002", "female", 8.0, None),
        ("E09000005", "all", None, "Value suppressed for disclosure control due to small count"),
        ("E09000033", "all", 10.1235, None),
        ("E92000001", "all", 10.1235, None),
        ("LONDON_33", "all", 11.0, None),
    ]
    assert ask(
        warehouse,
        """select area_code, includes_city_of_london, value is null, count is null from marts.fct_indicator
           where indicator_id = '11201' and time_period = '2020/21 - 22/23' order by 1""",
    ) == [("E09000001", False, True, True), ("E09000012", True, False, False)]
    assert ask(
        warehouse,
        "select area_code, is_force_wide, is_rankable from marts.fct_indicator where indicator_id = '92863' order by 1",
    ) == [("E09000002", True, False), ("LONDON_33", False, True)]
    assert ask(
        warehouse,
        "select area_code from marts.fct_measure where measure_code = 'fingertips_domestic_abuse_incidents'",
    ) == [("LONDON_33",)]
    assert ask(
        warehouse,
        "select count(*) from marts.dim_measure where source = 'fingertips' and (is_summable_over_areas or is_summable_over_time)",
    ) == [(0,)]
    dated = ask(
        warehouse,
        "select indicator_id, time_period, period_kind, period_start_date, period_end_date from marts.fct_indicator",
    )
    assert {(i, text, kind, start, end) for i, text, _, _, kind, start, end in PERIODS} <= set(dated)
    assert ask(
        warehouse, "select count(*) from marts.fct_indicator where indicator_id = '99999' and measure_code is null"
    ) == [(1,)]
