"""What a nightly run does when something goes wrong: Airflow really runs the DAG, with steps that do as they are told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from warehouse.airflow import environment
from warehouse.airflow.program import EXECUTION_API

PROGRAM = Path(__file__).with_name("run_scenarios.py")
SCENARIOS: dict[str, dict[str, Any]] = {
    "well": {},
    "nothing new": {"build": "nothing"},
    "a file refused": {"load.mps.borough_historical": "refused"},
    "a publisher away": {"fetch.mps.borough_historical": "unavailable"},
    "a publisher away for a moment": {"fetch.mps.borough_historical": "unavailable once"},
    "a body refused": {"fetch.mps.borough_historical": "refused"},
    "a mistake of ours": {"fetch.mps.borough_historical": "broken"},
    "held": {"gate": "refused"},
    "not begun": {"begin": "refused"},
    "nothing to load": {"load.mps.borough_recent": "nothing loaded"},
    "rolled back": {"publish": "rolled back"},
    "one source": {"conf": {"sources": ["other"]}},
    "an unknown source": {"conf": {"sources": ["parks"]}},
}


@pytest.fixture(scope="module")
def runs(server: Server) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), json.dumps(SCENARIOS)],
        env=environment(server.settings) | {EXECUTION_API: ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _states(run: dict[str, Any]) -> dict[str, str]:
    return {task_id: state for task_id, (state, _) in run["tasks"].items()}


def _tries(run: dict[str, Any], task_id: str) -> int:
    return int(run["tasks"][task_id][1])


def test_a_run_in_which_all_goes_well_calls_every_step_once_and_is_green(runs: dict[str, Any]) -> None:
    run = runs["well"]
    assert run["state"] == "success"
    assert _states(run).pop("watcher") == "skipped"
    called = [tuple(call[:3]) for call in run["called"] if call[0] in {"fetch", "load"}]
    assert sorted(called) == sorted(
        (verb, source, dataset)
        for verb in ("fetch", "load")
        for source in ("mps", "other")
        for dataset in ("borough_historical", "borough_recent")
    )
    rest = [call for call in run["called"] if call[0] not in {"fetch", "load"}]
    assert rest == [["begin", None, None], ["build"], ["gate", "candidate"], ["publish", "candidate"], ["notify", []]]


def test_a_source_is_loaded_in_its_declared_order_with_what_was_fetched(runs: dict[str, Any]) -> None:
    loads = [call for call in runs["well"]["called"] if call[:2] == ["load", "mps"]]
    assert loads == [
        ["load", "mps", "borough_historical", ["a/b/c.csv"]],
        ["load", "mps", "borough_recent", ["a/b/c.csv"]],
    ]


def test_a_night_with_nothing_new_is_green_and_publishes_nothing(runs: dict[str, Any]) -> None:
    run = runs["nothing new"]
    assert run["state"] == "success"
    states = _states(run)
    assert (states["transform"], states["gate"], states["publish"]) == ("success", "skipped", "skipped")
    assert [call[0] for call in run["called"]][-2:] == ["build", "notify"]


@pytest.mark.parametrize(
    ("name", "task_id"),
    [
        ("a file refused", "mps.load_borough_historical"),
        ("a publisher away", "mps.fetch_borough_historical"),
        ("a body refused", "mps.fetch_borough_historical"),
    ],
)
def test_a_dataset_that_fails_makes_the_run_red_and_stops_no_other(
    runs: dict[str, Any], name: str, task_id: str
) -> None:
    run = runs[name]
    assert run["state"] == "failed"
    states = _states(run)
    assert {other for other, state in states.items() if state == "failed"} == {task_id, "watcher"}
    for other in ("mps.load_borough_recent", "other.load_borough_historical", "other.load_borough_recent", "publish"):
        assert states[other] == "success", other
    assert run["called"][-1] == ["notify", [task_id]], "it is told which failed, for one that was killed left no word"


def test_nothing_is_loaded_for_a_dataset_that_could_not_be_fetched(runs: dict[str, Any]) -> None:
    run = runs["a body refused"]
    assert _states(run)["mps.load_borough_historical"] == "skipped"
    assert ["load", "mps", "borough_historical"] not in [call[:3] for call in run["called"]]


def test_a_publisher_that_is_away_is_asked_four_times(runs: dict[str, Any]) -> None:
    assert _tries(runs["a publisher away"], "mps.fetch_borough_historical") == 4


def test_a_publisher_that_comes_back_leaves_the_run_green(runs: dict[str, Any]) -> None:
    run = runs["a publisher away for a moment"]
    assert run["state"] == "success"
    assert _tries(run, "mps.fetch_borough_historical") == 2


@pytest.mark.parametrize("name", ["a body refused", "a mistake of ours"])
def test_what_would_fail_again_is_not_tried_again(runs: dict[str, Any], name: str) -> None:
    assert runs[name]["state"] == "failed"
    assert _tries(runs[name], "mps.fetch_borough_historical") == 1


def test_what_a_task_raised_is_written_down_and_only_of_the_task_that_raised(runs: dict[str, Any]) -> None:
    assert runs["well"]["noted"] == runs["one source"]["noted"] == []
    assert runs["a mistake of ours"]["noted"] == [["mps.fetch_borough_historical", "ZeroDivisionError"]]
    assert runs["a publisher away"]["noted"] == [["mps.fetch_borough_historical", "PublisherUnavailable"]]


def test_a_held_release_is_not_published_and_the_run_is_red(runs: dict[str, Any]) -> None:
    run = runs["held"]
    assert run["state"] == "failed"
    assert _states(run)["publish"] == "upstream_failed"
    assert [call[0] for call in run["called"]][-2:] == ["gate", "notify"]


def test_a_run_that_may_not_begin_does_nothing_but_say_so(runs: dict[str, Any]) -> None:
    run = runs["not begun"]
    assert run["state"] == "failed"
    assert [call[0] for call in run["called"]] == ["begin", "notify"]


def test_a_run_of_one_source_leaves_the_others_alone_and_is_green(runs: dict[str, Any]) -> None:
    run = runs["one source"]
    assert run["state"] == "success"
    assert {call[1] for call in run["called"] if call[0] in {"fetch", "load"}} == {"other"}
    assert _states(run)["mps.load_borough_recent"] == "skipped"
    tried = {task_id for task_id, (_, tries) in run["tasks"].items() if tries}
    assert {task_id for task_id in tried if "." in task_id} == {
        f"other.{verb}_{dataset}" for verb in ("fetch", "load") for dataset in ("borough_historical", "borough_recent")
    }, "no task of another source was started"
    assert _states(run)["publish"] == "success"


def test_a_source_that_is_not_declared_is_refused(runs: dict[str, Any]) -> None:
    run = runs["an unknown source"]
    assert run["state"].startswith("not started: Invalid input for param sources: 'parks' is not one of")
    assert run["called"] == []


LOADED = {"files": 1, "rows": 320, "editions": ["2026-11-05"]}
EVERY_DATASET = {
    f"x-vru://raw/{source}/{dataset}"
    for source in ("mps", "other")
    for dataset in ("borough_historical", "borough_recent")
}


def test_a_night_updates_the_asset_of_each_dataset_and_that_of_the_marts(runs: dict[str, Any]) -> None:
    assert runs["well"]["updated"] == dict.fromkeys(EVERY_DATASET, LOADED) | {
        "x-vru://marts": {
            "release_id": 7,
            "verdict": "passed",
            "state": "published",
            "rows_changed": {"fct_measure": 64},
        }
    }


def test_an_asset_is_not_updated_where_nothing_was_loaded(runs: dict[str, Any]) -> None:
    run = runs["nothing to load"]
    assert run["state"] == "success"
    assert _states(run)["mps.load_borough_recent"] == "skipped"
    assert run["updated"].keys() == EVERY_DATASET - {"x-vru://raw/mps/borough_recent"} | {"x-vru://marts"}


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("nothing new", ("skipped", "skipped")),
        ("held", ("failed", "upstream_failed")),
        ("rolled back", ("success", "skipped")),
    ],
)
def test_the_asset_of_the_marts_is_not_updated_where_nothing_was_published(
    runs: dict[str, Any], name: str, states: tuple[str, str]
) -> None:
    found = _states(runs[name])
    assert (found["gate"], found["publish"]) == states
    assert runs[name]["updated"].keys() == EVERY_DATASET


def test_the_asset_of_a_refused_file_is_not_updated(runs: dict[str, Any]) -> None:
    assert "x-vru://raw/mps/borough_historical" not in runs["a file refused"]["updated"]
    assert "x-vru://raw/mps/borough_recent" in runs["a file refused"]["updated"]
