"""Ward, LSOA, dashboard, homicide and VAWG files of the police: they load exactly, and come out of the marts as they were."""

from __future__ import annotations

import collections
import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from expectations import gate
from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.errors import FileRefused
from ingest.load import Loaded
from tests import mhclg_files
from tests import mps_more_files as files
from tests.conftest import Server, warehouse_to_build
from tests.mps_files import boroughs, categories
from tests.refused import refused_with
from warehouse import steps
from warehouse.build import transform
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.reports import status

MPS = find_source("mps")
Land = Callable[..., Loaded]
Delivery = list[tuple[str, str, bytes]]  # dataset, file name, body


def landing_in(settings: Settings, folder: Path) -> Land:
    """Lands and loads bytes as a file of the MPS."""

    def now(dataset: str, body: bytes, name: str = "file.csv", **how: object) -> Loaded:
        file = folder / name
        file.write_bytes(body)
        landed = file_drop.take(settings.landing, MPS, dataset, file, settings.now(), **how)  # type: ignore[arg-type]
        return steps.load_one(settings, MPS, dataset, landed)

    return now


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


@dataclasses.dataclass(frozen=True)
class Built:
    """A warehouse built once from what all cases deliver, and what loading said of each delivery, by the name of its function.

    Cases keep out of each other's way: no two have the same measure.
    """

    settings: Settings
    loaded: dict[str, list[Loaded]]


