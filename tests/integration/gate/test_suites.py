"""The gate reads its suites strictly: a suite cut short, a check that cannot be run and a figure with text in it block, and no value of a row leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.small_candidate import as_role, change, check, judge, not_passed, result
from warehouse.platform.connection import GATE, TRANSFORMER, connect
from warehouse.platform.settings import Settings


def test_an_empty_suite_a_suite_cut_short_and_no_suites_at_all_block(
    candidate: Settings, suites: Callable[..., Path], tmp_path: Path
) -> None:
    there_are_32 = check("there_are_32", expectation="ExpectTableRowCountToEqual", arguments="{value: 32}")
    assert judge(candidate, suites=suites(there_are_32)).verdict == "passed"
    verdict = judge(candidate, suites=suites(there_are_32, minimum=2))
    assert verdict.reason == "the_suite_is_whole (marts/dim_borough) failed: it holds 1 checks and must hold 2"
    verdict = judge(candidate, suites=suites("  []"))
    assert verdict.reason == "the_suite_is_whole (marts/dim_borough) failed: it holds 0 checks and must hold 1"
    empty = tmp_path / "nothing"
    empty.mkdir()
    verdict = judge(candidate, suites=empty)
    assert verdict.verdict == "blocked"
    assert not_passed(verdict) == [
        ("gate", "every_mart_has_a_suite", "failed"),
        ("gate", "every_source_has_a_suite", "failed"),
    ]


def test_a_suite_that_cannot_be_read_blocks_by_file_and_key(candidate: Settings, suites: Callable[..., Path]) -> None:
    folder = suites(check("there_are_32", expectation="ExpectTableRowCountToEqual", argumnets="{value: 32}"))
    verdict = judge(candidate, suites=folder)
    assert verdict.verdict == "blocked"
    assert f"{folder}/marts/dim_borough.yml: is not a valid suite: checks.0.argumnets" in verdict.reason


def test_great_expectations_own_word_is_not_taken_for_it(candidate: Settings, suites: Callable[..., Path]) -> None:
    change(
        candidate,
        """
        alter table candidate.dim_borough add column nothing text, add column number double precision;
        update candidate.dim_borough set number = case borough_code when 'E09000007' then double precision 'NaN' else 1 end;
        """,
    )
    folder = suites(
        check("nothing_is_in_a_set", "warning", expectation="ExpectColumnValuesToBeInSet",
              arguments="{column: nothing, value_set: [a]}")
        + check("a_missing_column_is_bounded", "warning", expectation="ExpectColumnValuesToBeBetween",
                arguments="{column: absent, min_value: 0}")
        + check("a_mean_that_is_no_number", "warning", expectation="ExpectColumnMeanToBeBetween",
                arguments="{column: number, min_value: 0}")
        + check("a_query_that_does_not_parse", "warning", unexpected_rows='"select 1 from {batch} where where x"')
        + check("a_query_that_stumbles_on_a_value", "warning",
                unexpected_rows='"select 1 from {batch} where borough_name::integer > 0"')
        + check("an_expectation_nobody_knows", "warning", expectation="ExpectTheBest")
        + check("an_argument_nobody_knows", "warning", expectation="ExpectTableRowCountToEqual", arguments="{valu: 32}")
        + check("a_warning", "warning", expectation="ExpectTableRowCountToEqual", arguments="{value: 33}")
        + check("a_set_that_lacks_one", "warning", expectation="ExpectColumnDistinctValuesToContainSet",
                arguments="{column: borough_name, value_set: [Camden, Atlantis]}")
        + check("a_name_in_a_set", "warning", expectation="ExpectColumnValuesToBeInSet",
                arguments="{column: borough_name, value_set: [Camden]}")
    )  # fmt: skip
    verdict = judge(candidate, suites=folder)
    found = {
        r.check: (r.outcome, r.detail)
        for r in verdict.results
        if r.suite == "marts/dim_borough" and r.outcome != "passed"
    }
    unknown_argument = found.pop("an_argument_nobody_knows")
    assert unknown_argument[0] == "crashed"
    assert unknown_argument[1].startswith("ValidationError: ")
    assert found == {
        "no_column_is_all_null": ("failed", "nothing"),
        "nothing_is_in_a_set": ("failed", "there was no value to check"),
        "a_missing_column_is_bounded": ("crashed", 'The column "absent" in BatchData does not exist'),
        "a_mean_that_is_no_number": ("crashed", "it came back without an observed value"),
        "a_query_that_does_not_parse": ("crashed", 'SyntaxError: syntax error at or near "where"'),
        "a_query_that_stumbles_on_a_value": ("crashed", "InvalidTextRepresentation"),
        "an_expectation_nobody_knows": ("crashed", "LookupError: Great Expectations has no ExpectTheBest"),
        "a_warning": ("failed", "found 32"),
        "a_set_that_lacks_one": ("failed", "1 values missing, 0 not expected"),
        "a_name_in_a_set": ("failed", "31 of 32 rows"),
    }
    # Each is only a warning; those that crashed block all the same.
    assert verdict.verdict == "blocked"
    assert {r.check for r in verdict.results if r.blocks} == {
        "no_column_is_all_null", "a_missing_column_is_bounded", "a_mean_that_is_no_number", "a_query_that_does_not_parse",
        "a_query_that_stumbles_on_a_value", "an_expectation_nobody_knows", "an_argument_nobody_knows",
    }  # fmt: skip


def test_only_areas_months_and_numbers_of_a_row_reach_the_ledger(
    candidate: Settings, suites: Callable[..., Path]
) -> None:
    change(candidate, "alter table candidate.dim_borough add column victim text default 'Jo Bloggs'")
    folder = suites(
        check(
            "nobody_is_named",
            unexpected_rows="\"select borough_code as area_code, victim, 3 as found from {batch} where victim <> ''\"",
        )
    )
    verdict = judge(candidate, suites=folder)
    detail = result(verdict, "nobody_is_named", "marts/dim_borough").detail
    assert detail.startswith("E09000002 (found 3), E09000003 (found 3), ")
    assert detail.endswith(", E09000033 (found 3)")
    with connect(candidate, GATE) as connection:
        stored = connection.execute("select string_agg(q::text, '') from ops.quality_result as q").fetchone()
        verdicts = connection.execute("select string_agg(r::text, '') from ops.release as r").fetchone()
    assert "Bloggs" not in f"{stored}{verdicts}{verdict}"


def test_a_figure_with_text_or_without_a_number_is_none(candidate: Settings, suites: Callable[..., Path]) -> None:
    change(candidate, "alter table candidate.dim_borough add column victim text default 'Jo Bloggs'")
    folder = suites(
        check("text_leaves", of="people", expectation="ExpectColumnValuesToNotBeNull", arguments="{column: victim}")
        + check("a_number_is_none", of="nans", expectation="ExpectColumnValuesToBeBetween", arguments="{column: n, max_value: 1}")
        + check("it_stands", of="gone", expectation="ExpectColumnValuesToBeBetween", arguments="{column: n, max_value: 1}")
        + check("two_are_equal", of="pairs", expectation="ExpectColumnPairValuesToBeEqual", arguments="{column_A: n, column_B: m}")
    )  # fmt: skip
    file = folder / "marts" / "dim_borough.yml"
    file.write_text(
        file.read_text()
        + "definitions:\n  people: select victim from {batch}\n  nans: select 'NaN'::numeric as n\n  gone: select n from nowhere\n"
        + "  pairs: select v.area_code, v.n, v.m from (values ('E09000007', 1, 1), ('E09000003', 2, null)) as v (area_code, n, m)\n"
    )
    verdict = judge(candidate, suites=folder)
    found = {
        r.check: (r.outcome, r.detail)
        for r in verdict.results
        if r.outcome != "passed" and r.suite == "marts/dim_borough"
    }
    assert found == {
        "text_leaves": ("crashed", "a figure holds areas, months, measures and numbers, and victim is none of these"),
        "a_number_is_none": ("crashed", "it holds a figure that is not a number"),
        "it_stands": ("crashed", 'UndefinedTable: relation "nowhere" does not exist'),
        "two_are_equal": ("failed", "E09000003 (n 2, m missing)"),
    }
    assert verdict.verdict == "blocked"


def test_checks_cannot_write(candidate: Settings, suites: Callable[..., Path]) -> None:
    change(candidate, "grant all on sequence ops.release_release_id_seq to vru_gate")
    folder = suites(
        check("it_writes", unexpected_rows="\"select 1 from {batch} where nextval('ops.release_release_id_seq') < 0\"")
    )
    found = result(judge(candidate, suites=folder), "it_writes", "marts/dim_borough")
    assert (found.outcome, found.detail) == ("crashed", "ReadOnlySqlTransaction")


def test_a_mart_that_a_dataset_fills_may_be_empty_without_it_and_is_judged_with_it(
    candidate: Settings, suites: Callable[..., Path]
) -> None:
    for dataset, outcomes in (("safestats.ambulance_borough", set()), ("mps.borough_recent", {"failed"})):
        as_role(
            candidate,
            TRANSFORMER,
            "drop table if exists candidate.rpt_few; create table candidate.rpt_few (area_code text)",
        )
        folder = suites(check("it_is_judged", unexpected_rows='"select 1 as n from {batch}"'))
        text = (folder / "marts" / "dim_borough.yml").read_text().replace("dim_borough", "rpt_few")
        (folder / "marts" / "rpt_few.yml").write_text(text + f"rows_come_from: [{dataset}]\n")
        found = judge(candidate, suites=folder).results
        assert {r.outcome for r in found if (r.suite, r.check) == ("marts/rpt_few", "the_table_has_rows")} == outcomes


def test_a_mart_that_may_be_empty_may_not_once_it_was_published_with_rows(
    candidate: Settings, suites: Callable[..., Path]
) -> None:
    as_role(
        candidate,
        TRANSFORMER,
        "drop table if exists candidate.rpt_few; create table candidate.rpt_few (area_code text)",
    )
    folder = suites(check("it_is_judged", unexpected_rows='"select 1 as n from {batch}"'))
    text = (folder / "marts" / "dim_borough.yml").read_text().replace("dim_borough", "rpt_few")
    (folder / "marts" / "rpt_few.yml").write_text(text + "may_be_empty_because: few ask for it\n")

    def outcomes() -> set[str]:
        found = judge(candidate, suites=folder).results
        return {r.outcome for r in found if (r.suite, r.check) == ("marts/rpt_few", "the_table_has_rows")}

    assert outcomes() == set()
    change(
        candidate,
        """create table marts.rpt_few (area_code text); insert into marts.rpt_few values ('E09000002');
           grant select on marts.rpt_few to vru_gate""",
    )
    assert outcomes() == {"failed"}
    change(candidate, "drop table marts.rpt_few")
