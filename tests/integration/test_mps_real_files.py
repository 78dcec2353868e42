"""The real files of the MPS load exactly and come out of the marts as they were."""

from __future__ import annotations

import collections
import datetime as dt
from pathlib import Path

import pytest

from expectations import gate
from ingest.connectors import file_drop
from ingest.declaration import find_source
from tests import mhclg_files
from tests import mps_more_files as files
from tests.mps_deliveries import WARD_SAMPLE, Land, csv_rows, cut_at, landing_in
from tests.mps_violence_by_hand import where_violence_with_injury_lies
from tests.queries import rows
from tests.refused import refused_with
from warehouse import steps
from warehouse.build import transform
from warehouse.platform.settings import Settings


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


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
    with refused_with("AREAS_MISSING", match="24 of the 32 .*Redbridge"):
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
