"""The gate looks at what was delivered: months against the file's own totals, offences without a borough, what went in and what was left out."""

from __future__ import annotations

from expectations.gate import Verdict
from tests.small_candidate import CAMDEN, CANDIDATE, change, judge, not_passed, result
from warehouse.platform.connection import GATE, connect
from warehouse.platform.settings import Settings


def test_a_figure_that_is_one_off_from_the_file_is_named(candidate: Settings) -> None:
    change(
        candidate,
        f"""
        update candidate.fct_measure set value = value + 1, numerator = numerator + 1
        where area_code in ('{CAMDEN}', 'LONDON_32') and period_start_date = '2024-11-01'
            and measure_code in ('mps_rape', 'mps_all_offences');
        """,
    )
    verdict = judge(candidate)
    assert not_passed(verdict) == [("landing/mps/reconciliation", "every_month_adds_up_to_the_file", "failed")]
    month = result(verdict, "every_month_adds_up_to_the_file", "landing/mps/reconciliation")
    assert month.detail == "2024-11 (in file 3160, in candidate 3161, usually 3160)"


def test_offences_without_a_borough_pass_to_2_warn_to_5_and_block_above_5_percent_of_a_month(
    candidate: Settings,
) -> None:
    def unplaced(month: str, offences: int) -> str:
        """Make so many robberies of a month unplaced, in the file and in the marts; 3136 others have a borough."""
        return f"""
        update ops.load set totals = totals || '{{"{month[:4]}-{month[4:]}": {3136 + offences}}}' where load_id = 2;
        update candidate.fct_measure set value = case measure_code when 'mps_all_offences' then {offences} else {offences - 12} end
        where area_code = 'UNALLOCATED' and to_char(period_start_date, 'YYYYMM') = '{month}' and measure_code <> 'mps_rape';
        """

    suite = "landing/mps/reconciliation"
    change(candidate, unplaced("202503", 400) + unplaced("202504", 80))
    verdict = judge(candidate)
    assert (verdict.verdict, not_passed(verdict)) == (
        "warned",
        [(suite, "at_most_2_percent_of_a_month_has_no_borough", "failed")],
    )
    assert verdict.may_be_published
    warning = result(verdict, "at_most_2_percent_of_a_month_has_no_borough", suite)
    assert warning.detail == (
        "2025-04 (usually 3191, percent 2.49, usually below 2); known: 2025-03 (usually 3165, percent 11.31, usually below 100)"
    )
    warned = "2025-04 (usually 3191, percent 2.49, usually below 2)"
    assert verdict.reason == f"at_most_2_percent_of_a_month_has_no_borough ({suite}) warned: {warned}"
    with connect(candidate, GATE) as connection:
        assert connection.execute("select verdict, state from ops.release").fetchall() == [("warned", "judged")]

    change(candidate, unplaced("202504", 200))
    verdict = judge(candidate)
    assert not_passed(verdict) == [(suite, "at_most_5_percent_of_a_month_has_no_borough", "failed")]
    assert (verdict.verdict, verdict.reason) == (
        "blocked",
        f"at_most_5_percent_of_a_month_has_no_borough ({suite}) failed: 2025-04 (usually 3191, percent 6, may be 5)",
    )
    with connect(candidate, GATE) as connection:
        newest = connection.execute(
            "select verdict, state from ops.release order by release_id desc limit 1"
        ).fetchall()
        assert newest == [("blocked", "held")]

    # Known is not unlimited.
    change(candidate, unplaced("202504", 24) + unplaced("202503", 1200))
    verdict = judge(candidate, only=[suite])
    assert result(verdict, "at_most_5_percent_of_a_month_has_no_borough", suite).detail == (
        "2025-03 (usually 3160, percent 27.68, may be 25); known: 2025-03 (usually 3160, percent 27.68, may be 25)"
    )


def test_faults_in_the_delivery_are_each_named(candidate: Settings) -> None:
    change(
        candidate,
        """
        update ops.load set totals = '{"2024-10": "many"}' where load_id = 1;
        update ops.load set is_synthetic = false, rows_loaded = 65, rows_quarantined = 1 where load_id = 2;
        """,
    )
    verdict = judge(candidate, only=["landing/mps/delivery", "landing/mps/reconciliation"])
    mixed = result(verdict, "real_and_synthetic_data_do_not_meet", "landing/mps/delivery")
    assert (mixed.blocks, mixed.detail) == (True, "borough_recent load 2")
    quarantined = result(verdict, "no_row_was_quarantined", "landing/mps/delivery")
    assert (quarantined.severity, quarantined.detail) == ("warning", "borough_recent load 2 (rows quarantined 1)")
    crashed = result(verdict, "every_month_adds_up_to_the_file", "landing/mps/reconciliation")
    assert (crashed.outcome, crashed.blocks, crashed.detail) == ("crashed", True, "InvalidTextRepresentation")


def test_a_newer_file_that_was_left_out_is_a_warning(candidate: Settings) -> None:
    change(
        candidate,
        """
        insert into ops.load (source, dataset, release_date, sha256, file_name, landed_path, bytes, landed_at, loaded_at,
            classification, first_period, last_period, rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
        values ('mps', 'borough_recent', '2025-11-01', 'c', 'c.csv', 'c', 1, '2025-11-02', '2025-11-02', 'connect_2025',
            '2024-12-01', '2025-10-01', 66, 66, 0, 'loaded', true)
        """,
    )
    verdict = judge(candidate)
    assert verdict.verdict == "warned"
    assert (
        result(verdict, "nothing_newer_was_left_out", "landing/mps/delivery").detail == "2025-10 borough_recent load 3"
    )


def test_what_went_into_the_candidate_must_be_judged(candidate: Settings) -> None:
    ours = ["landing/mps/delivery", "marts/dim_source", "marts/fct_measure"]
    change(
        candidate,
        f"""
        insert into ops.load (source, dataset, sha256, file_name, landed_path, bytes, landed_at, loaded_at,
            rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
        values ('parks', 'incidents', 'd', 'd.csv', 'd', 1, now(), now(), 1, 1, 0, 'loaded', true);
        insert into ops.candidate_load values ('{CANDIDATE}', 3);
        """,
    )
    verdict = judge(candidate, only=ours)
    of_source = result(verdict, "every_source_has_a_suite", "gate")
    assert (of_source.blocks, of_source.detail) == (True, "parks (add a suite to expectations/landing/parks/)")
    described = result(verdict, "every_dataset_that_went_in_is_described", "marts/dim_source")
    assert described.detail == "parks incidents (rows with terms 0)"
    change(candidate, "delete from ops.candidate_load")
    verdict = judge(candidate, only=ours)
    of_source = result(verdict, "every_source_has_a_suite", "gate")
    assert (of_source.blocks, of_source.detail) == (True, "the candidate was built from no load")
    assert result(verdict, "every_source_with_values_went_in_by_a_load").detail == "mps"
    assert [r.suite for r in verdict.results if r.suite.startswith("landing/")] == []


def test_a_load_that_was_superseded_after_the_build_holds_nothing_while_its_rows_stand(candidate: Settings) -> None:
    def stands(verdict: Verdict) -> bool:
        return not result(verdict, "every_load_of_the_candidate_stands_in_raw", "landing/mps/delivery").blocks

    change(candidate, "update ops.load set state = 'superseded', awaits_verdict = true where load_id = 1")
    verdict = judge(candidate)
    assert (verdict.verdict, stands(verdict)) == ("passed", True), verdict.reason
    change(candidate, "update ops.load set awaits_verdict = false where load_id = 1")
    assert not stands(judge(candidate, only=["landing/mps/delivery"]))
