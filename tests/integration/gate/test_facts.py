"""The gate looks at the facts of a candidate: what is missing, is no number, is greater than its whole or lies in the future is named."""

from __future__ import annotations

import datetime as dt

from expectations.scope import Result
from tests.small_candidate import BARNET, CAMDEN, HACKNEY, MARTS, change, judge, not_passed, result
from warehouse.platform.settings import Settings


def test_faults_in_the_facts_are_each_named_by_area_and_month(candidate: Settings) -> None:
    change(
        candidate,
        f"""
        delete from candidate.fct_measure
        where area_code = '{CAMDEN}' and period_start_date = '2025-03-01' and measure_code = 'mps_rape';
        update candidate.fct_measure set numerator = -4
        where area_code = '{BARNET}' and period_start_date = '2025-02-01' and measure_code = 'mps_rape';
        update candidate.fct_measure set numerator = 'NaN'
        where area_code = '{HACKNEY}' and period_start_date = '2025-01-01' and measure_code = 'mps_rape';
        update candidate.fct_measure set value = null
        where area_code = '{BARNET}' and period_start_date = '2025-04-01' and measure_code = 'mps_robbery_personal';
        """,
    )
    verdict = judge(candidate, only=["marts/fct_measure", "landing/mps/reconciliation"])
    assert result(verdict, "every_borough_stands_in_every_month").detail == "Camden 2025-03 mps_rape"
    assert result(verdict, "every_numerator_is_0_or_more").detail == "2 of 1325 rows"
    assert result(verdict, "no_value_is_missing_without_a_note").detail == "Barnet 2025-04 mps_robbery_personal"
    assert (
        result(verdict, "no_count_is_missing", "landing/mps/reconciliation").detail
        == "Barnet 2025-04 mps_robbery_personal"
    )
    for check in (
        "every_borough_stands_in_every_month",
        "every_numerator_is_0_or_more",
    ):
        assert result(verdict, check).blocks
        assert f"{check} (marts/fct_measure) failed: " in verdict.reason
    assert "Camden 2025-03 mps_rape" in verdict.reason


def test_a_part_greater_than_its_whole_blocks_unless_a_publisher_has_it_so_in_one_month_of_a_borough(
    candidate: Settings,
) -> None:
    # Camden has 77 offences a month. Rape is counted here from the rows of the whole, robbery is published beside it.
    change(
        candidate,
        f"""
        update candidate.fct_measure set value = case period_start_date when '2025-03-01' then 79 when '2025-04-01' then 80 else 78 end
        where area_code = '{CAMDEN}' and (measure_code = 'mps_robbery_personal' and period_start_date in ('2025-03-01', '2025-04-01')
            or measure_code = 'mps_rape' and period_start_date = '2025-05-01');
        """,
    )
    verdict = judge(candidate, only=["marts/fct_measure"])
    blocking, warning = (
        result(verdict, check)
        for check in ("no_part_is_greater_than_its_whole", "no_published_part_is_greater_by_more_than_2")
    )
    assert (blocking.severity, blocking.detail) == ("critical", "Camden 2025-05 mps_rape (part 78, whole 77)")
    assert (warning.severity, warning.detail) == (
        "warning",
        "Camden 2025-04 mps_robbery_personal (part 80, whole 77); known: Camden 2025-03 mps_robbery_personal (part 79, whole 77)",
    )
    change(
        candidate,
        f"update candidate.fct_measure set value = 78 where area_code = '{CAMDEN}' and measure_code = 'mps_robbery_personal'",
    )
    assert (
        result(judge(candidate, only=["marts/fct_measure"]), "no_part_is_greater_than_its_whole").unexpected_count == 14
    )


def test_a_gap_month_is_named_critical_in_the_total_and_a_warning_in_a_category(candidate: Settings) -> None:
    change(candidate, "delete from candidate.fct_measure where period_start_date = '2025-06-01'")
    verdict = judge(candidate, only=["marts/fct_measure", "landing/mps/reconciliation"])
    total = result(verdict, "no_month_is_missing_within_a_total_or_a_series")
    assert (total.severity, total.outcome, total.detail) == ("critical", "failed", "2025-06 mps_all_offences")
    category = result(verdict, "no_month_is_missing_within_a_category")
    assert (category.severity, category.outcome, category.detail) == (
        "warning",
        "failed",
        "2025-06 mps_rape, mps_robbery_personal",
    )
    recon = result(verdict, "every_month_adds_up_to_the_file", "landing/mps/reconciliation")
    assert recon.detail == "2025-06 (in file 3160, in candidate missing, usually missing)"


