"""The gate compares a candidate with what is published: what moves too far, falls away or is lost is named."""

from __future__ import annotations

import math

from tests.conftest import Server
from tests.small_candidate import change, judge, not_passed, publish, result
from warehouse.platform.connection import GATE, connect
from warehouse.platform.settings import Settings


def test_a_figure_differs_that_is_gone_is_another_or_is_no_number(server: Server) -> None:
    figures = {
        (None, None, 0.1): False, (1.0, 1.05, 0.1): False, (1.0, 1.2, 0.1): True, (None, 1.0, 0.1): True, (1.0, None, 0.1): True,
        (None, None, None): False, (1.0, 1.0, None): True, (math.nan, 1.0, 0.1): True, (math.nan, math.nan, 0.1): True,
        (math.inf, math.inf, 0.1): True,
    }  # fmt: skip
    with connect(server.settings, GATE) as connection:
        found = {
            asked: (connection.execute("select ops.differs(%s, %s, %s)", asked).fetchone() or (None,))[0]
            for asked in figures
        }
    assert found == figures


def test_a_delivery_much_smaller_than_the_last_release_blocks_by_month(candidate: Settings) -> None:
    publish(candidate)
    assert judge(candidate).verdict == "passed"
    change(
        candidate,
        """
        update marts.fct_measure set value = value * 1.25 where period_start_date in ('2025-07-01', '2025-08-01');
        update marts.fct_measure set value = value * 1.17 where period_start_date = '2025-06-01' and measure_code = 'mps_all_offences';
        """,
    )
    verdict = judge(candidate)
    assert not_passed(verdict) == [
        ("landing/mps/reconciliation", "no_month_moves_15_percent_from_what_is_published", "failed")
    ]
    moved = result(verdict, "no_month_moves_15_percent_from_what_is_published", "landing/mps/reconciliation")
    assert moved.detail == "2025-08 (offences 3160, published 3950), 2025-07 (offences 3160, published 3950)"
    change(candidate, "update marts.fct_measure set value = value * 2 where measure_code = 'mps_rape'")
    moved = result(
        judge(candidate, only=["marts/fct_measure"]), "london_moves_less_than_15_percent_from_what_is_published"
    )
    assert (moved.severity, moved.outcome, moved.detail) == (
        "warning",
        "failed",
        "mps_rape (published 18576, found 8944)",
    )


AGAINST = "landing/mps/against_what_is_published"


def test_what_is_published_may_not_fall_away_vanish_or_double_while_the_category_list_is_the_same(
    candidate: Settings,
) -> None:
    publish(candidate)
    found: dict[str, str] = {}
    for name, statement in {
        "no_measure_of_london_moves_by_a_third_in_a_month": """update marts.fct_measure set value = value * 1.6
            where measure_code = 'mps_rape' and period_start_date = '2025-09-01'""",
        "no_measure_of_london_moves_by_a_quarter_in_two_years": """update marts.fct_measure set value = value * 1.4
            where measure_code = 'mps_rape'""",
        "no_measure_of_a_borough_moves_by_half_in_two_years": """update marts.fct_measure set value = value * 3
            where measure_code = 'mps_rape' and area_code = 'E09000008'""",
        "no_borough_moves_by_half_in_a_month": """update marts.fct_measure set value = value * 3
            where measure_code = 'mps_all_offences' and area_code = 'E09000008' and period_start_date = '2025-09-01'""",
        "no_new_month_is_far_above_what_is_usual": """
            delete from marts.fct_measure where period_start_date = '2025-10-01';
            update candidate.fct_measure set value = value * 4, numerator = numerator * 4
            where measure_code = 'mps_rape' and period_start_date = '2025-10-01'""",
    }.items():
        change(candidate, "drop table if exists kept; create table kept as select * from marts.fct_measure")
        change(candidate, statement)
        moved = result(judge(candidate, only=[AGAINST]), name, AGAINST)
        assert moved.blocks, name
        found[name] = moved.detail
        change(candidate, "truncate marts.fct_measure; insert into marts.fct_measure select * from kept")
    assert (
        found["no_measure_of_a_borough_moves_by_half_in_two_years"] == "Borough 7 mps_rape (found 156, published 468)"
    )
    assert (
        found["no_borough_moves_by_half_in_a_month"] == "Borough 7 2025-09 mps_all_offences (found 79, published 237)"
    )
    assert "London (32 boroughs) 2025-09 mps_rape (found " in found["no_measure_of_london_moves_by_a_third_in_a_month"]
    assert "London (32 boroughs) mps_rape (found " in found["no_measure_of_london_moves_by_a_quarter_in_two_years"]
    assert "London (32 boroughs) 2025-10 mps_rape (found " in found["no_new_month_is_far_above_what_is_usual"]


def test_a_file_with_fewer_rows_than_the_last_release_blocks_unless_its_categories_changed(candidate: Settings) -> None:
    publish(candidate)
    change(
        candidate,
        """
        insert into ops.load (source, dataset, release_date, sha256, file_name, landed_path, bytes, landed_at, loaded_at,
            classification, first_period, last_period, rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
        values ('mps', 'borough_recent', '2025-10-01', 'c', 'c.csv', 'c', 1, '2025-10-01', '2025-10-01', 'connect_2025',
            '2024-12-01', '2025-10-01', 75, 75, 0, 'loaded', true);
        insert into raw.mps__borough_recent
        select major_text, minor_text, borough_name || n, month_header, cell, 3, _row_number
        from raw.mps__borough_recent, generate_series(0, 0) as n;
        insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind, begun_at, built_at) values
            ('older', 'f', 'v1', 'synthetic', '2025-10-10', '2025-10-10');
        insert into ops.candidate_load values ('older', 1), ('older', 3);
        update ops.release set candidate_id = 'older';
        """,
    )
    verdict = judge(candidate, only=["landing/mps/delivery"])
    rows = result(verdict, "rows_are_at_least_90_percent_of_the_last_release", "landing/mps/delivery")
    assert (rows.blocks, rows.detail) == (True, "borough_recent load 2 (rows loaded 66, rows of the last release 75)")
    change(candidate, "update ops.load set classification = 'connect_2024' where load_id = 3")
    assert judge(candidate).verdict == "passed"


def test_losing_months_areas_or_rows_that_are_published_blocks(candidate: Settings) -> None:
    publish(candidate)
    change(
        candidate,
        """
        insert into marts.fct_measure
        select area_code, period_kind, m::date, m::date, measure_code, sex, age_band, ethnicity, 1, null, value, value_note, 'r', true
        from marts.fct_measure, generate_series(timestamp '2024-08-01', timestamp '2024-09-01', interval '1 month') as m
        where period_start_date = '2024-10-01';
        insert into marts.dim_source select source, dataset || n, licence, attribution, classification, publish_rule from marts.dim_source, generate_series(1, 2) as n;
        """,
    )
    verdict = judge(candidate, only=["marts/fct_measure", "marts/dim_source"])
    assert (
        result(verdict, "no_month_of_a_source_is_lost").detail
        == "2024-09 mps (measures found 0), 2024-08 mps (measures found 0)"
    )
    assert (
        result(verdict, "coverage_is_at_least_90_percent_of_what_is_published").detail
        == "mps (published 510, found 442)"
    )
    assert (
        result(verdict, "rows_are_at_least_90_percent_of_what_is_published", "marts/dim_source").detail
        == "found 2, published 6"
    )
    fewer = result(verdict, "rows_of_a_measure_are_at_least_90_percent_of_what_is_published")
    assert (fewer.severity, fewer.outcome, fewer.unexpected_count) == ("warning", "failed", 3)
