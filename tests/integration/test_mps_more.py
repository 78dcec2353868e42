"""Ward, LSOA, dashboard, homicide and VAWG files of the police: they load exactly, and come out of the marts as they were."""

from __future__ import annotations

import collections
import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from expectations import gate
from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.load import Loaded
from tests import mps_more_files as files
from warehouse import nightly, transform
from warehouse.connection import ADMIN, connect
from warehouse.settings import Settings

MPS = find_source("mps")
Land = Callable[..., Loaded]


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    """Lands and loads bytes as a file of the MPS."""

    def now(dataset: str, body: bytes, name: str = "file.csv", **how: object) -> Loaded:
        file = tmp_path / name
        file.write_bytes(body)
        landed = file_drop.take(warehouse.landing, MPS, dataset, file, warehouse.now(), **how)  # type: ignore[arg-type]
        return nightly.load_one(warehouse, MPS, dataset, landed)

    return now


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with connect(settings, ADMIN) as connection:
        return connection.execute(query.encode()).fetchall()


def csv_rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_real_files_load_exactly_and_come_out_of_the_marts_as_they_were(
    warehouse: Settings, land: Land, samples: Path
) -> None:
    for dataset, name in (
        ("borough_historical", "borough_hist_201004-202403.csv"),
        ("borough_recent", "borough_24m_202404-202603.csv"),
    ):
        land(dataset, (samples / "mps" / "borough" / name).read_bytes(), name)
    ward = csv_rows(samples / "mps" / "ward" / "ward_24m_202311-202510.csv")
    months = [name for name in ward[0] if name.isdigit()]
    done = land("ward_recent", (samples / "mps" / "ward" / "ward_24m_202311-202510.csv").read_bytes(), "ward.csv")
    assert (done.rows, done.release_date) == (18693, dt.date(2025, 11, 1))
    done = land("lsoa_recent", files.lsoa_sample(samples), "lsoa.csv")
    assert (done.rows, done.release_date) == (105620, dt.date(2026, 3, 1))
    knife, workbook = files.knife_sample(samples)
    done = land("dashboard_knife", workbook, "M1045_MonthlyCrimeDashboard_KnifeCrimeData_202603.xlsx")
    assert (done.rows, done.release_date, done.quarantined) == (59431, dt.date(2026, 3, 1), 0)
    tno = samples / "mps" / "dashboard" / "M1045_TNO_4boroughs_202111-202510.csv"
    assert land("dashboard_tno", tno.read_bytes(), "tno.csv").rows == 5265
    victims = csv_rows(samples / "mps" / "homicide" / "homicide_victims_2003-2024.csv")
    file = samples / "mps" / "homicide" / "homicide_victims_2003-2024.csv"
    assert land("homicide_victims", file.read_bytes(), "homicide victims.csv").rows == len(victims) == 2936
    accused, body = files.accused_sample(samples)
    assert land("homicide_accused", body, "homicide accused.csv").rows == len(accused) == 4512
    vawg, workbook = files.vawg_sample(samples, dt.datetime(2024, 1, 1))
    done = land("vawg", workbook, "MPS VAWG Dashboard.xlsx")
    assert done.rows == len(vawg) > 50_000

    candidate = transform.build(warehouse)
    assert candidate is not None
    verdict = gate.judge(warehouse, candidate)
    assert verdict.verdict == "warned", verdict.reason
    assert {(r.suite, r.check) for r in verdict.results if r.outcome != "passed"} == {
        ("landing/mps/dashboard_tno", "every_borough_is_in_the_file"),
        ("landing/mps/reconciliation", "at_most_2_percent_of_a_month_has_no_borough"),
    }

    # Wards: every month as the file prints it.
    assert rows(
        warehouse,
        """select to_char(month_start_date, 'YYYYMM'), sum(all_offences_count), sum(violence_with_injury_count), count(*)
           from candidate.fct_ward_month group by 1 order by 1""",
    ) == [
        (
            month,
            sum(int(row[month]) for row in ward),
            sum(int(row[month]) for row in ward if row["MinorText"] == "VIOLENCE WITH INJURY"),
            679,
        )
        for month in months
    ]
    assert rows(warehouse, "select distinct area_code from candidate.fct_ward_month where ward_code = 'E05013570'") == [
        ("AVIATION",)
    ]
    # LSOAs: the 40 offences of February 2024 are of a month that had left the window, and are left out.
    assert rows(
        warehouse,
        "select to_char(min(month_start_date), 'YYYYMM'), count(distinct lsoa_code), count(*) from intermediate.int_mps_lsoa_month",
    ) == [("202403", 4988, 4988 * 24)]
    assert rows(
        warehouse,
        """select to_char(month_start_date, 'YYYYMM'), sum(all_offences_count) from intermediate.int_mps_lsoa_month
           where month_start_date in ('2024-03-01', '2026-02-01') group by 1 order by 1""",
    ) == [("202403", 71366), ("202602", 65031)]
    assert rows(
        warehouse, "select to_char(month_start_date, 'YYYYMM'), offence_count from intermediate.int_mps_partial_month"
    ) == [("202402", 39)]
    # Knife crime: boroughs alone, every measure, every month.
    printed: collections.Counter[tuple[str, str, str]] = collections.Counter()
    for row in knife:
        if row["area_type"] == "Borough":
            printed[row["crime_subtype"], row["measure"], row["month_year"].strftime("%Y%m")] += row["count"]
    found = rows(
        warehouse,
        """select s.published_subtype, case when f.measure_code like '%outcomes' then 'Positive Outcomes' else 'Offences' end,
             to_char(f.period_start_date, 'YYYYMM'), sum(f.value)::int
           from candidate.fct_measure as f
           inner join intermediate.mps_dashboard_subject as s on f.measure_code in (s.offences_measure_code, s.outcomes_measure_code)
             and s.published_type = 'Knife Crime'
           inner join candidate.dim_area as a on a.area_code = f.area_code and a.area_type <> 'aggregate'
           group by 1, 2, 3 having sum(f.value) > 0""",
    )
    assert {row[:3]: row[3] for row in found} == dict(printed)
    assert (
        rows(
            warehouse,
            """select area_code, value::int from candidate.fct_measure where measure_code = 'mps_knife_crime'
           and period_start_date = '2026-02-01' and area_code in ('LONDON_32', 'UNALLOCATED', 'AVIATION', 'NON_MPS') order by 1""",
        )[1][0]
        == "LONDON_32"
    )
    # A piece of a file (four boroughs) stands in raw, and speaks for nothing.
    assert rows(warehouse, "select count(*) from candidate.fct_measure where measure_code like 'mps_tno%'") == [(0,)]
    # Homicide: victims by borough, sex and age; accused by borough.
    assert rows(
        warehouse,
        """select f.area_code, sum(f.value)::int from candidate.fct_measure as f
           where f.measure_code = 'mps_homicide_victims' and f.sex = 'all' and f.age_band = 'all'
             and f.area_code in ('UNALLOCATED', 'LONDON_32', 'E09000013') group by 1 order by 1""",
    ) == [("E09000013", 58), ("LONDON_32", 2872), ("UNALLOCATED", 64)]
    by_age = collections.Counter((r["Age Group"], r["Sex"]) for r in victims)
    ages = {"0 to 12": "0-12", "13 to 19": "13-19", "20 to 24": "20-24", "25 to 34": "25-34", "35 to 44": "35-44",
            "45 to 54": "45-54", "55 to 64": "55-64", "65 and over": "65+"}  # fmt: skip
    assert {
        (age, sex): value
        for age, sex, value in rows(
            warehouse,
            """select f.age_band, f.sex, sum(f.value)::int from candidate.fct_measure as f
               inner join candidate.dim_area as a on a.area_code = f.area_code and a.area_type <> 'aggregate'
               where f.measure_code = 'mps_homicide_victims' and f.sex <> 'all' and f.age_band <> 'all'
               group by 1, 2""",
        )
        if value
    } == {(ages[age], sex.lower()): n for (age, sex), n in by_age.items()}
    assert {
        str(measure): value
        for measure, value in rows(
            warehouse,
            """select f.measure_code, sum(f.value)::int from candidate.fct_measure as f
               inner join candidate.dim_area as a on a.area_code = f.area_code and a.area_type <> 'aggregate'
               where f.measure_code like 'mps_homicide_%' and f.sex = 'all' and f.age_band = 'all' group by 1""",
        )
    } == {
        "mps_homicide_victims": 2936,
        "mps_homicide_victims_under_25": 163 + 399 + 480,
        "mps_homicide_victims_knife": 1521,
        "mps_homicide_victims_knife_under_25": sum(
            r["MethodofKilling"].startswith("Knife") and r["Age Group"] in ("0 to 12", "13 to 19", "20 to 24")
            for r in victims
        ),
        "mps_homicide_victims_shooting": 335,
        "mps_homicide_victims_domestic_abuse": 499,
        "mps_homicide_accused": 4512,
        "mps_homicide_accused_under_25": 84 + 1316 + 1047,
    }
    # VAWG: the sheet by place, once.
    assert rows(
        warehouse,
        """select sum(f.value)::int from candidate.fct_measure as f
           inner join candidate.dim_area as a on a.area_code = f.area_code and a.area_type <> 'aggregate'
           where f.measure_code = 'mps_vawg_offences'""",
    ) == [(sum(r["count"] for r in vawg if r["sheet"] == "Offence count location"),)]