@pytest.fixture(scope="module")
def built(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("mps")
    with warehouse_to_build(server, folder) as settings:
        land = landing_in(settings, folder)
        loaded = {
            case.__name__: [land(dataset, body, name) for dataset, name, body in case()]
            for case in (sparse, forms, two_releases, not_notifiable, wards, lsoas, victims, vawg)
        }
        transform.build(settings)
        yield Built(settings, loaded)


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with connect(settings, ADMIN) as connection:
        return connection.execute(query.encode()).fetchall()


def csv_rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.timeout(600)
def test_the_real_files_load_exactly_and_come_out_of_the_marts_as_they_were(
    to_build: Settings, tmp_path: Path, samples: Path
) -> None:
    warehouse, land = to_build, landing_in(to_build, tmp_path)
    recent = "borough_24m_202404-202603.csv"
    land("borough_recent", (samples / "mps" / "borough" / recent).read_bytes(), recent)
    ward = csv_rows(samples / "mps" / "ward" / "ward_24m_202311-202510.csv")
    months = [name for name in ward[0] if name.isdigit()]
    # The first that ever came was cut, which it shows by itself.
    with pytest.raises(FileRefused, match="24 of the 32 boroughs: it lacks Redbridge"):
        land("ward_recent", cut_at(WARD_SAMPLE, samples, 14_000), "ward.csv")
    done = land("ward_recent", (samples / WARD_SAMPLE).read_bytes(), "ward.csv")
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

    mhclg = find_source("mhclg")
    published = tmp_path / "File_7.csv"
    published.write_bytes(mhclg_files.file_7_of_2019(samples))
    copy = samples / "deprivation" / "imd2025_england_lsoa21_london.csv"
    for dataset, file in (("imd_2019", published), ("imd_2025", copy)):
        index = file_drop.take(warehouse.landing, mhclg, dataset, file, warehouse.now())
        steps.load_one(warehouse, mhclg, dataset, index)

    candidate = transform.build(warehouse)
    assert candidate is not None
    verdict = gate.judge(warehouse, candidate)
    assert verdict.verdict == "warned", verdict.reason
    assert {(r.suite, r.check) for r in verdict.results if r.outcome != "passed"} == {
        ("landing/mps/dashboards", "every_borough_is_in_the_file"),
        ("landing/mps/reconciliation", "at_most_2_percent_of_a_month_has_no_borough"),
    }

    # The sums for London's definition hold each offence of their categories once.
    core = {"HOMICIDE", "VIOLENCE WITH INJURY", "RAPE", "ROBBERY OF PERSONAL PROPERTY"}
    of_category: collections.Counter[str] = collections.Counter()
    for row in csv_rows(samples / "mps" / "borough" / "borough_24m_202404-202603.csv"):
        if row["BoroughName"] != "Unknown":
            of_category[row["MinorText"]] += sum(int(count) for month, count in row.items() if month.isdigit())
    core_sum = sum(of_category[name] for name in core)
    assert core_sum == 195_681
    assert rows(
        warehouse,
        """select measure_code, count(*), count(distinct period_start_date), min(period_start_date)::text, sum(value)::int,
             sum(value)::int = sum(parts)::int
           from (
             select f.measure_code, f.period_start_date, f.value,
               (
                 select sum(p.value) from candidate.fct_measure as p
                 where p.area_code = f.area_code and p.period_start_date = f.period_start_date and p.measure_code in (
                   'mps_homicide', 'mps_violence_with_injury', 'mps_robbery_personal',
                   case f.measure_code when 'sv_core_separable' then 'mps_rape' else 'mps_sexual_offences' end
                 )
               ) as parts
             from candidate.fct_measure as f
             where f.measure_code like 'sv\\_%' and f.area_code = 'LONDON_32' and f.period_start_date >= '2024-04-01'
           ) as summed
           group by 1 order by 1""",
    ) == [
        ("sv_broad_proxy", 24, 24, "2024-04-01", core_sum + of_category["OTHER SEXUAL OFFENCES"], True),
        ("sv_core_separable", 24, 24, "2024-04-01", core_sum, True),
    ]
    # What has no borough steps in July and August 2024, measured on the file that stands. Every change is given all the same, where half
    # of them lie across some break.
    assert rows(
        warehouse,
        """select break_month::text, size_percent, size_count from candidate.series_break
           where measure_code = 'mps_all_offences' and break_kind = 'allocation' order by 1""",
    ) == [("2024-07-01", -1.6, -1284.0), ("2024-08-01", 1.36, 1068.0)]
    assert rows(
        warehouse,
        """select count(*) filter (where is_comparable_on_year_before) > 0.99 * count(*),
             count(*) filter (where not is_comparable_on_year_before), max(window_count) filter (where not is_comparable_on_year_before)
           from candidate.rpt_borough_measure
           where area_type = 'borough' and window_kind = 'rolling_12' and month_start_date = '2026-03-01'
             and count_year_before is not null""",
    ) == [(True, 0, None)]
    assert rows(
        warehouse,
        """select measure_code, change_on_year_before_percent::float, is_comparable_on_year_before, break_effect_percent::float, status
           from candidate.rpt_borough_measure
           where area_code = 'LONDON_32' and window_kind = 'rolling_12' and month_start_date = '2026-03-01'
             and measure_code in ('mps_homicide', 'mps_robbery_personal') order by 1""",
    ) == [
        ("mps_homicide", -3.92, True, 1.92, "provisional"),
        ("mps_robbery_personal", -12.01, True, 1.16, "provisional"),
    ]
    # Homicides of 2003 are final; of the newest two years they may still change.
    assert rows(
        warehouse,
        """select min(period_start_date)::text, count(*) from candidate.fct_measure
           where measure_code = 'mps_homicide_victims' and area_code = 'LONDON_32' and sex = 'all' and age_band = 'all' and is_provisional""",
    ) == [("2022-04-01", 24)]
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
    # A piece of a file (four boroughs) stands in raw, speaks for nothing, and an analyst reads that it does.
    assert rows(warehouse, "select count(*) from candidate.fct_measure where measure_code like 'mps_tno%'") == [(0,)]
    assert rows(
        warehouse,
        "select dataset, numerator, denominator, value, unit from candidate.rpt_data_quality where quality_code = 'file_left_out'",
    ) == [("dashboard_tno", 4, 32, 4.0, "boroughs")]
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
        "mps_homicide_victims_blunt_implement": 202,
        "mps_homicide_victims_physical_assault": 303,
        "mps_homicide_victims_other_method": 424,
        "mps_homicide_victims_method_unknown": 151,
        "mps_homicide_victims_domestic_abuse": 499,
        "mps_homicide_victims_non_domestic": 2936 - 499,
        "mps_homicide_victims_non_domestic_under_25": 163 + 399 + 480 - 58,
        # Less a recording error, aged 15 to 19.
        "mps_homicide_accused": 4512 - 1,
        "mps_homicide_accused_under_25": 84 + 1316 - 1 + 1047,
    }
    # Who they were in the 36 months to March 2024: London by everything, a borough by one thing at a time, nothing a month.
    profile = """select sex, age_band, ethnicity, person_count from candidate.rpt_victim_profile
                 where measure_code = 'mps_homicide_victims' and period_kind = 'rolling_36_months' and period_end_date = '2024-03-31'"""
    assert rows(
        warehouse,
        f"{profile} and area_code = 'LONDON_32' and 1 = (sex <> 'all')::int + (age_band <> 'all')::int + (ethnicity <> 'all')::int order by 1, 2, 3",
    ) == [
        ("all", "0-12", "all", 17), ("all", "0-24", "all", 17 + 57 + 48), ("all", "13-19", "all", 57), ("all", "20-24", "all", 48),
        ("all", "25-34", "all", 69), ("all", "35-44", "all", 46), ("all", "45-54", "all", 34), ("all", "55-64", "all", 36),
        ("all", "65+", "all", 29), ("all", "all", "asian", 51), ("all", "all", "black", 146), ("all", "all", "other", 6),
        ("all", "all", "unknown", 1), ("all", "all", "white", 132), ("female", "all", "all", 76), ("male", "all", "all", 260),
    ]  # fmt: skip
    assert rows(warehouse, f"{profile} and area_code = 'E09000012' order by 1, 2, 3") == [
        ("all", "0-12", "all", 1), ("all", "0-24", "all", 2), ("all", "13-19", "all", 1), ("all", "25-34", "all", 4),
        ("all", "35-44", "all", 1), ("all", "45-54", "all", 1), ("all", "55-64", "all", 2), ("all", "all", "all", 10),
        ("all", "all", "black", 5), ("all", "all", "white", 5), ("female", "all", "all", 2), ("male", "all", "all", 8),
    ]  # fmt: skip
    assert rows(
        warehouse,
        """select share_percent, share_of_known_percent, known_count, rate_per_100000, withheld_reason from candidate.rpt_victim_profile
           where measure_code = 'mps_homicide_victims' and period_end_date = '2024-03-31' and period_kind = 'rolling_36_months'
             and area_code = 'LONDON_32' and ethnicity = 'black' and age_band = 'all'""",
    ) == [(43.452, 43.582, 335, None, "no rate: no residents of this group are loaded")]
    assert rows(
        warehouse,
        """select measure_code, person_count, whole_count, share_percent from candidate.rpt_victim_profile
           where measure_code like 'mps_homicide_victims_%' and period_kind = 'rolling_36_months' and period_end_date = '2024-03-31'
             and area_code = 'LONDON_32' and (sex, age_band, ethnicity) = ('all', 'all', 'all') order by 1""",
    ) == [
        ("mps_homicide_victims_domestic_abuse", 55, 336, 16.369), ("mps_homicide_victims_knife", 222, 336, 66.071),
        ("mps_homicide_victims_shooting", 29, 336, 8.631),
    ]  # fmt: skip
    # The page of Hackney: what the files answer, and what no file does.
    assert rows(
        warehouse,
        """select success_measure_code, variant, measure_code, availability, period_code, numerator::int, baseline_numerator::int, direction
           from candidate.rpt_success_measures where area_code = 'E09000012' and is_page_row and measure_code is distinct from 'mps_homicide'
           order by success_measure_code, variant, answer_number""",
    ) == [
        ("homicide", "all", "mps_homicide_victims", "exact", "rolling_36_months to 2024-03", 10, 14, "down"),
        ("homicide", "non_domestic", "mps_homicide_victims_non_domestic", "exact", "rolling_36_months to 2024-03", 8, 12, "down"),
        ("homicide", "non_domestic_under_25", "mps_homicide_victims_non_domestic_under_25", "exact", "rolling_36_months to 2024-03", 2, 5, "down"),
        ("homicide", "under_25", "mps_homicide_victims_under_25", "exact", "rolling_36_months to 2024-03", 2, 5, "down"),
        ("knife_enabled_violence", "all", "mps_knife_crime", "proxy", "rolling_12_months to 2026-02", 604, 700, "down"),
        ("knife_enabled_violence", "all", "mps_knife_crime_with_injury", "proxy", "rolling_12_months to 2026-02", 120, 136, "down"),
        ("knife_enabled_violence", "non_domestic", None, "not_available", "none", None, None, None),
        ("knife_enabled_violence", "non_domestic_under_25", "mps_knife_injury_victims_non_da_1_24", "proxy", "rolling_12_months to 2026-02", 38, 34, "up"),
        ("knife_enabled_violence", "under_25", "mps_knife_injury_victims_1_24", "proxy", "rolling_12_months to 2026-02", 40, 39, "up"),
        ("sharp_object_admissions", "all", "fingertips_violence_admissions", "not_available", "none", None, None, None),
        ("sharp_object_admissions", "all", "safestats_las_knife_injuries", "not_available", "none", None, None, None),
        ("sharp_object_admissions", "non_domestic", None, "not_available", "none", None, None, None),
        ("sharp_object_admissions", "non_domestic_under_25", None, "not_available", "none", None, None, None),
        ("sharp_object_admissions", "under_25", None, "not_available", "none", None, None, None),
    ]  # fmt: skip
    # VAWG: the sheet by place, once.
    assert rows(
        warehouse,
        """select sum(f.value)::int from candidate.fct_measure as f
           inner join candidate.dim_area as a on a.area_code = f.area_code and a.area_type <> 'aggregate'
           where f.measure_code = 'mps_vawg_dashboard_offences'""",
    ) == [(sum(r["count"] for r in vawg if r["sheet"] == "Offence count location"),)]
    # In the 12 months to February 2026, of London as a whole: no sheet has both class and borough.
    assert rows(
        warehouse,
        """select measure_code, rolling_12_count from candidate.fct_window
           where measure_code ~ '^mps_vawg' and area_code = 'LONDON_PUBLISHED' and month_start_date = '2026-02-01'
           order by 2 desc, 1""",
    ) == [
        ("mps_vawg_dashboard_offences", 134_312),
        ("mps_vawg_offences", 104_881),
        ("mps_vawg_stalking_harassment", 39_935),
        ("mps_vawg_outside_offences", 29_431),
        ("mps_vawg_violence_with_injury", 27_372),
        ("mps_vawg_public_fear", 17_071),
        ("mps_vawg_abh", 16_726),
        ("mps_vawg_other_sexual_offences", 11_155),
        ("mps_vawg_rape", 8_142),
        ("mps_vawg_gbh", 4_603),
        ("mps_vawg_modern_slavery", 1_165),
        ("mps_vawg_assault_by_penetration", 617),
        ("mps_vawg_homicide", 26),
        ("mps_vawg_exploitation_of_prostitution", 15),
    ]
    assert rows(
        warehouse,
        """select distinct measure_code from candidate.fct_measure
           where measure_code ~ '^mps_vawg' and area_code <> 'LONDON_PUBLISHED'""",
    ) == [("mps_vawg_dashboard_offences",)]
    where_violence_with_injury_lies(warehouse, samples)


