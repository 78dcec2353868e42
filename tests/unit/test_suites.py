"""Suites are read strictly, and an answer of Great Expectations is read for what it means."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from expectations import engine
from expectations.answers import Observation, read_answer
from expectations.gate import decide
from expectations.scope import Result
from expectations.suite import SUITES, read_suite, read_suites
from tests.refused import refused_with
from warehouse.platform.settings import Settings

GOOD = """
describes: The boroughs.
target: candidate.dim_borough
minimum_checks: 1
definitions:
  borough: select * from {batch}
checks:
  - name: there_are_32
    severity: critical
    expectation: ExpectTableRowCountToEqual
    arguments: {value: 32}
  - name: all_have_names
    severity: warning
    unexpected_rows: select borough_code as area_code from borough where borough_name is null
"""


def written(tmp_path: Path, text: str, where: str = "marts/dim_borough.yml") -> Path:
    file = tmp_path / where
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_suite_is_named_by_its_place(tmp_path: Path) -> None:
    suite = read_suite(written(tmp_path, GOOD), tmp_path)
    assert (suite.name, suite.kind, suite.source, [c.name for c in suite.checks]) == (
        "marts/dim_borough",
        "marts",
        None,
        ["there_are_32", "all_have_names"],
    )
    landing = read_suite(written(tmp_path, GOOD, "landing/mps/boroughs.yml"), tmp_path)
    assert (landing.name, landing.kind, landing.source) == ("landing/mps/boroughs", "landing", "mps")


def test_the_definitions_a_query_uses_stand_before_it_and_the_table_in_it(tmp_path: Path) -> None:
    text = GOOD.replace("definitions:", "definitions:\n  unused: select * from borough")
    suite = read_suite(written(tmp_path, text), tmp_path)
    assert suite.query(suite.checks[1].unexpected_rows or "") == (
        "with borough as (select * from candidate.dim_borough)\n"
        "select borough_code as area_code from borough where borough_name is null"
    )


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("describes", "desribes", "desribes: Extra inputs are not permitted"),
        ("    severity: warning", "    severety: warning", "checks.1.severety: Extra inputs are not permitted"),
        ("severity: warning", "severity: minor", "checks.1.severity: Input should be 'critical' or 'warning'"),
        ("minimum_checks: 1", "minimum_checks: 0", "minimum_checks: Input should be greater than 0"),
        ("minimum_checks: 1\n", "", "minimum_checks: Field required"),
        ("all_have_names", "there_are_32", "checks: the name there_are_32 stands 2 times"),
        ("all_have_names", "All have names", "checks.1.name: must be a claim in lower_snake_case"),
        ("target: candidate.dim_borough", "target: candidate.dim_area", "target: is candidate.dim_area and must be candidate.dim_borough"),
        ("candidate.dim_borough", "Candidate.Dim", "target: must be schema.table in lower case"),
        ("minimum_checks: 1", "minimum_checks: 1\nminimum_checks: 2", "the key 'minimum_checks' stands twice"),
        ("minimum_checks: 1", "minimum_checks: 1\nname: other", "name: a suite is named by its file"),
        ("ExpectTableRow", "ExpctTableRow", "checks.0.expectation: String should match pattern"),
        ("{value: 32}", "{value: 32, severity: warning}", "there_are_32: severity cannot be an argument"),
        ("    expectation: ExpectTableRowCountToEqual\n", "", "there_are_32: give either expectation or unexpected_rows"),
        ("select borough_code as", "delete borough_code as", "checks.1.unexpected_rows: must begin with select"),
        ("is null", "is null; drop table x", "checks.1.unexpected_rows: must be one statement without a semicolon"),
        ("is null", "= :name", "checks.1.unexpected_rows: holds a colon before a letter"),
        ("is null", "~ 'a{{2}}'", "checks.1.unexpected_rows: holds a brace that is not {batch}"),
        ("select * from {batch}", "select 1", "checks.all_have_names: must read {batch}, the table of the suite"),
        ("minimum_checks: 1", "minimum_checks: 1\ndataset: x", "dataset: belongs to a landing suite"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_by_file_and_key(tmp_path: Path, before: str, after: str, problem: str) -> None:
    assert before in GOOD
    file = written(tmp_path, GOOD.replace(before, after))
    with refused_with("SUITE_INVALID") as refused:
        read_suite(file, tmp_path)
    assert str(file) in str(refused.value)
    assert problem in str(refused.value)


TEMPLATE = """
describes: What {publisher} delivered.
target: ops.load
minimum_checks: 1
definitions:
  used: select * from {batch} where source = '{source}'
