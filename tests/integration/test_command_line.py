"""`vru`: exit status 0 only on success, a sentence when not."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner

from expectations import data_docs
from expectations.suite import read_suites
from ingest.codes import registry
from tests.mps_files import borough_file
from warehouse import cli
from warehouse.exports.values import without_formula
from warehouse.platform import settings as home
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings

VRU = str(Path(sys.executable).with_name("vru"))


def environment(settings: Settings) -> dict[str, str]:
    assert settings.database_url is not None
    assert settings.airflow_database_url is not None
    return {
        "VRU_HOME": str(settings.home),
        "VRU_SECRETS_DIR": str(settings.secrets),
        "VRU_DATABASE_URL": settings.database_url.get_secret_value(),
        "VRU_AIRFLOW_DATABASE_URL": settings.airflow_database_url.get_secret_value(),
    }


def vru(settings: Settings, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in this home: in this process, or as a program of its own where the environment is more than the home's."""
    if more:
        result = subprocess.run(
            [VRU, *arguments],
            env={**os.environ, **environment(settings), **more},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    else:
        home.settings.cache_clear()
        try:
            done = CliRunner().invoke(cli.main, list(arguments), prog_name="vru", env=environment(settings))
        finally:
            home.settings.cache_clear()
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        result = subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)
    assert "Traceback" not in result.stderr, result.stderr
    return result


def code(result: subprocess.CompletedProcess[str]) -> str:
    """The code at the end of what a command that failed says, in one line."""
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    return result.stderr.removesuffix("]\n").rpartition("[")[2]


COMMANDS = [
    "airflow", "alerts", "build", "db", "down", "explain", "land", "loads", "nightly", "pack", "quality", "quarantine", "rebuild", "releases",
    "replay", "rollback", "setup", "site", "sources", "sql", "status", "up", "withdraw",
]  # fmt: skip


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "airflow"])
def test_every_command_has_help(command: str) -> None:
    result = CliRunner().invoke(cli.main, [command, "--help"], prog_name="vru")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: vru {command}")


@pytest.mark.parametrize(
    ("changed", "kind", "names"),
    [
        ({"VRU_HOEM": "x", "VRU_TODAY": "soon"}, "SETTINGS_INVALID", "VRU_HOEM is not a setting; VRU_TODAY"),
        ({"VRU_DATABASE_URL": "postgresql://nobody:wrong@127.0.0.1:1/vru"}, "WAREHOUSE_AWAY", "127.0.0.1:1/vru"),
        ({"VRU_SECRETS_DIR": "/nowhere/at/all"}, "PASSWORD_MISSING", "/nowhere/at/all"),
        ({"VRU_DATABASE_URL": "postgresql://u:p@127.0.0.1:99999/x"}, "SETTINGS_INVALID", "from 0 to 65535"),
        ({"VRU_BASE_URLS": '{"met": "http://127.0.0.1:1"}'}, "SETTINGS_INVALID", "VRU_BASE_URLS names 'met'"),
        ({"VRU_AIRFLOW_PORT": "70000"}, "SETTINGS_INVALID", "VRU_AIRFLOW_PORT"),
        ({"VRU_DATABASE_URL_FILE": sys.executable}, "SETTINGS_INVALID", "VRU_DATABASE_URL_FILE"),
    ],
)
def test_a_wrong_setting_is_a_sentence(warehouse: Settings, changed: dict[str, str], kind: str, names: str) -> None:
    result = vru(warehouse, "status", **changed)
    assert code(result) == kind
    assert names in result.stderr


def test_a_wrong_password_is_a_sentence(warehouse: Settings, tmp_path: Path) -> None:
    for role in warehouse.secrets.glob("vru_*"):
        (tmp_path / role.name).write_text("wrong")
    result = vru(warehouse, "sql", "select 1", VRU_SECRETS_DIR=str(tmp_path))
    assert code(result) == "WAREHOUSE_AWAY"
    assert 'password authentication failed for user "vru_analyst"' in result.stderr


def test_building_from_nothing_is_refused(warehouse: Settings) -> None:
    assert code(vru(warehouse, "build")) == "NOTHING_LOADED"


@pytest.mark.parametrize(
    ("arguments", "kind", "names"),
    [
        (
            ("land", "met", "borough_recent", "x.csv"),
            "NOT_DECLARED",
            "'met' is declared. Next: use one of fingertips, mhclg, mps",
        ),
        (
            ("land", "mps", "wards", "x.csv"),
            "NOT_DECLARED",
            "'wards'. Next: use one of borough_historical, borough_recent",
        ),
        (("land", "mps", "borough_recent", "absent.csv"), "FILE_NOT_THERE", "absent.csv"),
        (("rollback", "9"), "RELEASE_UNKNOWN", "9"),
        (("replay", "mps", "wards"), "NOT_DECLARED", "'wards'"),
        (("sql", "select * from raw.mps__borough_recent"), "SQL_INVALID", "mps__borough_recent"),
        (("sql", "selct 1"), "SQL_INVALID", "selct"),
        (("sql", "select nme from marts.publication"), "SQL_INVALID", "nme"),
        (("sql", "select 'x'::integer"), "SQL_INVALID", "integer"),
        (("nightly", "--sources", "mps,met"), "NOT_DECLARED", "'met'"),
    ],
)
def test_what_is_not_there_or_not_allowed_is_a_sentence(
    warehouse: Settings, arguments: tuple[str, ...], kind: str, names: str
) -> None:
    result = vru(warehouse, *arguments)
    assert code(result) == kind
    assert names in result.stderr