def where_violence_with_injury_lies(warehouse: Settings, samples: Path) -> None:
    """Hotspots and fifths of deprivation are what the LSOA file and the index say when they are added up by hand."""
    lsoas = list(csv.DictReader(io.StringIO(files.lsoa_sample(samples).decode())))
    months = [name for name in lsoas[0] if name.isdigit()][-24:]
    now, before = collections.Counter[str](), collections.Counter[str]()
    for row in lsoas:
        if row["Minor Category"].upper() == "VIOLENCE WITH INJURY":
            now[row["LSOA Code"]] += sum(int(row[month]) for month in months[12:])
            before[row["LSOA Code"]] += sum(int(row[month]) for month in months[:12])
    assert {
        code: counts
        for code, *counts in rows(
            warehouse,
            """select small_area_code, count_12_months, previous_count_12_months, rank_in_london from candidate.rpt_hotspots
               where area_level = 'lsoa' and measure_code = 'mps_violence_with_injury'""",
        )
    } == {
        code: [now[code], before[code], 1 + sum(other > now[code] for other in now.values())]
        for code in now
        if now[code] or before[code]
    }
    # The copy of the index of 2025 has no residents, that of 2019 has: places that the census left alone have a rate, of 2015.
    assert rows(
        warehouse,
        """select small_area_name, count_12_months, previous_count_12_months, class_in_london, residents, residents_year, rate_per_1000
           from candidate.rpt_hotspots
           where area_level = 'lsoa' and measure_code = 'mps_violence_with_injury' and rank_in_london in (1, 3) order by rank_in_london""",
    ) == [
        ("Westminster 018A", 356, 342, "persistent", 1662, 2015, 214.2),
        ("Westminster 013G", 234, 260, "persistent", None, None, None),
    ]
    fifths = mhclg_files.fifths_of_london(samples)
    expected = collections.Counter[int]()
    for code, count in now.items():
        expected[fifths[code]] += count
    assert rows(
        warehouse,
        """select quintile, numerator, index_code, rate_per_1000, located_share_percent from candidate.rpt_deprivation
           where area_code = 'LONDON_32' and measure_code = 'mps_violence_with_injury' and domain = 'imd' and quintile_basis = 'london'
             and place_level = 'lsoa' order by 1""",
    ) == [(fifth, expected[fifth], "imd_2025", None, 100) for fifth in range(1, 6)]
    assert [expected[fifth] for fifth in range(1, 6)] == [18603, 15889, 13523, 9946, 5260]


def published(settings: Settings, measure: str) -> dict[tuple[str, str], int]:
    """Values of a measure by area and month, zeros left out."""
    found = rows(
        settings,
        f"""select area_code, to_char(period_start_date, 'YYYYMM'), value::int from candidate.fct_measure
            where measure_code = '{measure}' and sex = 'all' and age_band = 'all' and value > 0""",
    )
    return {(str(area), str(month)): int(str(value)) for area, month, value in found}


KNIFE = "Knife Crime|Knife Crime"
ISO_2026 = ("Month_Year", "Area Type", "Borough_SNT", "Area Name", "Area Code", "offence group", "offence subgroup",
            "Measure", "Count", "Refresh Date")  # fmt: skip
KNIFE_2026 = tuple(name for name in files.DASHBOARD if name != "FY_FYIndex")


