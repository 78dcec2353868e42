"""What an analyst finds after a first night of every source, as `make nightly` runs it: rules, keys, descriptions, and the README's answers."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator

import pytest

from ingest.declaration import read_sources
from tests.conftest import PROJECT
from tests.homes import Home, folder_of_a_home, never_wait_for_the_disk
from warehouse.connection import ADMIN
from warehouse.transform import dbt

# A first night of every source.
pytestmark = pytest.mark.timeout(600)

# The day of the README's answers.
TODAY = dt.date(2026, 11, 22)
# Where each business rule is: area lookup, month assignment, revision choice, sums, breaks, windows and change on zero, age bands, revisions, data quality.
RULED = {
    *("stg_mps__borough_recent", "stg_police_uk__street", "int_safestats_event"),
    *("stg_mps__dashboard_knife", "stg_safestats__ambulance_london", "stg_police_uk__stop_and_search"),
    *(
        "int_mps_claim",
        "int_mps_winner",
        "int_mps_category_measure",
        "int_mps_borough_month",
        "int_mps_composite_month",
    ),
    *(
        "int_series_break",
        "int_series_break_month",
        "fct_window",
        "rpt_borough_measure",
        "fct_measure",
        "int_nomis_measure",
    ),
    *("int_mps_borough_revision", "int_nomis_revision", "rpt_revision", "rpt_revision_release"),
    *("int_safestats_event_quality", "rpt_data_quality"),
}


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with folder_of_a_home() as folder:
        one = Home(folder, TODAY)
        assert one.vru("setup").returncode == 0
        never_wait_for_the_disk(one.settings)
        night = one.vru("nightly", "--sources", "sandbox")
        assert night.returncode == 0, night.stdout + night.stderr
        yield one


def test_a_night_of_every_source_leaves_none_of_their_data_missing(home: Home) -> None:
    assert home.rows("select source, dataset from marts.data_status where state <> 'fresh' order by 1, 2") == []
    assert home.rows("select distinct source from marts.data_status order by 1") == [
        (n,) for n in sorted(read_sources())
    ]


def test_every_rule_of_the_models_does_what_its_unit_test_says(home: Home) -> None:
    # Here, because dbt takes the types of a unit test's columns from the tables of a whole build.
    result = dbt(home.settings, "test", "--select", "test_type:unit")
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads((home.folder / "dbt" / "run_results.json").read_text(encoding="utf-8"))["results"]
    ruled = {item["unique_id"].split(".")[2] for item in found if item["status"] == "pass"}
    assert ruled >= RULED, "a business rule has lost its unit test"


@pytest.mark.parametrize(("page", "questions"), [("README.md", 5), ("docs/questions.md", 11)])
def test_every_question_of_the_pages_has_the_answer_it_prints(home: Home, page: str, questions: int) -> None:
    text = (PROJECT / page).read_text(encoding="utf-8")
    pairs = re.findall(r"```sql\n(.*?)```\n\n```\n(.*?)```", text, flags=re.DOTALL)
    assert len(pairs) == questions
    for query, answer in pairs:
        printed = home.vru("sql", query)
        assert [line.rstrip() for line in printed.stdout.rstrip().splitlines()] == answer.rstrip().splitlines(), query


def test_hotspots_fifths_and_drivers_of_the_stand_ins_are_these(home: Home) -> None:
    hotspots = home.rows(
        """select small_area_code, count_12_months, previous_count_12_months, rank_in_london, rank_in_borough,
             share_of_borough_percent, class_in_borough, residents, residents_year, rate_per_1000
           from marts.rpt_hotspots
           where area_code = 'E09000007' and area_level = 'lsoa' and measure_code = 'mps_violence_with_injury' order by 1"""
    )
    fifths = home.rows(
        """select quintile, numerator, denominator, rate_per_1000, ratio_most_to_least_deprived, slope_index_per_1000, relative_index
           from marts.rpt_deprivation
           where place_level = 'lsoa' and area_code = 'LONDON_32' and measure_code = 'mps_violence_with_injury' and domain = 'imd'
             and quintile_basis = 'london' order by 1"""
    )
    drivers = home.rows(
        """select area_code, z_score, rank_in_london, boroughs_ranked, compared_to_london, trend, is_force_wide
           from marts.rpt_drivers
           where is_newest_period and area_code = 'E09000012'
             and measure_code in ('fingertips_neet_16_17', 'fingertips_domestic_abuse_incidents') order by measure_code desc"""
    )
    assert hotspots == [
        ("E01999071", 1580, 1589, 3, 1, 50.095, "persistent", 110000, 2022, 14.36),
        ("E01999072", 1574, 1586, 4, 2, 49.905, "none", 110000, 2022, 14.31),
    ]
    assert fifths == [
        (1, 19205, 2475500, 7.758, 1.28, 0.522, 0.072),
        (2, 14178, 2163000, 6.5548, 1.28, 0.522, 0.072),
        (3, 9653, 1509000, 6.397, 1.28, 0.522, 0.072),
        (4, 16270, 1849500, 8.797, 1.28, 0.522, 0.072),
        (5, 8843, 1459000, 6.061, 1.28, 0.522, 0.072),
    ]
    assert drivers == [
        ("E09000012", -1.62, 32, 32, "lower", "down", False),
        ("E09000012", None, None, 0, None, None, True),
    ]


def test_the_marts_hold_the_boroughs_keys_and_descriptions_they_promise(home: Home) -> None:
    assert home.rows("select count(*), min(borough_code), max(borough_code) from marts.dim_borough") == [
        (32, "E09000002", "E09000033")
    ]
    undescribed = home.rows(
        """select c.relname, a.attname from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
           left join pg_description as d on d.objoid = c.oid and d.objsubid = a.attnum
           where c.relnamespace = 'marts'::regnamespace and c.relkind in ('r', 'v') and d.description is null""",
        ADMIN,
    )
    assert undescribed == []
    keyless = home.rows(
        """select relname from pg_class as c where relnamespace = 'marts'::regnamespace and relkind = 'r'
           and not exists (select 1 from pg_constraint where conrelid = c.oid and contype = 'p')""",
        ADMIN,
    )
    assert keyless == []
    assert home.rows(
        """select confrelid::regclass::text from pg_constraint where conrelid = 'marts.fct_measure'::regclass
           and contype = 'f' order by 1""",
        ADMIN,
    ) == [("marts.dim_area",), ("marts.dim_measure",), ("marts.dim_month",)]