def test_a_command_that_fails_tells_a_program_the_code_as_json(warehouse: Settings) -> None:
    result = vru(warehouse, "sql", "select 1 from nowhere", "--json")
    assert code(result) == "SQL_INVALID"
    error = json.loads(result.stdout)["error"]
    assert list(error) == ["code", "problem", "where", "kept", "next_step", "runbook"]
    assert error["code"] == "SQL_INVALID"


def explain(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.main, ["explain", *arguments], prog_name="vru")
    return result.exit_code, result.output


def test_explain_prints_the_entry_of_a_code() -> None:
    status, output = explain("[header-unknown]", "--json")
    (entry,) = json.loads(output)
    assert (status, entry) == (0, registry()["HEADER_UNKNOWN"].model_dump())
    status, output = explain("HEADER_UNKNOWN")
    assert [line.split()[0] for line in output.splitlines() if not line.startswith(" ")] == list(entry)


def test_explain_without_a_code_lists_every_code() -> None:
    assert [row["code"] for row in json.loads(explain("--json")[1])] == list(registry())
    assert set(registry()) <= set(explain()[1].split())


def test_quality_says_where_the_pages_of_the_newest_verdict_are(warehouse: Settings) -> None:
    assert code(vru(warehouse, "quality")) == "NOTHING_LOADED"
    page = data_docs.page(warehouse.home)
    page.parent.mkdir()
    page.touch()
    assert vru(warehouse, "quality").stdout == f"{page}\n"


def test_explain_says_which_suites_have_a_check_of_the_gate() -> None:
    suite = next(suite for suite in read_suites() if suite.checks)
    found = json.loads(explain(suite.checks[0].name, "--json")[1])
    assert (suite.name, suite.checks[0].severity) in [(one["suite"], one["severity"]) for one in found]


def test_a_code_that_is_none_is_a_wrong_argument_and_names_the_nearest() -> None:
    status, output = explain("HEADR_UNKNOWN")
    assert status == 2
    assert "nearest: HEADER_UNKNOWN" in output