def sparse() -> Delivery:
    counts = [
        *files.every_borough("202601", KNIFE, 2),
        ("202602", "Barnet", KNIFE, "Offences", 7),
        ("202602", "Barnet", KNIFE, "Positive Outcomes", 1),
        ("202601", "Barnet", "Gun Crime Personal Robbery|Gun Crime Personal Robbery", "Offences", 3),
        ("202601", "Barnet", "Gun Crime|Gun Crime Personal Robbery", "Positive Outcomes", 4),
        ("202602", "Other / NK", KNIFE, "Offences", 5),
        ("202602", "Barnet", "Domestic Abuse|Domestic Abuse violence with injury", "Offences", 8),
        ("202602", "Barnet", "Domestic Abuse|Domestic Abuse Violence with Injury", "Positive Outcomes", 9),
    ]
    return [("dashboard_other", "M1045_MonthlyCrimeDashboard_OtherCrimeData.csv", files.dashboard_file(counts))]


def test_a_missing_row_is_0_wards_are_not_added_to_boroughs_and_outcomes_are_no_offences(built: Built) -> None:
    warehouse = built.settings
    knife = published(warehouse, "mps_knife_crime")
    assert knife[("LONDON_32", "202601")] == 64
    assert {key: value for key, value in knife.items() if key[1] == "202602"} == {
        ("E09000003", "202602"): 7,
        ("OUTER", "202602"): 7,
        ("LONDON_32", "202602"): 7,
        ("UNALLOCATED", "202602"): 5,
    }
    # Camden has no row in February: a row of 0, and not no row.
    assert rows(
        warehouse,
        """select value::int from candidate.fct_measure where measure_code = 'mps_knife_crime' and area_code = 'E09000007'
           and period_start_date = '2026-02-01'""",
    ) == [(0,)]
    assert published(warehouse, "mps_knife_crime_outcomes")[("E09000003", "202602")] == 1
    assert published(warehouse, "mps_gun_crime_robbery")[("E09000003", "202601")] == 3
    assert published(warehouse, "mps_gun_crime_robbery_outcomes")[("E09000003", "202601")] == 4
    assert ("E09000003", "202601") not in published(warehouse, "mps_gun_crime")
    assert published(warehouse, "mps_domestic_abuse_with_injury")[("E09000003", "202602")] == 8
    assert published(warehouse, "mps_domestic_abuse_with_injury_outcomes")[("E09000003", "202602")] == 9


FORMS = "Hate crime|AntiSemitic"


def forms() -> Delivery:
    """One file in each form."""
    counts = [*files.every_borough("202511", FORMS, 2), *files.every_borough("202602", FORMS, 3)]
    bodies = {
        "ddmmyyyy with BOM": files.dashboard_file(counts),
        "ISO, no BOM": files.dashboard_file(counts, date_form="%Y-%m-%d", bom=False),
        "2026, 11 columns": files.dashboard_file(counts, header=KNIFE_2026),
        "the lower-case header of September 2026": files.dashboard_file(
            counts, header=ISO_2026, date_form="%Y-%m-%d", bom=False
        ),
        "other order": files.dashboard_file(counts, header=tuple(reversed(files.DASHBOARD))),
    }
    return [("dashboard_knife", f"{name}.csv", body) for name, body in bodies.items()]


def test_every_form_of_a_dashboard_file_is_read_to_the_same_figures(built: Built) -> None:
    assert [(done.rows, done.release_date) for done in built.loaded["forms"]] == [(128, dt.date(2026, 3, 1))] * 5
    found = rows(
        built.settings,
        """select load_id, month_start_date::text, sum(recorded_count)::int from staging.stg_mps__dashboard_knife
           where is_borough_row and published_subtype = 'AntiSemitic' group by 1, 2 order by 1, 2""",
    )
    assert [row[1:] for row in found] == [("2025-11-01", 64), ("2026-02-01", 96)] * 5
    assert len({load for load, *_ in found}) == 5


def test_a_day_and_a_month_that_changed_places_are_refused(land: Land) -> None:
    body = files.dashboard_file(files.every_borough("202602", KNIFE), date_form="%m/%d/%Y")
    with refused_with("VALUE_MALFORMED", match="column Month_Year: '02/01/2026'"):
        land("dashboard_knife", body)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"Borough,Barnet,Barnet", b"Borough,Barnett,Barnett", r"column Borough_SNT: 'Barnett' is not in the list .*area_aliases"),
        (b"Knife Crime,Knife Crime,", b"Knife Crime,Knife Kimre,", "'Knife Crime / Knife Kimre' is not in the list"),
        (b",Offences,", b",Offenses,", "'Offenses' is not in the list .*mps_dashboard_count"),
        (b"Count,Refresh", b"Tally,Refresh", "has no column for count"),
        (b"_01,1,", b"_01,-1,", r"column Count: '-1' is below 0"),
    ],
    ids=["a borough", "a subject", "a measure", "a header", "a negative count"],
)  # fmt: skip
def test_what_a_dashboard_file_has_that_nobody_declared_is_refused_by_name(
    land: Land, old: bytes, new: bytes, told: str
) -> None:
    body = files.dashboard_file(files.every_borough("202602", KNIFE))
    assert old in body
    with pytest.raises(FileRefused, match=told):
        land("dashboard_knife", body.replace(old, new))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("count", "says"),
    [("3", ""), ("4", "stands already in row 3, and says something else there")],
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
    land: Land, warehouse: Settings, dataset: str, subject: str, count: str, says: str, form: str
) -> None:
    """Added up, it would be counted twice."""
    body = files.dashboard_file(files.every_borough("202602", subject, 3))
    header, *lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    # The third row is that of the second borough; it comes again at the end.
    again = [*lines[2][:10], count, *lines[2][11:]]
    table = [*lines, again]
    whole = files.csv_bytes(header, table) if form == "csv" else files.xlsx_bytes({"data": [header, *table]})
    kind, _, sub = subject.partition("|")
    key = f"01/02/2026 / Borough / Barnet / Barnet / E09000002 / {kind} / {sub} / Offences"
    shown = key if len(key) <= 60 else key[:57] + "..."
    if not says:
        # The publisher gives some rows twice, the same in every column.
        done = land(dataset, whole, f"file.{form}")
        assert done.drift["repeated rows"] == ["1, the first in row 65"]
        assert rows(warehouse, f"select count(*) from raw.mps__{dataset}") == [(64,)]
        return
    with refused_with("ROW_REPEATED") as refused:
        land(dataset, whole, f"file.{form}")
    sheet = "" if form == "csv" else "sheet data, "
    assert refused.value.problem == f"{sheet}row 65, column the row: '{shown}' {says}"
    assert rows(warehouse, "select row_number, value from quarantine.refused_row") == [(65, key)]
    assert rows(warehouse, f"select count(*) from raw.mps__{dataset}") == [(0,)]