def test_a_month_that_is_not_over_is_named(candidate: Settings) -> None:
    def future(today: dt.date) -> Result:
        verdict = judge(candidate.model_copy(update={"today": today}), only=["marts/fct_measure"])
        return result(verdict, "no_month_lies_in_the_future")

    named = "2025-10 mps_all_offences, mps_rape, mps_robbery_personal"
    last, next_day = future(dt.date(2025, 10, 31)), future(dt.date(2025, 11, 1))
    assert (last.detail, last.blocks, next_day.outcome) == (named, True, "passed")


def test_a_borough_that_drops_to_nothing_is_a_warning_that_names_it(candidate: Settings) -> None:
    change(
        candidate,
        f"""
        update ops.load set totals = totals || '{{"2025-09": 3094}}' where load_id = 2;
        update candidate.fct_measure set value = value - 66, numerator = numerator - 66
        where area_code in ('{CAMDEN}', 'LONDON_32') and period_start_date = '2025-09-01' and measure_code <> 'mps_rape';
        """,
    )
    verdict = judge(candidate)
    assert not_passed(verdict) == [("marts/fct_measure", "no_borough_drops_to_nothing", "failed")]
    assert verdict.verdict == "warned"
    assert verdict.reason == (
        "no_borough_drops_to_nothing (marts/fct_measure) warned: Camden 2025-09 mps_robbery_personal (usually 66)"
    )


def test_an_empty_table_blocks_whatever_else_it_passes(candidate: Settings) -> None:
    for table in MARTS:
        change(candidate, f"create table keep_{table} as table candidate.{table}; delete from candidate.{table}")
    verdict = judge(candidate)
    assert [result(verdict, "the_table_has_rows", f"marts/{table}").outcome for table in MARTS] == ["failed"] * len(
        MARTS
    )
    assert result(verdict, "the_table_has_rows", "marts/series_break").blocks
    assert verdict.verdict == "blocked"


def test_a_column_without_a_value_blocks_by_name(candidate: Settings) -> None:
    change(candidate, "update candidate.fct_measure set source_release = null, is_provisional = null")
    verdict = judge(candidate)
    assert not_passed(verdict) == [("marts/fct_measure", "no_column_is_all_null", "failed")]
    assert verdict.reason == "no_column_is_all_null (marts/fct_measure) failed: source_release, is_provisional"


def test_a_missing_column_a_missing_table_and_a_mart_without_a_suite_each_block(candidate: Settings) -> None:
    change(candidate, "alter table candidate.fct_measure drop column is_provisional, drop column value_note")
    change(
        candidate,
        "drop table candidate.series_break; set role vru_transformer; create table candidate.rpt_new as select 1 as x",
    )
    verdict = judge(candidate)
    assert (
        not_passed(verdict)
        == [
            ("gate", "every_mart_has_a_suite", "failed"),
            ("landing/mps/reconciliation", "no_count_is_missing", "crashed"),
            ("marts/fct_measure", "no_value_is_missing_without_a_note", "crashed"),
            ("marts/series_break", "the_table_has_rows", "crashed"),
            ("marts/series_break", "every_break_has_a_reason", "crashed"),
            ("marts/series_break", "every_break_has_a_label", "crashed"),
            ("marts/series_break", "rows_are_at_least_90_percent_of_what_is_published", "passed"),
        ][:-1]
    )
    assert result(verdict, "no_value_is_missing_without_a_note").detail.startswith("UndefinedColumn: column")
    assert result(verdict, "the_table_has_rows", "marts/series_break").detail == (
        'UndefinedTable: relation "candidate.series_break" does not exist'
    )
    assert (
        result(verdict, "every_mart_has_a_suite", "gate").detail
        == "candidate.rpt_new (add expectations/marts/rpt_new.yml)"
    )
    assert verdict.verdict == "blocked"