checks:
  - name: there_is_one
    severity: critical
    unexpected_rows: select 1 as found where not exists (select 1 from used)
"""
FROM_TEMPLATE = """
template: delivery
with: {publisher: NOMIS}
minimum_checks: 2
definitions:
  newest: select max(release_date) as day from used
checks:
  - name: it_is_of_this_year
    severity: warning
    unexpected_rows: select day as month from newest where day < date '2026-01-01'
"""


def test_a_suite_says_what_its_template_says_and_more(tmp_path: Path) -> None:
    written(tmp_path, TEMPLATE, "templates/delivery.yml")
    suite = read_suite(written(tmp_path, FROM_TEMPLATE, "landing/nomis/delivery.yml"), tmp_path)
    assert (suite.describes, suite.target, suite.minimum_checks) == ("What NOMIS delivered.", "ops.load", 2)
    assert [check.name for check in suite.checks] == ["there_is_one", "it_is_of_this_year"]
    assert suite.query(suite.checks[1].unexpected_rows or "") == (
        "with used as (select * from ops.load where source = 'nomis'),\n"
        "newest as (select max(release_date) as day from used)\n"
        "select day as month from newest where day < date '2026-01-01'"
    )


@pytest.mark.parametrize(
    ("template", "suite", "problem"),
    [
        (TEMPLATE, FROM_TEMPLATE.replace("template: delivery", "template: another"), "template: there is no "),
        (TEMPLATE, FROM_TEMPLATE.replace("{publisher: NOMIS}", "NOMIS"), "with: must hold parameters by name"),
        (TEMPLATE, FROM_TEMPLATE.replace("  newest:", "  - newest"), "definitions are by name and checks are a list"),
        (
            TEMPLATE.replace("'{source}'", "'{sauce}'"),
            FROM_TEMPLATE,
            "definitions.used: holds a brace that is not {batch}",
        ),
    ],
)
def test_a_template_that_is_not_there_or_not_filled_in_is_refused(
    tmp_path: Path, template: str, suite: str, problem: str
) -> None:
    written(tmp_path, template, "templates/delivery.yml")
    with refused_with("SUITE_INVALID") as refused:
        read_suite(written(tmp_path, suite, "landing/nomis/delivery.yml"), tmp_path)
    assert problem in str(refused.value)


def test_a_set_of_values_goes_by_its_name(tmp_path: Path) -> None:
    wanted = "expectation: ExpectColumnDistinctValuesToEqualSet\n    arguments: {column: borough_code, value_set: the_32_boroughs}"
    text = GOOD.replace("expectation: ExpectTableRowCountToEqual\n    arguments: {value: 32}", wanted)
    values = read_suite(written(tmp_path, text), tmp_path).checks[0].arguments_in_full["value_set"]
    assert (len(values), values[0], values[-1]) == (32, "E09000002", "E09000033")
    with refused_with("SUITE_INVALID", match="the_33_boroughs"):
        read_suite(written(tmp_path, text.replace("the_32", "the_33")), tmp_path)


def test_a_landing_suite_stands_under_its_source_and_dataset(tmp_path: Path) -> None:
    with refused_with("SUITE_INVALID", match="landing/<source>/"):
        read_suite(written(tmp_path, GOOD, "landing/boroughs.yml"), tmp_path)
    text = GOOD.replace("minimum_checks: 1", "minimum_checks: 1\ndataset: borough_recent")
    with refused_with("SUITE_INVALID", match="dataset: .*'borough_recent' .* 'boroughs'"):
        read_suite(written(tmp_path, text, "landing/mps/boroughs.yml"), tmp_path)


def test_a_home_of_one_source_is_not_held_for_what_its_files_can_never_fill() -> None:
    # Twelve months of the City of London Police alone: no measure of them has a rate, and London's total is 0 in each.
    suites = {suite.target.removeprefix("candidate."): suite for suite in read_suites() if suite.kind == "marts"}
    assert suites["rpt_sna_facts"].may_be_empty_because
    assert suites["fct_indicator"].may_be_empty_because
    for view in ("rpt_borough_month", "rpt_borough_measure"):
        assert "share_of_london_percent" in suites[view].may_be_all_null


def test_every_suite_of_the_warehouse_is_readable_and_none_is_overlooked() -> None:
    files = {file.relative_to(SUITES).with_suffix("").as_posix() for file in SUITES.rglob("*.y*ml")}
    assert {suite.name for suite in read_suites()} == {name for name in files if not name.startswith("templates/")}
    assert [s.name for s in read_suites() if len(s.checks) != s.minimum_checks] == []


FINE = {"raised_exception": False, "exception_traceback": None, "exception_message": None}
BROKEN = {"raised_exception": True, "exception_traceback": "…", "exception_message": "Jo Bloggs was here"}
WITHHELD = "the error's text is withheld, it may quote a row"


@pytest.mark.parametrize(
    ("kind", "success", "result", "exception", "expected"),
    [
        ("rows_that_break_it", True, {"observed_value": 0}, FINE, Observation("passed", 0)),
        ("rows_that_break_it", False, {"observed_value": 7}, FINE, Observation("failed", 7)),
        ("rows_that_break_it", True, {"observed_value": 7}, FINE, Observation("crashed", None, "it came back with a count that is none")),
        ("rows_that_break_it", True, {"observed_value": None}, FINE, Observation("crashed", None, "it came back without an observed value")),
        ("rows_that_break_it", True, {"observed_value": 0}, BROKEN, Observation("crashed", None, WITHHELD)),
        ("rows_that_break_it", False, {}, {"a metric": BROKEN}, Observation("crashed", None, WITHHELD)),
        ("expect_x", True, {}, FINE, Observation("crashed", None, "it came back without figures")),
        ("expect_x", None, {"observed_value": 1}, FINE, Observation("crashed", None, "it came back neither passed nor failed")),
        ("expect_x", True, {"observed_value": float("nan")}, FINE,
         Observation("crashed", None, "it came back with a figure that is not a number")),
        ("expect_x", False, {"observed_value": 3}, FINE, Observation("failed", None, "found 3")),
        ("expect_x", True, {"element_count": 0, "unexpected_count": 0}, FINE, Observation("failed", None, "there was no value to check")),
        ("expect_x", True, {"element_count": 4, "missing_count": 4, "unexpected_count": 0}, FINE,
         Observation("failed", None, "there was no value to check")),
        ("expect_x", True, {"element_count": 4, "missing_count": 1, "unexpected_count": 0}, FINE, Observation("passed", 0)),
        ("expect_x", True, {"element_count": 4, "missing_count": 1}, FINE, Observation("crashed", None, "it came back without a count")),
        ("expect_x", True, {"observed_value": None, "missing_count": 1}, FINE,
         Observation("crashed", None, "it came back with counts that contradict it")),
    ],
)  # fmt: skip
def test_an_answer_is_read_for_what_it_means(
    kind: str, success: object, result: object, exception: object, expected: Observation
) -> None:
    assert read_answer(kind, success, result, exception) == expected


def found(outcome: str, severity: str = "critical", check: str = "a_check", detail: str = "") -> Result:
    return Result("marts/x", check, severity, outcome, None, detail)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("results", "verdict", "reason"),
    [
        ([], "blocked", "nothing was checked"),
        ([found("passed"), found("passed", "warning")], "passed", "all 2 checks passed"),
        ([found("passed"), found("failed", "warning", detail="Camden 2025-10")], "warned", "a_check (marts/x) warned: Camden 2025-10"),
        ([found("failed", "warning", "w"), found("failed", detail="here")], "blocked", "a_check (marts/x) failed: here; w (marts/x) warned"),
        ([found("crashed", "warning")], "blocked", "a_check (marts/x) crashed"),
    ],
)  # fmt: skip
def test_the_verdict_is_ours(results: list[Result], verdict: str, reason: str) -> None:
    assert decide(results) == (verdict, reason)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("/tmp/a b/socket", {"host": "/tmp/a b/socket", "sslmode": "require"}),
        ("db.example.org", {"host": "db.example.org", "sslmode": "require"}),
    ],
)
def test_the_url_carries_host_password_and_session_whole(
    monkeypatch: pytest.MonkeyPatch, host: str, expected: dict[str, str]
) -> None:
    found = {
        "host": host,
        "port": "5433",
        "dbname": "vru",
        "user": "vru_gate",
        "password": "p@:/$${x}%",
        "sslmode": "require",
    }
    monkeypatch.setattr(engine, "parameters", lambda settings, role: dict(found))
    url = make_url(engine.connection_url(Settings(today=dt.date(2025, 11, 10)), "c 1\\"))
    assert "$" not in url.render_as_string(hide_password=False)
    _, arguments = url.get_dialect()().create_connect_args(url)
    assert (arguments["user"], arguments["password"], arguments["dbname"], str(arguments["port"])) == (
        "vru_gate", "p@:/$${x}%", "vru", "5433",
    )  # fmt: skip
    assert {key: arguments[key] for key in expected} == expected
    assert "-c vru.candidate_id=c\\ 1\\\\ -c default_transaction_read_only=on " in arguments["options"]
    assert arguments["options"].endswith("-c vru.today=2025-11-10")