def test_a_row_of_the_vawg_workbook_that_stands_twice_in_a_sheet_is_refused(land: Land) -> None:
    month = dt.date(2026, 1, 1)
    line = ["Central", "Camden", "A ward", month, month, 9]
    with refused_with("ROW_REPEATED", match="sheet Offence count location, row 2, column the row"):
        land("vawg", files.xlsx_bytes({"Offence count location": [files.VAWG_PLACE, line, line]}), "VAWG.xlsx")


def test_a_class_of_the_vawg_workbook_that_nobody_has_declared_refuses_it(land: Land) -> None:
    month = dt.date(2026, 1, 1)
    sheets = {
        "Offence count location": [files.VAWG_PLACE, ["Central", "Camden", "A ward", month, month, 9]],
        "Offence count classification": [files.VAWG_CLASS, ["Arson", "Arson", "Arson", "Arson", month, month, 9]],
    }
    with refused_with("LABEL_UNKNOWN", match="Arson"):
        land("vawg", files.xlsx_bytes(sheets), "VAWG.xlsx")


def test_victims_who_agree_in_everything_are_several_victims(land: Land) -> None:
    ((dataset, name, body),) = victims()
    header, first, *_ = body.splitlines(keepends=True)
    assert land(dataset, header + 3 * first, name).rows == 3


def test_a_ward_may_have_a_name_that_no_list_has(land: Land) -> None:
    """Only borough rows are held to the list of areas."""
    body = files.dashboard_file(files.every_borough("202602", KNIFE))
    assert land("dashboard_knife", body.replace(b"Invented Ward", b"Nowhere in Particular")).rows == 64


INJURY = "Knife Crime|Knife Crime with Injury"


def two_releases() -> Delivery:
    new = [*files.every_borough("202601", INJURY, 5), *files.every_borough("202602", INJURY, 6)]
    old = [*files.every_borough("202512", INJURY, 1), *files.every_borough("202601", INJURY, 2)]
    name = "M1045_MonthlyCrimeDashboard_KnifeCrimeData"
    return [
        ("dashboard_knife", f"{name}.csv", files.dashboard_file(new)),
        ("dashboard_knife", f"{name}_202601.csv", files.dashboard_file(old)),
    ]


def test_the_newest_release_of_a_dashboard_file_speaks_and_an_older_one_for_the_months_before(built: Built) -> None:
    assert [done.is_history for done in built.loaded["two_releases"]] == [False, True]
    knife = published(built.settings, "mps_knife_crime_with_injury")
    assert [knife["LONDON_32", month] for month in ("202512", "202601", "202602")] == [32, 160, 192]


def not_notifiable() -> Delivery:
    counts = [
        *files.every_borough("202602", "ROBBERY|ROBBERY OF PERSONAL PROPERTY", 3),
        *files.every_borough("202602", "OTHER ACCEPTED CRIME|OTHER ACCEPTED CRIME", 50),
    ]
    return [("dashboard_tno", "file.csv", files.dashboard_file(counts, header=ISO_2026, date_form="%Y-%m-%d"))]


def test_offences_that_are_not_notifiable_are_left_out_of_the_total(built: Built) -> None:
    assert published(built.settings, "mps_tno")["LONDON_32", "202602"] == 96


WARD_SAMPLE = "mps/ward/ward_24m_202311-202510.csv"


def cut_at(name: str, samples: Path, lines: int) -> bytes:
    """The first lines of a sample: it ends where a line does."""
    return b"".join((samples / name).read_bytes().splitlines(keepends=True)[:lines])


def test_a_ward_or_lsoa_file_that_lost_boroughs_is_refused_and_the_whole_one_stands(
    warehouse: Settings, land: Land, samples: Path
) -> None:
    whole = (samples / WARD_SAMPLE).read_bytes()
    stands = land("ward_recent", whole, "ward.csv").load_id
    with refused_with(
        "LESS_THAN_BEFORE",
        match=f"lacks much of what load {stands} had: 2023-11 has 53,244 and had 78,343; .*; and 28 more",
    ):
        land("ward_recent", cut_at(WARD_SAMPLE, samples, 14_000), "ward.csv")
    # A small borough is no tenth of any month.
    without = b"".join(line for line in whole.splitlines(keepends=True) if b",Kingston upon Thames," not in line)
    with refused_with(
        "LESS_THAN_BEFORE", match=f"lacks much of what load {stands} had: E09000021 has 0 rows and had 501\\."
    ):
        land("ward_recent", without, "ward.csv")
    assert rows(warehouse, "select count(*) from raw.mps__ward_recent") == [(18_693,)]
    assert land("ward_recent", whole, "ward.csv").load_id == stands

    whole = files.lsoa_sample(samples)
    stands = land("lsoa_recent", whole, "lsoa.csv").load_id
    without = b"".join(line for line in whole.splitlines(keepends=True) if b",E09000021," not in line)
    with refused_with(
        "LESS_THAN_BEFORE", match=f"lacks much of what load {stands} had: E09000021 has 0 rows and had 1,933\\."
    ):
        land("lsoa_recent", without, "lsoa.csv")


def common(share: Callable[[int], bool] = lambda _: True, *, snt: bool = True) -> bytes:
    """A dashboard of two months with 40 of a crime in every borough, of whose rows some are left out by their number."""
    counts = [*files.every_borough("202601", KNIFE, 40), *files.every_borough("202602", KNIFE, 40)]
    header, *lines = files.dashboard_file(counts, snt=snt).splitlines(keepends=True)
    return header + b"".join(line for number, line in enumerate(lines) if share(number))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (common(lambda n: n % 4 != 1), "counts 2,560 in rows of boroughs and 1,280 in those of their teams, and differs in 32 of 64 "
         "figures, most in Barking and Dagenham / 2026-01 / knife crime / offences \\(40 and 0\\): rows are missing"),
        (common(lambda n: n % 2 == 0, snt=False), "has rows of 16 of the 32 boroughs"),
        (common(lambda n: n % 3 != 0, snt=False), "has its commonest crime \\(knife crime\\) in 42 of the 64 months of 32 boroughs"),
    ],
    ids=["half of the teams", "every second borough", "a third of the boroughs' rows"],
)  # fmt: skip
def test_a_first_dashboard_that_lacks_rows_is_refused(land: Land, body: bytes, says: str) -> None:
    with pytest.raises(FileRefused, match=says):
        land("dashboard_knife", body)


