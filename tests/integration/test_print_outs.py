"""What commands print: lines of 120 columns, filters, JSON with numbers, a word for what was mistyped, and nothing where nobody reads."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.homes import Home
from tests.integration.test_command_line import VRU, code, environment, vru
from tests.integration.test_data_status import block, load, published
from tests.mps_files import borough_file
from warehouse import cli
from warehouse.cli import group, heartbeat, printing
from warehouse.platform import embedded
from warehouse.platform import settings as home_settings
from warehouse.platform.settings import Settings

NIGHT = ["status", "loads", "releases", "alerts", "sources", "explain", "quarantine"]


def asked(home: Home, *arguments: str) -> str:
    """What a command prints in a home that is not to be changed."""
    home_settings.settings.cache_clear()
    try:
        done = CliRunner().invoke(cli.main, list(arguments), prog_name="vru", env=home.environment)
    finally:
        home_settings.settings.cache_clear()
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("command", NIGHT)
def test_what_is_printed_fits_120_columns(first_night: Home, command: str) -> None:
    assert max(map(len, asked(first_night, command).splitlines())) <= printing.WIDTH


def test_loads_and_status_are_narrowed_by_source_state_and_day(first_night: Home) -> None:
    every = json.loads(asked(first_night, "loads", "--json"))
    of_one = json.loads(asked(first_night, "loads", "--source", "nomis", "--state", "loaded", "--json"))
    assert of_one == [row for row in every if (row["source"], row["state"]) == ("nomis", "loaded")] != []
    tomorrow = (first_night.today + dt.timedelta(days=1)).isoformat()
    assert json.loads(asked(first_night, "loads", "--since", first_night.today.isoformat(), "--json")) == every
    assert asked(first_night, "loads", "--since", tomorrow) == "no file is so\n"
    status = json.loads(asked(first_night, "status", "--source", "nomis", "--state", "fresh", "--json"))
    assert {row["source"] for row in status["datasets"]} == {"nomis"}
    assert {row["source"] for row in status["newest_changes"]} <= {"nomis"}


def test_a_held_release_is_a_banner_and_the_datasets_that_caused_it(warehouse: Settings) -> None:
    loads = published(warehouse)
    loads["mps borough_recent"] = load(warehouse, "mps borough_recent")
    block(warehouse, list(loads.values()), *[("landing/mps/delivery", f"claim_{number}") for number in range(9)])
    lines = vru(warehouse, "status").stdout.splitlines()
    assert lines[0].startswith("HELD: release 2 since ")
    assert lines[0].endswith(": 9 critical checks failed; the marts stand as they were [GATE_HELD]")
    assert lines[1].strip() == "over mps borough_recent"
    assert [line.split()[0] for line in lines[2:7]] == [f"claim_{number}" for number in range(5)]
    assert (
        lines[7].strip() == "and 4 more; `vru quality` has each in full; docs/runbook.md, section 'A release is held'"
    )
    assert max(map(len, lines)) <= printing.WIDTH
    # Below, a line a dataset, and why of the one: no dataset repeats what the gate found.
    assert [line.split()[1] for line in lines if line.endswith(" held")] == ["borough_recent"]
    assert "Camden 2025-01, Camden" not in "".join(lines[8:])
    assert len(json.loads(vru(warehouse, "status", "--json").stdout)["failed_checks"]) == 9


def test_what_fails_names_the_section_of_the_runbook_before_its_code(warehouse: Settings, tmp_path: Path) -> None:
    file = tmp_path / "july.csv"
    file.write_bytes(borough_file("202601", "202602").replace(b"BoroughName", b"Ward", 1))
    result = vru(warehouse, "land", "mps", "borough_recent", str(file))
    assert code(result) == "HEADER_UNKNOWN"
    assert result.stderr.endswith(
        "More: docs/runbook.md, section 'A publisher has changed its file'. [HEADER_UNKNOWN]\n"
    )
    assert group.with_section("It is so. [CODE]", "CODE", "") == "It is so. [CODE]"


def test_several_statements_are_refused_and_none_of_them_is_run(warehouse: Settings) -> None:
    two = vru(warehouse, "sql", "create temporary table t (i int); select 1", "--role", "vru_publisher")
    assert code(two) == "OPTION_INVALID"
    assert vru(warehouse, "sql", "select 1 as one;", "--csv").stdout == "one\n1\n"


@pytest.mark.parametrize("asked_for", ["marts.data_sttus", "data_sttus", "mart.data_status"])
def test_a_mistyped_table_is_told_with_the_nearest(warehouse: Settings, asked_for: str) -> None:
    result = vru(warehouse, "sql", f"select * from {asked_for}")
    assert code(result) == "SQL_INVALID"
    assert f'"{asked_for}" does not exist; nearest: marts.data_status' in result.stderr


def test_numbers_are_numbers_in_json_and_no_column_is_lost(warehouse: Settings) -> None:
    query = "select 1.50::numeric as a, 2::numeric as b, 'NaN'::float8 as c, date '2026-01-01' as d, 3 as a, true as e"
    assert json.loads(vru(warehouse, "sql", query, "--json").stdout) == [
        {"a": 1.5, "b": 2, "c": None, "d": "2026-01-01", "a_5": 3, "e": True}
    ]


@pytest.mark.parametrize("arguments", [("sources",), ("explain", "--json")])
def test_a_reader_who_has_gone_is_no_failure_to_tell_of(warehouse: Settings, arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [VRU, *arguments],
        env={**os.environ, **environment(warehouse)},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert result.stderr == b""


@pytest.mark.parametrize(
    "command", [("status",), ("loads",), ("sql", "select 1"), ("quarantine",), ("alerts",), ("watch",)]
)
def test_a_command_that_looks_makes_no_folder(tmp_path: Path, command: tuple[str, ...]) -> None:
    nowhere = Home(tmp_path / "home", dt.date(2026, 11, 22))
    home_settings.settings.cache_clear()
    try:
        done = CliRunner().invoke(cli.main, list(command), prog_name="vru", env=nowhere.environment)
    finally:
        home_settings.settings.cache_clear()
    assert (done.exit_code, done.stderr.rpartition("[")[2]) == (1, "HOME_NOT_SET_UP]\n")
    assert not nowhere.folder.exists()


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Home]:
    """A home whose server is stopped, as far as anyone can see without starting it."""
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18\n")
    yield Home(tmp_path, dt.date(2026, 11, 22))
    home_settings.settings.cache_clear()


@pytest.mark.parametrize("command", [("status",), ("loads",), ("sql", "select 1"), ("releases",), ("db", "url")])
def test_a_command_that_looks_starts_no_server(
    stopped: Home, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_start", lambda data: pytest.fail("a server was started"))
    home_settings.settings.cache_clear()
    done = CliRunner().invoke(cli.main, list(command), prog_name="vru", env=stopped.environment)
    assert (done.exit_code, done.stderr.rpartition("[")[2]) == (1, "WAREHOUSE_AWAY]\n")
    assert "the PostgreSQL server of this home is stopped" in done.stderr
    assert sorted(one.name for one in stopped.folder.iterdir()) == ["postgres"]


def test_a_command_that_is_silent_says_that_it_goes_on_to_a_person_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(heartbeat, "SECONDS", 0.3)
    with heartbeat.beating("vru sql"):
        threading.Event().wait(1.2)
    assert capsys.readouterr().err == "", "a program reads it"
    told: list[str] = []
    with heartbeat.beating("vru build", told.append):
        threading.Event().wait(1.2)
    assert set(told) <= {"vru build goes on (0:00)", "vru build goes on (0:01)"} != set()


def test_every_command_that_comes_to_something_has_json() -> None:
    commands = {**cli.main.commands, **cli.dashboards.bi_group.commands}
    without = {
        name
        for name, command in commands.items()
        if "as_json" not in {parameter.name for parameter in command.params} and command is not cli.dashboards.bi_group
    }
    assert without <= {"access", "airflow", "db", "unit"}
