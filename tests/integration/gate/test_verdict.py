"""A verdict is given on a candidate that stood still, recorded with every result, and written as pages; what does not run blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from expectations import data_docs, engine
from expectations.gate import Verdict
from expectations.suite import read_suites
from tests.refused import refused_with
from tests.small_candidate import CAMDEN, CANDIDATE, MARTS, MONTHS, change, check, judge, result
from warehouse.platform.connection import ADMIN, GATE, connect
from warehouse.platform.settings import Settings

THERE_ARE_32 = check("there_are_32", expectation="ExpectTableRowCountToEqual", arguments="{value: 32}")


def test_a_candidate_without_a_fault_passes_every_check(unchanged: tuple[Settings, Verdict]) -> None:
    _, verdict = unchanged
    assert [(r.suite, r.check, r.outcome, r.detail) for r in verdict.results if r.outcome != "passed"] == []
    assert verdict.verdict == "passed"


def test_the_verdict_and_every_result_are_recorded_for_the_candidate(unchanged: tuple[Settings, Verdict]) -> None:
    settings, verdict = unchanged
    with connect(settings, GATE) as connection:
        releases = connection.execute(
            """select release_id, candidate_id, verdict, verdict_reason, state, judged_at, published_at, code_version, data_kind
               from ops.release"""
        ).fetchall()
        results = connection.execute(
            "select suite, check_name, severity, outcome, unexpected_count, detail, checked_at from ops.quality_result order by 1, 2"
        ).fetchall()
    assert releases == [
        (
            verdict.release_id, CANDIDATE, "passed", f"all {len(verdict.results)} checks passed", "judged",
            verdict.judged_at, None, "v1", "synthetic",
        )
    ]  # fmt: skip
    assert results == sorted(
        (r.suite, r.check, r.severity, r.outcome, r.unexpected_count, r.detail, verdict.judged_at)
        for r in verdict.results
    )


def test_every_suite_of_what_the_candidate_uses_was_used(unchanged: tuple[Settings, Verdict]) -> None:
    _, verdict = unchanged
    used = {"borough_historical", "borough_recent", None}
    in_force = {
        suite.name
        for suite in read_suites()
        if (
            suite.kind == "landing"
            and suite.source == "mps"
            and suite.dataset in used
            and (not suite.datasets or used & {*suite.datasets})
        )
        or (suite.kind == "marts" and suite.target.removeprefix("candidate.") in MARTS)
    }
    assert {"landing/mps/delivery", "marts/fct_measure"} < in_force
    assert {r.suite for r in verdict.results} == {"gate", *in_force}


def test_no_connection_is_left_open(unchanged: tuple[Settings, Verdict]) -> None:
    settings, _ = unchanged
    with connect(settings, ADMIN) as connection:
        (left,) = connection.execute(
            "select count(*) from pg_stat_activity where usename = 'vru_gate' and datname = current_database()"
        ).fetchone() or (None,)
    assert left == 0


def test_nothing_is_printed_logged_or_written_beside_the_home(
    candidate: Settings, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(elsewhere))
    change(candidate, "update candidate.fct_measure set value = null where measure_code = 'mps_rape'")
    judge(candidate, with_pages=True)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert list(elsewhere.iterdir()) == []


def test_the_pages_of_the_verdict_say_suite_check_outcome_and_count_and_no_value(candidate: Settings) -> None:
    change(
        candidate,
        f"update candidate.fct_measure set numerator = -4711 where area_code = '{CAMDEN}' and measure_code = 'mps_rape'",
    )
    judge(candidate, only=["marts/fct_measure"], with_pages=True)
    (marts,) = (candidate.home / "quality").glob("validations/marts/*/*/*.html")
    text = marts.read_text()
    assert "release-1-blocked" in marts.parts
    assert "marts/fct_measure: every numerator is 0 or more (critical)" in text
    assert f"failed, {MONTHS} rows break it" in text
    assert "4711" not in text
    assert marts.name in data_docs.page(candidate.home).read_text()


def test_pages_that_cannot_be_written_stop_nothing(
    candidate: Settings, suites: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    (candidate.home / "quality.new").touch()  # a file where the folder is to be
    assert judge(candidate, suites=suites(THERE_ARE_32), with_pages=True).verdict == "passed"
    assert not data_docs.page(candidate.home).exists()
    assert "the pages of the verdict could not be written" in caplog.text


def test_a_candidate_nobody_built_is_refused_by_name(candidate: Settings) -> None:
    with refused_with("CANDIDATE_NOT_PUBLISHABLE", match="'c 9'"):
        judge(candidate, "c 9")


def test_a_candidate_that_is_replaced_while_it_is_judged_blocks(
    candidate: Settings, suites: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, run = suites(THERE_ARE_32), engine.run

    def meanwhile(statements: str) -> None:
        def replaced(*asked: Any) -> object:
            found = run(*asked)
            change(candidate, statements)
            return found

        monkeypatch.setattr(engine, "run", replaced)

    meanwhile("create table candidate.again as table candidate.dim_borough; drop table candidate.dim_borough;"
              "alter table candidate.again rename to dim_borough; alter table candidate.dim_borough owner to vru_transformer;"
              "grant select on candidate.dim_borough to vru_gate")  # fmt: skip
    verdict = judge(candidate, suites=folder)
    assert (verdict.verdict, verdict.reason) == (
        "blocked",
        "the_candidate_stood_still (gate) crashed: schema candidate was built again while it was being judged",
    )
    meanwhile(
        "insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind, begun_at)"
        " values ('c 2', 'f', 'v1', 'synthetic', '2025-11-11')"
    )
    assert judge(candidate, suites=folder).verdict == "blocked"
    monkeypatch.setattr(engine, "run", run)
    verdict = judge(candidate, suites=folder)
    assert verdict.reason == (
        "the_candidate_stood_still (gate) crashed: the newest candidate is c 2, so schema candidate no longer holds this one"
    )
    assert (
        judge(candidate, "c 2", suites=folder).reason
        == "the_candidate_stood_still (gate) crashed: its build has not come to an end"
    )
    with connect(candidate, GATE) as connection:
        states = connection.execute(
            "select candidate_id, verdict, state from ops.release order by release_id"
        ).fetchall()
    assert states == [(CANDIDATE, "blocked", "held")] * 3 + [("c 2", "blocked", "held")]


def test_an_answer_that_does_not_come_back_blocks(
    candidate: Settings, suites: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, run = suites(THERE_ARE_32), engine.run

    def forgetful(*asked: Any) -> object:
        found = run(*asked)
        del found["marts/dim_borough", "there_are_32"]
        return found

    monkeypatch.setattr(engine, "run", forgetful)
    verdict = judge(candidate, suites=folder)
    assert (verdict.verdict, verdict.reason) == (
        "blocked",
        "there_are_32 (marts/dim_borough) crashed: no answer came back",
    )

    def broken(*asked: Any) -> object:
        raise RuntimeError("Jo Bloggs")

    monkeypatch.setattr(engine, "run", broken)
    verdict = judge(candidate, suites=folder)
    assert verdict.verdict == "blocked"
    assert result(verdict, "every_check_was_run", "gate").detail == "Great Expectations did not run (RuntimeError)"


def test_the_results_are_written_before_the_verdict(candidate: Settings, suites: Callable[..., Path]) -> None:
    folder = suites(THERE_ARE_32)
    change(candidate, "revoke insert on ops.release from vru_gate")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        judge(candidate, suites=folder)
    with connect(candidate, GATE) as connection:
        written = connection.execute(
            "select suite, count(*) from ops.quality_result group by suite order by suite"
        ).fetchall()
        assert written == [("gate", 3), ("landing/mps/loads", 4), ("marts/dim_borough", 4)]
        assert connection.execute("select count(*) from ops.release").fetchone() == (0,)