def test_a_dashboard_of_boroughs_alone_is_whole(land: Land) -> None:
    assert land("dashboard_knife", common(snt=False)).rows == 64


@pytest.mark.parametrize("form", ["%Y-%m", "%b-%y", "%B %Y", "%m/%Y"])
def test_a_month_that_a_spreadsheet_saved_again_is_that_month(land: Land, warehouse: Settings, form: str) -> None:
    counts = files.every_borough("202405", KNIFE, 2)
    body = files.dashboard_file(counts, date_form=form).replace(dt.date(2026, 3, 18).strftime(form).encode(), b"")
    assert land("dashboard_knife", body).release_date == dt.date(2024, 6, 1)


def test_a_month_that_may_be_a_day_is_refused_with_how_to_save_it(land: Land) -> None:
    body = files.dashboard_file(files.every_borough("202405", KNIFE, 2), date_form="%y-%b")
    with refused_with("VALUE_MALFORMED", match="row 1, column Month_Year: '24-May' .* yyyy-mm-dd"):
        land("dashboard_knife", body)
    months = b",".join([b"24-May", b"24-Jun"])
    with refused_with("HEADER_UNKNOWN", match=r"'24-May' .*\(column 6\): write each month as 2024-05"):
        land("ward_recent", ward_file(["202405", "202406"], [1, 2]).replace(b"202405,202406", months))


def test_a_month_that_has_next_to_nothing_beside_the_others_of_its_file_is_refused(land: Land) -> None:
    months = [f"2025{month:02}" for month in range(1, 8)]
    body = ward_file(months, [9, 10, 10, 2, 10, 10, 10])
    each = 32 * len(categories("connect_2025"))
    with refused_with(
        "MONTH_NOT_WHOLE", match=f"has {2 * each:,} in all in 2025-04, less than a quarter of the {10 * each:,} that"
    ):
        land("ward_recent", body)


def test_a_first_file_of_wards_or_lsoas_that_lacks_rows_within_a_borough_is_refused(land: Land) -> None:
    def body(header: tuple[str, ...], codes: str, kinds: list[tuple[str, str]]) -> bytes:
        found = []
        for number, borough in enumerate([*boroughs(), *["Camden"] * 11]):
            for place, (major, minor) in enumerate(kinds):
                if number >= len(boroughs()) and (number + place) % 2:
                    continue
                row = {"MajorText": major, "MinorText": minor, "WardName": "A ward", "WardCode": f"{codes}{number:04d}"}
                row |= {
                    "LookUp_BoroughName": borough,
                    "LSOA Code": f"{codes}{number:04d}",
                    "LSOA Name": "",
                    "Borough": borough,
                }
                row |= {"Major Category": major, "Minor Category": minor}
                found.append([*(row[name] for name in header), 4, 5])
        return files.csv_bytes([*header, "202602", "202603"], found)

    wanted = {"ward": (files.SMALL, "E0599", categories("connect_2025")), "lsoa": (files.LSOA, "E0199", KINDS_OF_LSOAS)}
    for kind, how in wanted.items():
        with refused_with("AREAS_MISSING", match="12 areas in Camden, .* in [67] of them"):
            land(f"{kind}_recent", body(*how), f"{kind}.csv")


def test_a_workbook_whose_sheets_count_different_offences_is_refused(land: Land) -> None:
    month = dt.date(2026, 1, 1)
    sheets = {
        "Offence count location": [files.VAWG_PLACE, ["Central", "Camden", "A ward", month, month, 9]],
        "Offence count classification": [
            files.VAWG_CLASS,
            ["Rape", "Rape", "Rape", "Rape of a Female aged 16 and over", month, month, 8],
        ],
    }
    with refused_with("FIGURES_DISAGREE", match="9 in the sheet by location and 8 "):
        land("vawg", files.xlsx_bytes(sheets), "VAWG.xlsx")


def test_a_first_file_of_homicides_of_one_borough_is_refused_and_those_without_a_borough_are_londons(
    land: Land, warehouse: Settings
) -> None:
    def body(areas: list[str]) -> bytes:
        rows_of = [
            ["1", 1, "13 to 19", "Male", "Shooting", "1", f"Jan-{year}", "Murder", "Solved", area, "Black"]
            for area in areas
            for year in range(10, 25)
        ]
        return files.csv_bytes(VICTIMS_2025, rows_of)

    with refused_with("AREAS_MISSING", match="1 of the 32 boroughs: it lacks Barking and Dagenham"):
        land("homicide_victims", body(["Newham"]))
    unplaced = ["Not Known", "Not Recorded", "NULL", ""]
    assert land("homicide_victims", body([*boroughs(), *unplaced]), "whole.csv").rows == 36 * 15
    assert rows(
        warehouse,
        """select borough, count(*) from raw.mps__homicide_victims where borough = any(array['Not Known', 'Not Recorded', 'NULL', ''])
           group by 1 order by 1""",
    ) == [("", 15), ("NULL", 15), ("Not Known", 15), ("Not Recorded", 15)]


def test_a_file_is_of_the_dataset_the_crimes_and_the_months_that_its_name_says(land: Land) -> None:
    knife, hate = "Knife Crime|Knife Crime", "Hate crime|AntiSemitic"
    knife_name, other_name = (f"M1045_MonthlyCrimeDashboard_{kind}CrimeData.csv" for kind in ("Knife", "Other"))

    def body(subject: str, count: int) -> bytes:
        return files.dashboard_file(files.every_borough("202602", subject, count))

    for count, (dataset, subject, name, says) in enumerate([
        ("dashboard_knife", hate, other_name, "has the name of a file of dashboard_other, and came as dashboard_knife"),
        ("dashboard_knife", hate, knife_name, "is of knife crime by its name, and has rows of hate crime"),
        ("dashboard_other", knife, other_name, "is of other crimes by its name, and has knife crime alone"),
        ("dashboard_knife", knife, "knife_202601.csv", "is of 2026-01 by its name, and its newest month is 2026-02"),
        ("dashboard_knife", knife, "knife_202601-202602.csv", "has months from 2026-01 to 2026-02 by its name"),
    ]):  # fmt: skip
        with refused_with("NAME_DIFFERS_FROM_ROWS", match=says):
            land(dataset, body(subject, count), name)
    assert land("dashboard_knife", body(knife, 9), knife_name.replace(".csv", "_202603.csv")).rows == 64


