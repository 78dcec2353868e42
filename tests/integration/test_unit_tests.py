"""Every rule of the models does what its unit test says: all of them, and those of one model as `make unit MODEL=x` runs them."""

from __future__ import annotations

import pytest

from tests.homes import Home
from tests.refused import refused_with
from warehouse.build import unit_tests

# A first night of every source.
pytestmark = pytest.mark.timeout(600)

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


def test_every_rule_of_the_models_does_what_its_unit_test_says(first_night: Home) -> None:
    ended = unit_tests.run(first_night.settings)
    assert ended.failed == (), ended.said
    assert {name.partition(".")[0] for name in ended.passed} >= RULED, "a business rule has lost its unit test"


def test_the_unit_tests_of_one_model_can_be_run_alone(first_night: Home) -> None:
    result = first_night.vru("unit", "rpt_gap")
    assert result.returncode == 0, result.stdout + result.stderr
    assert {line.partition(".")[0] for line in result.stdout.splitlines()} == {"pass rpt_gap"}
    with refused_with("OPTION_INVALID", match="dim_month"):
        unit_tests.run(first_night.settings, "dim_month")
