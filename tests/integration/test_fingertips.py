"""Fingertips: real files load exactly and come out of the marts; what the API gets wrong is handled or refused by name."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from expectations import gate
from ingest.connectors import file_drop
from ingest.declaration import SEEDS, find_source
from ingest.errors import FileRefused
from tests.builds import build_and_publish
from warehouse import steps
from warehouse.build import transform
from warehouse.platform.connection import ANALYST, LOADER, connect
from warehouse.platform.settings import Settings
from warehouse.reports import status

FINGERTIPS = find_source("fingertips")


def ask(warehouse: Settings, query: str, role: str = ANALYST) -> list[tuple[Any, ...]]:
    with connect(warehouse, role) as connection:
        return connection.execute(query.encode()).fetchall()


def land(warehouse: Settings, file: Path, dataset: str = "data") -> int:
    landed = file_drop.take(warehouse.landing, FINGERTIPS, dataset, file, warehouse.now())
    return steps.load_one(warehouse, FINGERTIPS, dataset, landed).rows


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


HEADER = next(
    csv.reader(
        [
            "Indicator ID,Indicator Name,Parent Code,Parent Name,Area Code,Area Name,Area Type,Sex,Age,Category Type,Category,"
            "Time period,Value,Lower CI 95.0 limit,Upper CI 95.0 limit,Lower CI 99.8 limit,Upper CI 99.8 limit,Count,"
            "Denominator,Value note,Recent Trend,Compared to England value or percentiles,Compared to percentiles,"
            "Time period Sortable,New data,Compared to goal,Time period range"
        ]
    )
)
LINE = {
    "Indicator ID": "11202",
    "Indicator Name": "Violence",
    "Area Code": "E09000002",
    "Area Name": "Barking and Dagenham",
    "Area Type": "Counties & UAs (from Apr 2023)",
    "Sex": "Persons",
    "Age": "All ages",
    "Time period": "2022/23",
    "Value": "10.123456789012345",
    "Count": "100",
    "Denominator": "1000",
    "Time period Sortable": "20220000",
    "Time period range": "1y",
}


def body(*rows: Mapping[str, str], header: list[str] | None = None, fields: int = 27) -> bytes:
    """A file of rows that differ from LINE as told, CRLF, without a byte order mark."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header or HEADER)
    for row in rows:
        writer.writerow([{**LINE, **row}.get(name, "") for name in HEADER][:fields])
    return text.getvalue().encode()


def landed(warehouse: Settings, tmp_path: Path, content: bytes, name: str = "indicators.data.csv") -> int:
    file = tmp_path / name
    file.write_bytes(content)
    return land(warehouse, file)


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
    with pytest.raises(
        FileRefused,
        match=r"lacks 3 of 99 rows that load \d+ had: 11202 / Waltham Forest / Persons / All ages / 20220000, 11202 / Wandsworth /",
    ):
        landed(warehouse, tmp_path, body(*LONDON[:-3], *ELSEWHERE))
    assert ask(warehouse, "select state, rows_in_file from ops.load order by load_id", LOADER) == [
        ("loaded", 128),
        ("refused", 125),
    ]


def test_the_real_file_without_its_last_309_rows_is_refused(warehouse: Settings, tmp_path: Path, samples: Path) -> None:
    lines = (samples / "fingertips" / "admissions_injuries_la_2324.data.csv").read_bytes().splitlines(keepends=True)
    assert landed(warehouse, tmp_path, b"".join(lines)) == 7208
    with pytest.raises(FileRefused, match=r"lacks 66 of 1,292 rows that load \d+ had: "):
        landed(warehouse, tmp_path, b"".join(lines[:-309]))


def test_a_row_of_london_that_is_gone_is_warned_about_by_name(to_build: Settings, tmp_path: Path) -> None:
    warehouse, gone = to_build, "11202 / Westminster / Persons / All ages / 20220000"
    landed(warehouse, tmp_path, body(*LONDON, *ELSEWHERE))
    assert landed(warehouse, tmp_path, body(*LONDON[:-1], *ELSEWHERE)) == 127
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
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html PUBLIC>", "is an HTML or XML page"),
        (body(), "has a header and no rows"),
        (
            body({}, header=["Val" if column == "Value" else column for column in HEADER]),
            "header has no column for value",
        ),
        (body({"Value": "*"}), "column Value: '\\*' is not a number"),
        (body({}, {"Value": "9" * 30}), f"row 2, column Value: '{'9' * 30}' is a number that the marts cannot hold"),
        (body({"Count": "-1e12"}), "row 1, column Count: '-1e12' is a number that the marts cannot hold"),
        (body({"Time period Sortable": ""}), "column Time period Sortable: '' is blank"),
        (body({"Sex": "Women"}), "column Sex: 'Women' does not match"),
        (body({})[:-1], "has a line end within|is cut short|is not valid CSV|last row"),
    ],
)
def test_what_is_no_indicator_file_is_refused_by_name(
    warehouse: Settings, tmp_path: Path, content: bytes, says: str
) -> None:
    if content == body({})[:-1]:
        content = content[:-2]
    with pytest.raises(FileRefused, match=says):
        landed(warehouse, tmp_path, content)
    assert ask(warehouse, "select count(*) from raw.fingertips__data", LOADER) == [(0,)]


LIMITS = ("Lower CI 95.0 limit", "Upper CI 95.0 limit", "Lower CI 99.8 limit", "Upper CI 99.8 limit")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            {"Area Code": "E09000003", "Area Name": "Brent"},
            "Area Code and Area Name: 'E09000003 / Brent' are not one area: the code is that of another",
        ),
        (
            {"Area Code": "nE09000033", "Area Name": "Brent"},
            "Area Code and Area Name: 'nE09000033 / Brent' are not one area: the code is that of another",
        ),
        ({LIMITS[0]: "11"}, f"{LIMITS[0]}: '11' is above Value, 10.123456789012345"),
        ({LIMITS[1]: "9.5"}, f"Value: '10.123456789012345' is above {LIMITS[1]}, 9.5"),
        ({LIMITS[2]: "1e2"}, f"{LIMITS[2]}: '1e2' is above Value, 10.123456789012345"),
        ({"Value": "", LIMITS[0]: "12", LIMITS[1]: "9"}, f"{LIMITS[0]}: '12' is above {LIMITS[1]}, 9"),
    ],
)
def test_a_row_that_cannot_be_true_refuses_the_file_by_row(
    warehouse: Settings, tmp_path: Path, row: dict[str, str], says: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        landed(warehouse, tmp_path, body({}, row))
    assert refused.value.problem == f"row 2, column {says}"
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