def test_a_partial_first_month_is_no_revision(warehouse: Settings, land: Land, samples: Path) -> None:
    land("ward_recent", (samples / WARD_SAMPLE).read_bytes(), "ward.csv")
    was = csv_rows(samples / WARD_SAMPLE)
    # A month on: December 2023 has all but left the window, and of January one offence was taken back.
    kept = [name for name in was[0] if name != "202311"]
    counts = [[*(row[name] if name != "202312" else 0 for name in kept), row["202510"]] for row in was]
    first = next(row for row in counts if row[kept.index("202401")] != "0")
    first[kept.index("202401")] = int(first[kept.index("202401")]) - 1
    land("ward_recent", files.csv_bytes([*kept, "202511"], counts), "ward.csv")
    changes = status.loads(warehouse)[-1]
    assert {key: changes["changes"][key] for key in ("months_partial", "months_in_both", "months_revised", "revised_by")} == {
        "months_partial": ["2023-12"], "months_in_both": 22, "months_revised": 1, "revised_by": -1,
    }  # fmt: skip
    assert changes["changed"].endswith(
        "1 month new (2025-11); 1 month gone (2023-11); 2023-12 is partial, which is no revision; "
        "1 of 22 months revised by -1, most 2024-01 (-1)"
    )


def ward_file(
    months: list[str], counts: list[int], header: tuple[str, ...] = files.SMALL, areas: list[str] | None = None
) -> bytes:
    """A ward file with one ward a borough, the same counts in each row."""
    found = []
    for number, area in enumerate(areas or boroughs()):
        for major, minor in categories("connect_2025"):
            row = dict(zip(files.SMALL, [major, minor, f"Ward {number}", f"E0599{number:04d}", area], strict=True))
            row |= {"Group": major, "SubGroup": minor}
            found.append([*(row[name] for name in header), *counts])
    return files.csv_bytes([*header, *months], found)


def wards() -> Delivery:
    """A ward file under each vintage's header, whose first month had all but left the window."""
    headers = [
        files.SMALL,
        ("WardName", "WardCode", "MajorText", "MinorText", "LookUp_BoroughName"),
        ("Group", "SubGroup", "WardName", "WardCode", "LookUp_BoroughName"),
    ]
    months, counts = ["202601", "202602", "202603"], [0, 10, 12]
    return [
        ("ward_recent", f"ward{number}.csv", ward_file(months, counts, header)) for number, header in enumerate(headers)
    ]


def test_the_header_of_every_vintage_of_a_ward_file_is_read_and_its_nearly_empty_first_month_left_out(
    built: Built,
) -> None:
    warehouse = built.settings
    assert [done.rows for done in built.loaded["wards"]] == [32 * len(categories("connect_2025"))] * 3
    each = len(categories("connect_2025"))
    assert rows(
        warehouse,
        """select to_char(month_start_date, 'YYYYMM'), count(*), sum(all_offences_count), sum(homicide_count),
             sum(violence_without_injury_incl_stalking_count) from candidate.fct_ward_month group by 1 order by 1""",
    ) == [("202602", 32, 32 * each * 10, 320, 640), ("202603", 32, 32 * each * 12, 384, 768)]
    assert rows(
        warehouse, "select distinct month_start_date::text, offence_count from intermediate.int_mps_partial_month"
    ) == [("2026-01-01", 0)]


def test_a_ward_file_with_an_unknown_borough_or_code_is_refused(land: Land) -> None:
    with refused_with("LABEL_UNKNOWN", match="'Atlantis'"):
        land("ward_recent", ward_file(["202602", "202603"], [1, 2], areas=["Atlantis", *boroughs()[1:]]))


KINDS_OF_LSOAS = [(a, b) for a, b in categories("connect_2025") if a != "SEXUAL OFFENCES"]


def lsoas() -> Delivery:
    body = files.csv_bytes(
        [*files.LSOA, "202602", "202603"],
        [
            [f"E0199{n:04d}", f"Camden {n:03d}A", f"E090000{n:02d}", major, minor, 4, 5]
            for n in range(2, 34)
            for major, minor in KINDS_OF_LSOAS
        ],
    )
    return [("lsoa_recent", "file.csv", body)]


def test_the_lsoa_file_has_no_sexual_offences_and_codes_for_boroughs(built: Built) -> None:
    warehouse, kinds = built.settings, KINDS_OF_LSOAS
    assert [done.rows for done in built.loaded["lsoas"]] == [32 * len(kinds)]
    assert rows(
        warehouse,
        """select area_code, all_offences_count, violence_with_injury_count from intermediate.int_mps_lsoa_month
           where lsoa_code = 'E01990003' and month_start_date = '2026-03-01'""",
    ) == [("E09000003", 5 * len(kinds), 5)]


VICTIMS_2025 = ("Homicide ID", "Count of Victims", "Age Group", "Sex", "Method of Killing", "Domestic Abuse",
                "Recorded Date", "Homicide Offence Type", "Solved Status", "Borough", "Officer Observed Ethnicity")  # fmt: skip


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (VICTIMS_2025,
         ["7", 1, "13 to 19", "Male", "Knife or Sharp Implement", "0", "Jan-26", "Murder", "Solved", "Barking & Dagenham", "White"]),
        (("Count of Victims", "Age Group", "Sex", "Method of Killing", "Domestic Abuse", "MTH YEAR", "Homicide Offence Type",
          "Solved Status", "Borough", "Officer Observed Ethnicity"),
         [1, "13 to 19", "Male", "Knife or Sharp Implement", "Not Domestic Abuse", "Jan-26", "Murder", "Solved",
          "Barking & Dagenham", "White"]),
        (("Count of Victims", "Age Group", "Sex", "MethodofKilling", "Domestic Abuse", "Recorded Year", "Recorded Month",
          "Homicide Offence Type", "Solved Status", "Borough", "Officer Observed Ethnicity"),
         [1, "13 to 19", "Male", "Knife or Sharp Implement", "Not Domestic Abuse", "2026", "Jan", "Murder", "Solved",
          "Barking & Dagenham", "White"]),
    ],
    ids=["2025", "2022", "date split"],
)  # fmt: skip
def test_every_header_of_the_homicide_victims_is_read(
    warehouse: Settings, land: Land, header: tuple[str, ...], row: list[object]
) -> None:
    done = land("homicide_victims", files.csv_bytes(header, [row]))
    assert (done.rows, done.release_date) == (1, dt.date(2026, 2, 1))