def test_a_refused_file_is_named_with_row_column_and_value_and_the_status_fails(
    warehouse: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "july.csv"
    file.write_bytes(borough_file("202601", "202602", cells={("RAPE", "Brent", "202602"): "3.5"}))
    result = vru(warehouse, "land", "mps", "borough_recent", str(file))
    assert code(result) == "VALUE_NOT_A_NUMBER"
    assert "file july.csv: row " in result.stderr
    assert "column 202602: '3.5'" in result.stderr
    (row,) = json.loads(vru(warehouse, "quarantine", "--json").stdout)
    assert (row["file_name"], row["column_name"], row["value"]) == ("july.csv", "202602", "3.5")
    assert row["code"] == "VALUE_NOT_A_NUMBER"
    (load,) = json.loads(vru(warehouse, "loads", "--json").stdout)
    assert (load["state"], load["code"]) == ("refused", "VALUE_NOT_A_NUMBER")
    status = json.loads(vru(warehouse, "status", "--json").stdout)
    assert {row["code"] for row in status["datasets"]} == {
        "NOTHING_LOADED"
    }  # a file landed by hand says nothing of its publisher


def test_a_refused_file_is_loaded_again_by_the_path_it_was_told_with_or_by_its_name(
    warehouse: Settings, tmp_path: Path
) -> None:
    good, bad = tmp_path / "june.csv", tmp_path / "july.csv"
    good.write_bytes(borough_file("202512", "202601"))
    bad.write_bytes(borough_file("202601", "202602", cells={("RAPE", "Brent", "202602"): "3.5"}))
    assert vru(warehouse, "land", "mps", "borough_recent", str(good)).returncode == 0
    refusal = vru(warehouse, "land", "mps", "borough_recent", str(bad)).stderr
    sha256 = hashlib.sha256(bad.read_bytes()).hexdigest()
    path = f"mps/borough_recent/{sha256}.csv"
    assert f"its bytes are in landing ({path})" in refusal
    assert path in vru(warehouse, "loads").stdout
    assert path in vru(warehouse, "quarantine").stdout
    found = json.loads(vru(warehouse, "loads", "--json").stdout)
    assert [(row["file_name"], row["state"]) for row in found] == [("june.csv", "loaded"), ("july.csv", "refused")]
    assert (found[1]["landed_path"], found[1]["sha256"]) == (path, sha256)

    # A range takes what was loaded, and says how to ask for the rest.
    replay = ("replay", "mps", "borough_recent")
    again = f"load it with `vru replay mps borough_recent --file {path}`"
    done = vru(warehouse, *replay, "--from", "2026-01-01")
    assert (done.returncode, done.stdout.splitlines()) == (
        0, ["loaded 1 files again, 1,188 rows", f"not taken, since it was refused: {again}"],
    )  # fmt: skip
    assert f"--file {path}`" in vru(warehouse, *replay, "--from", "2030-01-01").stderr
    for way in (path, "july.csv"):
        assert code(vru(warehouse, *replay, "--file", way)) == "VALUE_NOT_A_NUMBER"

    bad.write_bytes(borough_file("202601", "202602", cells={("RAPE", "Brent", "202602"): "4.5"}))
    assert vru(warehouse, "land", "mps", "borough_recent", str(bad)).returncode == 1
    two = vru(warehouse, *replay, "--file", "july.csv").stderr
    assert two.endswith("[LANDED_FILE_NOT_THERE]\n")
    assert path in two
    assert code(vru(warehouse, *replay, "--file", "may.csv")) == "LANDED_FILE_NOT_THERE"

    # What a person took back is left out of a range as well.
    (june,) = (row for row in json.loads(vru(warehouse, "loads", "--json").stdout) if row["state"] == "loaded")
    withdraw = ("withdraw", "mps", "borough_recent", str(june["load_id"]), "--by", "me", "--reason")
    assert code(vru(warehouse, *withdraw, "not ours \udcff")) == "OPTION_INVALID"
    assert vru(warehouse, *withdraw, "not ours").returncode == 0
    good.write_bytes(borough_file("202602", "202603"))
    assert vru(warehouse, "land", "mps", "borough_recent", str(good)).returncode == 0
    assert (
        f"not taken, since it was withdrawn: {june['landed_path']}; if it is to stand again, land it by hand with `vru land`"
        in vru(warehouse, *replay).stdout.splitlines()
    )


def test_a_refused_value_is_reported_as_it_was_published(warehouse: Settings, tmp_path: Path) -> None:
    file = tmp_path / "july.csv"
    file.write_bytes(borough_file("202601", "202602", cells={("RAPE", "Brent", "202602"): "1,234"}))
    assert vru(warehouse, "land", "mps", "borough_recent", str(file)).returncode == 1
    assert " 1,234 " in vru(warehouse, "quarantine").stdout


def test_a_table_without_its_schema_is_one_of_the_readers_own(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        connection.execute("alter role vru_analyst set search_path = nowhere")
    columns = {
        role: vru(warehouse, "sql", f"select * from {table} limit 0", "--role", role, "--csv").stdout.partition(",")[0]
        for role, table in (
            ("vru_analyst", "publication"),
            ("vru_open", "data_status"),
            ("vru_steward", "refused_row"),
            ("vru_auditor", "audit"),
        )
    }
    assert columns == {
        "vru_analyst": "release_id",
        "vru_open": "source",
        "vru_steward": "load_id",
        "vru_auditor": "audit_id",
    }
    assert vru(warehouse, "sql", "show search_path", "--role", "vru_loader", "--csv").stdout == "search_path\npublic\n"


def test_text_that_a_spreadsheet_would_run_is_exported_as_text(warehouse: Settings) -> None:
    result = vru(warehouse, "sql", "select '=1+1' as a, '@x' as b, -5 as c, 'plain' as d", "--csv")
    assert list(csv.reader(io.StringIO(result.stdout))) == [["a", "b", "c", "d"], ["'=1+1", "'@x", "-5", "plain"]]


def test_the_url_of_a_role_is_one_a_client_can_use(warehouse: Settings) -> None:
    url = vru(warehouse, "db", "url", "--role", "vru_analyst").stdout.strip()
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("select current_user")
            assert cursor.fetchone() == ("vru_analyst",)
    finally:
        connection.close()


@pytest.mark.parametrize(
    "text",
    [
        "=1", "+1", "-1", "@x", "\t1", "\n1", "\r1",
        " =1", "\xa0=1", "\u3000=1", "\ufeff=1", "\u200b=1", "\x0b=1", "\x00=1", "\u202e \u2066=1", "\ufe0f=1", "\u3164=1",
        "＝1", "﹦1", "﹢1", "﹣1", "﹫x", "⁼1", "₊1",
    ],
)  # fmt: skip
def test_text_that_a_spreadsheet_may_take_for_a_formula_is_marked_as_text(text: str) -> None:
    assert without_formula(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", " ", "1", "a=1", " a", "\u200b", "é", "e\u0301", -1, None])
def test_other_values_are_exported_as_they_are(value: object) -> None:
    assert without_formula(value) == value
