"""What an analyst finds after a first night of every source, as `make nightly` runs it: rules, keys, descriptions, and the README's answers."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from expectations.engine import session_settings
from expectations.suite import SUITES, read_suite
from ingest.declaration import read_sources
from tests.attack import attack, known_of_london, read_open
from tests.conftest import PROJECT
from tests.homes import Home, home_like
from warehouse.connection import ADMIN, OPEN, TRANSFORMER, connect
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
        "int_placed_share",
        "int_found_break",
        "int_typical_revision",
        "int_series_step",
        "int_temporal_expected",
        "int_mps_break_size",
        "fct_window",
        "rpt_borough_measure",
        "fct_measure",
        "int_nomis_measure",
    ),
    *("int_mps_borough_revision", "int_nomis_revision", "rpt_revision", "rpt_revision_release"),
    *("int_safestats_event_quality", "rpt_data_quality"),
    *("fact_count", "fact_baseline", "fact_place", "fact_time", "fact_profile", "fact_ratio", "fact_outcome"),
    *("fact_indicator", "fact_deprivation", "rpt_sna_facts", "int_dataset_holding", "rpt_gap"),
}


@pytest.fixture(scope="module")
def home(set_up_home: Path) -> Iterator[Home]:
    with home_like(set_up_home) as folder:
        one = Home(folder, TODAY)
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


@pytest.mark.parametrize(("page", "questions"), [("README.md", 5), ("docs/questions.md", 13)])
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
        """select quintile, numerator, denominator, rate_per_1000, ratio_most_to_least_deprived, slope_index_per_1000,
             slope_index_over_mean, relative_index_of_inequality
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
        ("E01999072", 1574, 1586, 4, 2, 49.905, "persistent", 110000, 2022, 14.31),
    ]
    assert fifths == [
        (1, 19205, 2475500, 7.758, 1.28, 0.522, 0.072, 1.075),
        (2, 14178, 2163000, 6.5548, 1.28, 0.522, 0.072, 1.075),
        (3, 9653, 1509000, 6.397, 1.28, 0.522, 0.072, 1.075),
        (4, 16270, 1849500, 8.797, 1.28, 0.522, 0.072, 1.075),
        (5, 8843, 1459000, 6.061, 1.28, 0.522, 0.072, 1.075),
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


def test_no_suppressed_count_can_be_worked_out_from_what_anyone_sees(home: Home) -> None:
    with connect(home.settings, OPEN) as connection:
        shown = read_open(connection)
    # Months tell nothing of one another: the newest stand for all (`python -m tests.attack` takes a home's every month).
    report = attack([row for row in shown if str(row[1]) >= "2026-09"], *known_of_london())
    print(report)
    assert (report.too_narrow, report.contradictions) == ({}, 0)
    assert {key[2] for key in report.cells} >= {"INNER", "LONDON_32", "LONDON_33", "LONDON_PUBLISHED", "E09000001"}


def test_every_borough_and_london_have_the_same_30_to_40_facts_in_the_same_order(home: Home) -> None:
    packs = dict(
        home.rows(
            "select area_code, array_agg(fact_code order by fact_order)::text from marts.rpt_sna_facts group by 1"
        )
    )
    assert len(packs) == 33
    assert len(set(packs.values())) == 1
    facts, places, chapters = (
        int(str(n))
        for n in home.rows(
            "select count(*), count(distinct fact_order), count(distinct chapter) from marts.rpt_sna_facts where area_code = 'LONDON_32'"
        )[0]
    )
    assert 30 <= facts == places <= 40
    assert chapters == 10


def test_a_home_of_every_feed_has_no_gap_by_feed_but_where_a_series_has_ended(home: Home) -> None:
    found = home.rows(
        "select question_number, part_number, state from marts.rpt_gap where feed_gap is not null order by 1, 2"
    )
    # Categories of before 2019 and before CONNECT: the stand-ins publish none of those years.
    assert found == [(1, 5, "partly"), (5, 3, "not_loaded")]


def test_counts_that_lie_within_one_another_are_for_analysts_alone(home: Home) -> None:
    # Of 8 of a kind and 10 of it and its like, the like would be 2.
    whole = [("safestats_las_dispatches",), ("safestats_las_violence_dispatches",)]
    counted = "where measure_code like 'safestats%dispatches'"
    assert len(home.rows(f"select distinct measure_code from marts.fct_measure {counted}")) == len(whole) + 8
    assert (
        home.rows(f"select distinct measure_code from marts_open.measure {counted} and value > 0 order by 1", OPEN)
        == whole
    )
    told = home.rows(f"select distinct measure_code from marts.rpt_sna_facts {counted}")
    assert set(told) <= set(whole)


def test_totals_are_withheld_no_oftener_than_their_parts_need(home: Home) -> None:
    withheld = home.rows(
        """select area_code, count(f.value), count(*) filter (where f.value > 7 and o.is_suppressed)
           from marts.fct_measure as f
           inner join marts_open.measure as o
             using (area_code, period_kind, period_start_date, measure_code, sex, age_band, ethnicity)
           where o.publish_rule = 'suppress_1_to_7_round_5' and f.value is not null group by 1
           having count(*) filter (where f.value > 7 and o.is_suppressed) > 0 order by 1"""
    )
    assert withheld == [
        ("INNER", 310, 47),
        ("LONDON_32", 310, 18),
        ("LONDON_33", 286, 95),
        ("LONDON_PUBLISHED", 260, 95),
        ("OUTER", 310, 47),
    ]
    # Each looks as a count of 1 to 7 does.
    assert home.rows("select distinct value, value_note from marts_open.measure where is_suppressed") == [(None, None)]


# What a row of rpt_gap says is there, and what it says is not: the mart, and the condition under which it would be untrue.
MEASURE, HOTSPOT, PROFILE = "dim_measure", "rpt_hotspots", "rpt_victim_profile"
GAPS: dict[tuple[int, int], tuple[tuple[str, str] | None, tuple[str, str]]] = {
    (1, 6): (None, (MEASURE, "measure_code ~ 'damage.*violence'")),
    (1, 7): (
        ("fct_measure", "measure_code = 'mps_vawg_modern_slavery' and value is not null"),
        ("fct_measure", "measure_code ~ 'slavery|trafficking_of_people' and area_code like 'E09%'"),
    ),
    (2, 3): (None, (MEASURE, "measure_code ~ 'knife_injury_victims' and measure_code !~ '1_24'")),
    (3, 3): (None, ("fct_measure", "measure_code like 'mps_homicide%' and area_code = 'E09000001' and value > 0")),
    (4, 3): (None, (MEASURE, "measure_code ~ 'corrosive|acid_attack'")),
    (5, 4): (None, (MEASURE, "measure_code ~ 'threats_to_kill'")),
    (7, 2): (None, (MEASURE, "measure_code ~ 'sexual.*domestic|rape.*domestic|domestic.*(sexual|rape)'")),
    (8, 3): (None, (MEASURE, "measure_code ~ 'repeat|marac|disclosure_scheme'")),
    (9, 3): (None, (HOTSPOT, "measure_code like 'safestats%'")),
    (9, 2): (
        ("fct_measure", "measure_code = 'safestats_las_sexual_assault_dispatches' and value > 0"),
        (MEASURE, "measure_code ~ '(teen|cocaine|heroin).*dispatch'"),
    ),
    (10, 1): (
        ("rpt_ed_attendance", "weapon_group = 'knife_or_sharp_object' and place_group = 'home'"),
        ("rpt_ed_attendance", "measure_code = 'safestats_ed_ecds_assaults' and weapon_group not in ('unknown', 'code_not_listed')"),
    ),
    (10, 2): (None, (PROFILE, "measure_code ~ 'safestats_ed' and age_band <> 'all'")),
    (14, 2): (None, (MEASURE, "measure_code ~ 'lfb.*(assault|attack)'")),
    (21, 2): (
        (PROFILE, "measure_code = 'mps_homicide_accused' and standardised_rate_per_100000 is not null"),
        (PROFILE, "measure_code not in ('mps_homicide_accused', 'safestats_las_violence_dispatches') and standardised_rate_per_100000 is not null"),
    ),
    (22, 2): ((PROFILE, "measure_code = 'police_uk_people_searched' and ethnicity <> 'all'"), (PROFILE, "measure_code ~ 'vawg'")),
    (22, 4): (
        (PROFILE, "residents_basis = 'all_ages_both_sexes' and disproportionality is not null"),
        (PROFILE, "residents_basis = 'same_sex_and_ages' and ethnicity <> 'all'"),
    ),
    (22, 3): (None, (PROFILE, "role not in ('victim', 'accused', 'person_searched')")),
    (24, 2): (
        (HOTSPOT, "area_level = 'lsoa' and measure_code = 'police_uk_metropolitan_violence_and_sexual_offences'"),
        (HOTSPOT, "area_level = 'lsoa' and measure_code ~ 'rape|sexual' and measure_code !~ 'violence_and_sexual'"),
    ),
    (25, 2): (None, ("rpt_deprivation", "place_level = 'lsoa' and measure_code ~ 'fingertips|safestats'")),
    (26, 3): (None, ("rpt_drivers", "measure_code ~ 'suspension|exclusion|persistent|in_need'")),
    (26, 4): (None, ("rpt_drivers", "measure_code ~ 'temporary|migration|churn'")),
    (26, 5): (None, ("rpt_drivers", "measure_code ~ 'cohort|reoffending|probation'")),
    (27, 2): (None, ("rpt_drivers", "area_code !~ '^(E09|E92|LONDON|INNER|OUTER)'")),
    (28, 1): (
        ("rpt_crime_outcome", "outcome_code = 'unable_to_prosecute' and crime_count > 0"),
        ("rpt_crime_outcome", "outcome_code ~ 'evidence|victim'"),
    ),
    (29, 1): (None, (MEASURE, "measure_code ~ 'caution|custody_sentence|knife.*sentenc'")),
    (30, 1): (None, (MEASURE, "measure_code ~ 'repeat|prolific'")),
    (31, 1): (None, (MEASURE, "measure_code ~ 'harm_index|severity_score|cost_weighted'")),
}  # fmt: skip


def test_what_the_list_of_gaps_says_is_missing_is_in_no_mart_and_what_it_says_is_there_is(home: Home) -> None:
    gaps = home.rows("select question_number, part_number, status, coalesce(answered_by, '') from marts.rpt_gap")
    # A series that ended before the stand-ins' oldest file is missing from this home alone.
    absent = home.rows("select question_number, part_number from marts.rpt_gap where state = 'not_loaded'")
    assert absent == [(5, 3)]
    status = {(int(str(q)), int(str(n))): str(is_what) for q, n, is_what, _ in gaps}
    # Nothing is said to be missing that is not looked for.
    assert {key for key, is_what in status.items() if is_what == "not_available"} - {(5, 3)} <= GAPS.keys()
    wrong = []
    for key, (there, missing) in GAPS.items():
        held, gone = (
            bool(of and home.rows(f"select 1 from marts.{of[0]} where {of[1]} limit 1")) for of in (there, missing)
        )
        if gone or held is not bool(there) or status[key] != ("partly" if there else "not_available"):
            wrong.append((key, status[key], held, gone))
    assert wrong == []
    names = {name.strip() for *_, answered_by in gaps for name in str(answered_by).split(",") if name.strip()}
    views = "select table_name from information_schema.tables where table_schema = 'marts'"
    assert names <= {str(name) for (name,) in home.rows(views)}


# What a reviewer did to a candidate and no check saw: the mart, the check that must find it, the change.
WRONG = [
    ("rpt_sna_facts", "every_borough_has_the_same_facts_in_the_same_order", "delete where area_code = 'E09000003'"),
    ("rpt_sna_facts", "no_sentence_lacks_a_figure", "set sentence = regexp_replace(sentence, '[0-9.]+[)]', ')')"),
    ("rpt_gap", "what_has_no_rows_names_its_feed", "set state = 'not_loaded' where feed_gap is null"),
    ("dim_source", "its_terms_are_those_declared", "set publish_rule = 'open' where source = 'safestats'"),
    (
        "dim_measure",
        "its_rule_is_its_sources_or_lets_nothing_out",
        "set publish_rule = 'suppress_1_to_7_round_5' where publish_rule = 'none'",
    ),
    (
        "fct_window",
        "every_window_is_the_sum_of_its_months",
        "set rolling_12_count = rolling_12_count + case area_code when 'E09000007' then 300 else -300 end where "
        "area_code in ('E09000007', 'E09000008') and month_start_date = '2026-10-01'",
    ),
    (
        "fct_window",
        "every_window_is_the_sum_of_its_months",
        "set rolling_12_count = 2 * rolling_12_count where month_start_date = '2026-05-01'",
    ),
    (
        "fct_window",
        "every_window_is_the_sum_of_its_months",
        "set rolling_3_count = 5 * rolling_3_count where month_start_date = '2026-05-01'",
    ),
    (
        "fct_window",
        "every_window_is_the_sum_of_its_months",
        "set rolling_6_count = null where month_start_date = '2026-05-01'",
    ),
    (
        "fct_window",
        "every_window_is_the_sum_of_its_months",
        "set financial_year_to_date_count = 3 * financial_year_to_date_count where month_start_date = '2026-05-01'",
    ),
    (
        "fct_window",
        "boroughs_rank_by_their_rates_in_the_newest_month",
        "set rolling_12_rank = 33 - rolling_12_rank where month_start_date = '2026-10-01'",
    ),
    (
        "fct_window",
        "the_highest_rate_of_every_month_ranks_first",
        "set rolling_12_rank = 33 - rolling_12_rank where month_start_date = '2025-05-01'",
    ),
    (
        "fct_window",
        "a_greater_change_is_in_no_lower_quartile",
        "set rolling_12_change_quartile = 5 - rolling_12_change_quartile where month_start_date = '2026-10-01'",
    ),
    (
        "fct_window",
        "residents_are_those_of_fct_measure",
        "set residents = 10 * residents where month_start_date = '2026-03-01'",
    ),
    (
        "fct_window",
        "residents_are_those_of_fct_measure",
        "set rolling_12_residents = 10 * rolling_12_residents where month_start_date = '2026-10-01'",
    ),
    (
        "fct_window",
        "a_signal_agrees_with_the_limits_beside_it",
        "set chart_signal = 'above_upper_limit' where chart_signal = 'none' and month_start_date = '2026-10-01'",
    ),
    (
        "dim_measure",
        "a_measure_means_what_its_definition_says",
        "set exactness = 'exact', proxy_reason = null, caveat = '' where exactness = 'proxy'",
    ),
    (
        "dim_measure",
        "a_measure_means_what_its_definition_says",
        "set rate_per = 1000 where measure_code = 'mps_homicide'",
    ),
    (
        "dim_measure",
        "a_measure_means_what_its_definition_says",
        "set polarity = 'higher_is_better' where measure_code = 'mps_homicide'",
    ),
    (
        "rpt_success_measures",
        "a_proxy_is_called_one_and_the_exact_exact",
        "set availability = 'exact' where availability = 'proxy'",
    ),
    (
        "rpt_success_measures",
        "what_is_counted_here_is_what_fct_measure_adds_up_to",
        "set numerator = 2 * numerator where measure_code like '%knife%'",
    ),
    (
        "fct_window",
        "every_month_says_what_fct_measure_says",
        "set is_provisional = not is_provisional where month_start_date = '2026-10-01'",
    ),
    (
        "rpt_police_health",
        "a_ratio_and_its_index_are_of_the_counts_beside_them",
        "set index_to_london = 2 * index_to_london",
    ),
    (
        "rpt_police_health",
        "what_lies_apart_from_london_is_called_higher_or_lower",
        "set compared_with_london = 'lower' where compared_with_london is not null",
    ),
    (
        "rpt_drivers",
        "z_scores_and_ranks_are_of_the_values_beside_them",
        "set z_score = -z_score",
    ),
    (
        "rpt_drivers",
        "what_lies_apart_is_called_higher_or_lower_and_no_other",
        "set compared_to_london = case compared_to_london when 'higher' then 'lower' else 'higher' end where "
        "compared_to_london in ('higher', 'lower')",
    ),
    (
        "rpt_priority_index",
        "boroughs_rank_by_the_index",
        "set priority_rank = 33 - priority_rank",
    ),
    (
        "rpt_priority_index",
        "a_component_is_how_many_times_london_s",
        "set component_index = 20000 / component_index",
    ),
    (
        "rpt_ambulance_month",
        "sums_and_changes_are_of_the_months_they_are_of",
        "set change_on_year_12_months_percent = -change_on_year_12_months_percent",
    ),
    (
        "rpt_ambulance_month",
        "a_share_of_the_ambulance_service_is_of_all_its_incidents",
        "set per_1000_incidents_12_months = per_1000_incidents_12_months / 10",
    ),
    (
        "rpt_ed_attendance",
        "weapons_and_places_add_up_to_fct_measure",
        "set attendance_count = attendance_count + 1 where weapon_group = 'knife_or_sharp_object'",
    ),
    (
        "rpt_ed_attendance",
        "a_site_says_of_its_own_attendances_how_many_are_stated",
        "set weapon_stated_percent = 100",
    ),
    (
        "rpt_crime_outcome",
        "every_crime_has_one_newest_outcome",
        "set crime_count = crime_count + 1 where outcome_code = 'charged'",
    ),
    (
        "rpt_crime_outcome",
        "a_share_is_of_the_counts_beside_it_and_lies_between_its_limits",
        "set share_upper_95_percent = 100",
    ),
    (
        "rpt_ambulance_month",
        "sums_and_changes_are_of_the_months_they_are_of",
        "set previous_count_6_months = previous_count_6_months + 1",
    ),
    (
        "rpt_victim_profile",
        "shares_ratios_and_rates_are_of_the_counts_beside_them",
        "set disproportionality = 2 * disproportionality, disproportionality_lower_95 = 2 * "
        "disproportionality_lower_95, disproportionality_upper_95 = 2 * disproportionality_upper_95",
    ),
    (
        "fct_measure",
        "no_part_is_greater_than_its_whole",
        "set value = 2 * value where measure_code = 'mps_knife_injury_victims_non_da_1_24'",
    ),
    (
        "fct_measure",
        "no_part_is_greater_than_its_whole",
        "set value = value + 5 where measure_code = 'mps_homicide_victims_under_25' and area_code = 'E09000007'",
    ),
    (
        "dim_area",
        "every_area_where_few_live_beside_those_who_come_has_its_caveat",
        "set residents_caveat = null where area_code = 'E09000007'",
    ),
    (
        "dim_similar_area",
        "the_boroughs_are_those_that_the_ons_found_most_like_it",
        "set similar_area_code = 'E09000033' where borough_code = 'E09000002' and similarity_rank = 1",
    ),
    (
        "fct_window",
        "boroughs_rank_by_their_rates_in_the_newest_month",
        "set rolling_12_quartile = 5 - rolling_12_quartile where month_start_date = '2026-10-01'",
    ),
    (
        "rpt_success_measures",
        "what_is_counted_here_is_what_fct_measure_adds_up_to",
        "set lower_95 = lower_95 / 2 where limits_method <> 'as published'",
    ),
    (
        "rpt_success_measures",
        "what_is_published_elsewhere_is_as_published",
        "set lower_95 = lower_95 / 2 where limits_method = 'as published'",
    ),
    ("rpt_success_measures", "every_break_since_the_baseline_is_named", "set break_reason = null"),
    (
        "rpt_police_health",
        "every_break_of_either_series_inside_a_window_is_named",
        "set has_series_break = not has_series_break",
    ),
    ("rpt_police_health", "limits_are_those_of_the_counts_beside_them", "set health_per_police_lower_95 = 0"),
    (
        "rpt_police_health",
        "limits_are_those_of_the_counts_beside_them",
        "set health_per_police_lower_95 = 0.1, health_per_police_upper_95 = 0.2 where health_per_police is null",
    ),
    ("rpt_crime_outcome", "every_crime_has_one_newest_outcome", "delete where area_code = 'E09000003'"),
    *(
        (
            mart,
            "a_rate_where_few_live_beside_those_who_come_says_so",
            "set residents_caveat = null where area_code = 'E09000033'",
        )
        for mart in ("rpt_success_measures", "rpt_victim_profile")
    ),
    ("fct_indicator", "fct_measure_has_its_values_and_counts", "set value = 1.1 * value where area_code = 'E09000003'"),
    ("rpt_victim_profile", "shares_ratios_and_rates_are_of_the_counts_beside_them", "set rate_lower_95 = 0"),
    ("rpt_victim_profile", "shares_ratios_and_rates_are_of_the_counts_beside_them", "set share_upper_95_percent = 100"),
    (
        "rpt_victim_profile",
        "a_standardised_rate_is_of_the_ages_beside_it",
        "set standardised_rate_per_100000 = 10 * standardised_rate_per_100000, standardised_rate_upper_95 = 10 * standardised_rate_upper_95",
    ),
    ("rpt_victim_profile", "a_standardised_rate_is_of_the_ages_beside_it", "set standardised_rate_lower_95 = 0"),
    ("rpt_deprivation", "every_break_inside_a_window_is_marked", "set has_series_break = not has_series_break"),
    ("rpt_hotspots", "a_rate_where_few_live_beside_those_who_come_says_so", "set note = null"),
    ("rpt_hotspots", "every_break_within_the_two_years_is_marked", "set has_series_break = not has_series_break"),
    ("fct_indicator", "every_value_is_that_of_the_file", "set value = 1.1 * value"),
    (
        "rpt_victim_profile",
        "it_may_be_seen_by_whom_its_measure_may_be",
        "set publish_rule = 'open' where publish_rule <> 'open'",
    ),
    (
        "rpt_temporal_profile",
        "it_may_be_seen_by_whom_its_measure_may_be",
        "set publish_rule = 'open' where publish_rule <> 'open'",
    ),
    (
        "rpt_success_measures",
        "it_may_be_seen_by_whom_its_measure_may_be",
        "set publish_rule = 'open' where publish_rule <> 'open'",
    ),
    (
        "rpt_police_health",
        "it_may_be_seen_by_whom_its_measure_may_be",
        "set publish_rule = 'open' where publish_rule <> 'open'",
    ),
    ("rpt_drivers", "health_indicators_are_as_published", "set denominator = 2 * denominator"),
    (
        "rpt_drivers",
        "the_newest_period_and_every_change_are_of_the_periods_beside_them",
        "set change_percent = -change_percent",
    ),
    (
        "rpt_priority_index",
        "without_a_component_the_index_is_the_mean_of_the_others",
        "set priority_index_without = 100",
    ),
    (
        "rpt_ambulance_month",
        "every_break_within_the_two_years_is_marked",
        "set has_series_break = not has_series_break",
    ),
    ("rpt_revision", "every_row_is_a_difference", "set difference_percent = -difference_percent"),
    (
        "dim_area",
        "an_area_is_in_the_half_of_london_that_its_borough_is_in",
        "set ons_inner_outer = case ons_inner_outer when 'inner' then 'outer' else 'inner' end",
    ),
    ("series_break", "every_break_that_was_measured_stands", "set break_label = 'nothing'"),
    (
        "rpt_hotspots",
        "wards_add_up_to_the_months_they_are_of",
        "set count_12_months = 2 * count_12_months where measure_code = 'mps_rape'",
    ),
    (
        "rpt_revision_release",
        "sums_and_the_largest_are_of_what_rpt_revision_lists",
        "set net_difference = -net_difference, largest_difference = 2 * largest_difference",
    ),
    *(
        ("rpt_revision_release", "sums_and_the_largest_are_of_what_rpt_revision_lists", f"set {change}")
        for change in (
            "largest_area_code = 'E09000033' where largest_area_code <> 'E09000033'",
            "largest_period_start_date = first_period_start_date where largest_period_start_date <> first_period_start_date",
            "largest_difference_percent = null",
            "largest_difference = -largest_difference",
            "net_difference = null",
            "revised_count = revised_count + case compared_with when 'first' then 1 else -1 end",
            "raised_count = lowered_count, lowered_count = raised_count where raised_count <> lowered_count",
        )
    ),
    # By borough where nobody counts by LSOA: of London alone.
    *(
        (
            "rpt_deprivation",
            "every_fifth_counts_the_offences_and_the_residents_of_its_places",
            f"set {change} where place_level = 'borough'",
        )
        for change in (
            "numerator = numerator + 1",
            "denominator = null",
            "denominator_year = 2011",
            "window_end_date = window_end_date + 30",
        )
    ),
    (
        "rpt_crime_outcome",
        "each_outcome_has_the_crimes_of_which_it_is_the_newest",
        """set crime_count = o.crime_count, share_percent = o.share_percent, share_lower_95_percent = o.share_lower_95_percent,
             share_upper_95_percent = o.share_upper_95_percent from candidate.rpt_crime_outcome as o
           where (o.area_code, o.month_start_date, o.measure_code) = (rpt_crime_outcome.area_code, rpt_crime_outcome.month_start_date, rpt_crime_outcome.measure_code)
             and (o.outcome_code, rpt_crime_outcome.outcome_code) in (('charged', 'out_of_court'), ('out_of_court', 'charged'))
             and o.crime_count <> rpt_crime_outcome.crime_count and o.area_code = 'E09000007'""",
    ),
    (
        "rpt_temporal_profile",
        "no_hour_is_expected_never_or_not_as_everywhere",
        "set expected_share_percent = expected_share_percent + 0.5 where area_code = 'E09000007'",
    ),
    (
        "fct_ward_month",
        "every_month_adds_up_to_the_file",
        """set rape_count = other_sexual_offences_count, other_sexual_offences_count = rape_count
           where month_start_date = (select min(month_start_date) from candidate.fct_ward_month)""",
    ),
]


def gone(columns: str, where: str = "") -> list[str]:
    """Each of these columns without its figure."""
    return [f"{column} = null{where and f' where {where}'}" for column in columns.split()]


ANOTHER = "source_release = 'another'"
# What one borough alone has lost or has otherwise: the mart, the check that must find it there, and the changes, each made in a borough of
# its own, so that one asking finds them all.
OF_ONE_BOROUGH = [
    (
        "fct_ward_month",
        "every_ward_has_the_counts_of_its_own_cells",
        [
            "homicide_count = homicide_count + 1",
            "violence_with_injury_count = violence_with_injury_count + 1 where month_start_date < '2025-01-01'",
            "rape_count = other_sexual_offences_count where rape_count <> other_sexual_offences_count",
            *gone("arson_criminal_damage_count", "month_start_date < '2025-01-01'"),
            ANOTHER,
        ],
    ),
    ("fct_window", "a_signal_agrees_with_the_limits_beside_it", gone("chart_signal")),
    (
        "rpt_ambulance_month",
        "sums_and_changes_are_of_the_months_they_are_of",
        [
            *gone("count_3_months count_6_months count_12_months mean_of_12_months"),
            *gone("previous_count_3_months previous_count_6_months previous_count_12_months"),
            *gone(" ".join(f"change_on_year_{n}_months_percent" for n in (3, 6, 12))),
            *(f"previous_count_{n}_months = previous_count_{n}_months + 1" for n in (3, 6, 12)),
        ],
    ),
    ("rpt_ambulance_month", "it_says_what_fct_measure_says", [ANOTHER]),
    (
        "rpt_borough_measure",
        "a_window_is_what_fct_window_and_the_counts_beside_it_say",
        [
            *gone("rate rate_lower_95 rate_upper_95 rate_lower_998 rate_upper_998 london_rate location_quotient"),
            *gone("share_of_london_percent rate_per source_release is_provisional"),
            "denominator_year = denominator_year - 1",
            "london_denominator_year = london_denominator_year - 1",
        ],
    ),
    (
        "rpt_crime_outcome",
        "each_outcome_has_the_crimes_of_which_it_is_the_newest",
        ["months_followed = null", "months_followed = months_followed + 1", ANOTHER],
    ),
    (
        "rpt_deprivation",
        "every_fifth_counts_the_offences_and_the_residents_of_its_places",
        [
            *gone("denominator located_share_percent"),
            "place_count = place_count + 1",
            "denominator = denominator + 1000",
            "denominator_year = denominator_year + 1",
            "index_code = case index_code when 'imd_2025' then 'imd_2019' else 'imd_2025' end",
            "window_start_date = window_start_date - 31",
            "window_end_date = window_end_date + 31",
            "located_share_percent = located_share_percent - 1",
            "is_provisional = not is_provisional",
            ANOTHER,
        ],
    ),
    ("rpt_drivers", "z_scores_and_ranks_are_of_the_values_beside_them", gone("z_score rank_in_london")),
    (
        "rpt_drivers",
        "the_newest_period_and_every_change_are_of_the_periods_beside_them",
        [
            *gone("previous_value change change_percent trend london_value england_value"),
            "london_value = london_value + 1",
        ],
    ),
    (
        "rpt_drivers",
        "figures_of_work_are_those_of_fct_measure",
        [
            *gone("lower_95_limit upper_95_limit", "measure_code like 'nomis%'"),
            "value = value + 1 where measure_code like 'nomis%'",
            f"{ANOTHER} where measure_code like 'nomis%'",
        ],
    ),
    (
        "rpt_drivers",
        "health_indicators_are_as_published",
        [*gone("value", "measure_code like 'fingertips%'"), f"{ANOTHER} where measure_code like 'fingertips%'"],
    ),
    (
        "rpt_ed_attendance",
        "weapons_and_places_are_those_that_the_site_gave",
        [
            "weapon = weapon || ' or another'",
            "place = place || ' or another'",
            "weapon_group = 'other'",
            "place_group = 'other'",
            ANOTHER,
        ],
    ),
    ("rpt_police_health", "what_lies_apart_from_london_is_called_higher_or_lower", gone("compared_with_london")),
    (
        "rpt_police_health",
        "it_says_what_fct_measure_adds_up_to",
        ["health_release = 'another'", "police_release = 'another'"],
    ),
    (
        "rpt_priority_index",
        "components_are_values_of_the_panel",
        [
            "period_kind = 'another'",
            "period_end_date = period_end_date + 1",
            "theme = 'another'",
            "london_value = london_value + 1",
            "includes_city_of_london = not includes_city_of_london",
        ],
    ),
    (
        "rpt_priority_index",
        "the_index_is_the_mean_of_its_components",
        ["weight_covered_percent = weight_covered_percent - 1", "priority_index = priority_index + 1"],
    ),
    (
        "rpt_priority_index",
        "without_a_component_the_index_is_the_mean_of_the_others",
        gone("priority_index_without"),
    ),
    ("rpt_priority_index", "boroughs_rank_by_the_index", gone("priority_rank_without")),
    (
        "rpt_revision",
        "what_stood_is_what_an_earlier_release_said",
        ["earlier_release = 'another'", "earlier_value = earlier_value + 1"],
    ),
    ("rpt_revision", "what_stands_is_what_fct_measure_says", [ANOTHER]),
    ("rpt_revision", "every_row_is_a_difference", gone("difference difference_percent")),
    (
        "rpt_success_measures",
        "what_is_counted_here_is_what_fct_measure_adds_up_to",
        [
            *gone("numerator denominator value lower_95 upper_95 limits_method", "limits_method <> 'as published'"),
            "residents_year = residents_year - 1",
            f"{ANOTHER} where limits_method <> 'as published'",
        ],
    ),
    (
        "rpt_success_measures",
        "what_is_published_elsewhere_is_as_published",
        [
            *gone("numerator upper_95", "limits_method = 'as published'"),
            "denominator = denominator + 1 where limits_method = 'as published'",
            f"{ANOTHER} where limits_method = 'as published'",
        ],
    ),
    (
        "rpt_victim_profile",
        "people_and_residents_are_those_of_the_period",
        [
            *gone("whole_count known_count residents residents_share_percent"),
            "person_count = person_count + 1",
            "months_held = months_held - 1",
            "residents = residents + 1",
            "residents_year = residents_year - 1",
            ANOTHER,
        ],
    ),
    (
        "rpt_victim_profile",
        "shares_ratios_and_rates_are_of_the_counts_beside_them",
        [
            *gone("share_percent share_lower_95_percent share_upper_95_percent share_of_known_percent"),
            *gone("disproportionality disproportionality_lower_95 disproportionality_upper_95"),
            *gone("rate_per_100000 rate_lower_95 rate_upper_95"),
        ],
    ),
    (
        "rpt_victim_profile",
        "a_standardised_rate_is_of_the_ages_beside_it",
        gone("standardised_rate_per_100000 standardised_rate_lower_95 standardised_rate_upper_95"),
    ),
]


@contextlib.contextmanager
def to_be_changed(home: Home, mart: str, check: str) -> Iterator[tuple[psycopg.Connection, str, str]]:
    """A connection that keeps nothing, the table to change, and the check's query, asked as the gate asks, which found nothing in it."""
    suite = read_suite(SUITES / "marts" / f"{mart}.yml")
    with connect(home.settings, TRANSFORMER) as connection:
        for name, value in session_settings("none").items():
            if name != "default_transaction_read_only":
                connection.execute("select set_config(%s, %s, true)", [name, value])
        if connection.execute(
            "select relkind from pg_class where oid = to_regclass(%s)", [suite.target]
        ).fetchone() == ("v",):
            # Of a view, its newest month as a table.
            connection.execute(
                f"create temp table {mart} as select * from {suite.target} where month_start_date = '2026-10-01'".encode()
            )
            suite = suite.model_copy(update={"target": f"pg_temp.{mart}"})
        (claim,) = [one for one in suite.checks if one.name == check]
        assert claim.severity == "critical"
        yield connection, suite.target, suite.query(claim.unexpected_rows or "")
        connection.rollback()


@pytest.mark.parametrize(("mart", "check", "mutation"), WRONG)
def test_a_wrong_mart_is_found_by_the_check_made_for_it(home: Home, mart: str, check: str, mutation: str) -> None:
    with to_be_changed(home, mart, check) as (connection, table, query):
        lost = mutation.removeprefix("delete ")
        statement = f"update {table} {mutation}" if lost == mutation else f"delete from {table} {lost}"
        changed = connection.execute(statement.encode()).rowcount
        # One row is enough to know: PostgreSQL need not find, nor put in order, the rest.
        found = connection.execute(f"select exists ({query})".encode()).fetchone()
    assert changed > 0
    assert found == (True,)


@pytest.mark.parametrize(("mart", "check", "changes"), OF_ONE_BOROUGH)
def test_what_one_borough_alone_has_lost_or_has_otherwise_is_found_there(
    home: Home, mart: str, check: str, changes: list[str]
) -> None:
    boroughs = iter(f"E090000{number:02}" for number in range(2, 34))
    in_borough = {}
    with to_be_changed(home, mart, check) as (connection, table, query):
        for change in changes:
            assignments, _, condition = change.partition(" where ")
            column = assignments.partition(" = ")[0]
            # The first borough of those left that has such a figure.
            for borough in boroughs:
                statement = f"update {table} set {assignments} where area_code = '{borough}' and {column} is not null and ({condition or 'true'})"
                if connection.execute(statement.encode()).rowcount:
                    in_borough[borough] = change
                    break
        found = {row[0] for row in connection.execute(f"select area_code from ({query}) as found".encode())}
    assert list(in_borough.values()) == changes
    assert [change for borough, change in in_borough.items() if borough not in found] == []