def victims() -> Delivery:
    def victim(area: str, age: str, sex: str, month: str = "Jan-26") -> list[object]:
        return ["1", 1, age, sex, "Shooting", "1", month, "Manslaughter", "Unsolved", area, "Black"]

    body = files.csv_bytes(
        VICTIMS_2025,
        [
            victim("Hammersmith & Fulham", "13 to 19", "Male"),
            victim("Kingston Upon Thames", "65 and over", "Female"),
            victim("Unmapped", "20 to 24", "Male"),
            victim("", "25 to 34", "Male"),
            victim("Not Recorded", "25 to 34", "Male"),
            victim("Heathrow", "20 to 24", "Male"),
            victim("Camden", "20 to 24", "Male", "Mar-26"),
        ],
    )
    return [("homicide_victims", "file.csv", body)]


def test_homicide_victims_come_out_by_borough_sex_and_age_with_heathrow_and_unmapped_kept_apart(built: Built) -> None:
    warehouse = built.settings
    assert published(warehouse, "mps_homicide_victims_under_25") == {
        ("E09000013", "202601"): 1, ("INNER", "202601"): 1, ("LONDON_32", "202601"): 1, ("UNALLOCATED", "202601"): 1,
        ("AVIATION", "202601"): 1, ("E09000007", "202603"): 1, ("INNER", "202603"): 1, ("LONDON_32", "202603"): 1,
    }  # fmt: skip
    assert rows(
        warehouse,
        """select area_code, sex, age_band, value::int from candidate.fct_measure
           where measure_code = 'mps_homicide_victims' and period_start_date = '2026-01-01' and sex <> 'all' and value > 0
             and area_code not in ('INNER', 'OUTER') order by 1, 2, 3""",
    ) == [
        ("AVIATION", "male", "20-24", 1), ("AVIATION", "male", "all", 1),
        ("E09000013", "male", "13-19", 1), ("E09000013", "male", "all", 1),
        ("E09000021", "female", "65+", 1), ("E09000021", "female", "all", 1),
        ("LONDON_32", "female", "65+", 1), ("LONDON_32", "female", "all", 1),
        ("LONDON_32", "male", "13-19", 1), ("LONDON_32", "male", "all", 1),
        ("UNALLOCATED", "male", "20-24", 1), ("UNALLOCATED", "male", "25-34", 2), ("UNALLOCATED", "male", "all", 3),
    ]  # fmt: skip
    # February has none anywhere, and says so.
    assert rows(
        warehouse,
        """select count(*), sum(value)::int from candidate.fct_measure where measure_code = 'mps_homicide_victims'
           and period_start_date = '2026-02-01' and sex = 'all' and age_band = 'all'""",
    ) == [(37, 0)]


def vawg() -> Delivery:
    month, unknown = dt.date(2026, 1, 1), dt.date(1900, 1, 1)
    outside = "Other flagged offences outside of VAWG"
    body = files.xlsx_bytes(
        {
            "Read me": [["whatever stands here is not read"]],
            "Offence count location": [
                files.VAWG_PLACE,
                ["Central", "Camden", "A ward", month, month, 9],
                ["Central", "Camden", "A ward", month, unknown, 1],
                ["Other", "Other", None, month, None, 2],
            ],
            "Offence count classification": [
                files.VAWG_CLASS,
                ["Rape", "Rape", "Rape", "Rape of a Female aged 16 and over", month, month, 8],
                [outside, "Non-Vawg Crime", "Common assault", "Non-VaWG Classification", month, month, 4],
            ],
            "Victim count by age group": [["Age Group", "Recorded Date Months", "Count"], ["20-29", month, 12]],
        }
    )
    return [("vawg", "MPS VAWG Dashboard.xlsx", body)]


def test_the_sheets_of_the_vawg_workbook_stand_in_one_table_and_are_counted_once(built: Built) -> None:
    warehouse = built.settings
    # Each sheet lacks columns that another has; none of the three says anything of ethnicity.
    assert [(done.rows, done.drift) for done in built.loaded["vawg"]] == [(6, {"missing columns": ["ethnic_group"]})]
    assert rows(warehouse, "select sheet, age_group, count from raw.mps__vawg order by sheet, _row_number") == [
        ("Offence count classification", "", "8"),
        ("Offence count classification", "", "4"),
        ("Offence count location", "", "9"),
        ("Offence count location", "", "1"),
        ("Offence count location", "", "2"),
        ("Victim count by age group", "20-29", "12"),
    ]
    assert published(warehouse, "mps_vawg_dashboard_offences") == {
        ("E09000007", "202601"): 10, ("INNER", "202601"): 10, ("LONDON_32", "202601"): 10, ("UNALLOCATED", "202601"): 2,
        ("LONDON_PUBLISHED", "202601"): 12,
    }  # fmt: skip
    assert published(warehouse, "mps_vawg_offences") == {("LONDON_PUBLISHED", "202601"): 8}
    assert published(warehouse, "mps_vawg_outside_offences") == {("LONDON_PUBLISHED", "202601"): 4}
    assert rows(warehouse, "select count(*) from staging.stg_mps__vawg where committed_month_start_date is null") == [
        (3,)
    ]


def test_homicides_of_one_borough_do_not_take_the_place_of_all(land: Land, samples: Path) -> None:
    whole = (samples / "mps" / "homicide" / "homicide_victims_2003-2024.csv").read_bytes()
    header, *lines = whole.splitlines(keepends=True)
    assert land("homicide_victims", whole, "homicide victims.csv").rows == 2936
    for piece, says in (
        ([line for line in lines if b"Newham" in line], "156 and had 1,438"),
        (lines[::2], "1,468 and had 2,"),
    ):
        with refused_with("LESS_THAN_BEFORE", match=f"the file has {says}"):
            land("homicide_victims", header + b"".join(piece), "homicide victims later.csv")
