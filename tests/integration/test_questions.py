"""What an analyst finds after a first night of every source, as `make nightly` runs it: rules, keys, descriptions, and the README's answers."""

from __future__ import annotations

import re

import pytest

from ingest.declaration import read_sources
from tests.attack import attack
from tests.conftest import PROJECT
from tests.homes import Home
from tests.open_layer import known_of_london, read_open
from warehouse.platform.connection import ADMIN, OPEN, connect

# A first night of every source.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def home(first_night: Home) -> Home:
    return first_night


def test_a_night_of_every_source_leaves_none_of_their_data_missing(home: Home) -> None:
    assert home.rows("select source, dataset from marts.data_status where state <> 'fresh' order by 1, 2") == []
    assert home.rows("select distinct source from marts.data_status order by 1") == [
        (n,) for n in sorted(read_sources())
    ]


def test_the_open_layer_withholds_what_its_model_says(home: Home) -> None:
    with connect(home.settings, ADMIN) as connection:
        connection.execute("set enable_nestloop = off")  # as the publisher asks it
        rows = "select measure_code, period_start_date, area_code from {} order by 1, 2, 3"
        # The candidate has been emptied, so the model is asked of the marts, which hold what it held.
        ((model,),) = connection.execute(
            "select replace(rtrim(pg_get_viewdef('intermediate.open_withheld_total'), ';'), 'candidate.', 'marts.')"
        ).fetchall()
        chosen, stored = (
            connection.execute(rows.format(table).encode()).fetchall()
            for table in (f"({model}) as model", "marts_open.withheld_total")
        )
    assert len(stored) > 0
    assert stored == chosen


@pytest.mark.parametrize(("page", "questions"), [("README.md", 5), ("docs/questions.md", 14)])
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
