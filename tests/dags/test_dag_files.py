"""What the DAG files say, read as Airflow reads them: without settings, network or database."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest.declaration import read_sources
from warehouse.airflow.pools import pools

PROJECT = Path(__file__).resolve().parents[2]
DAGS = PROJECT / "dags"
PROGRAM = Path(__file__).with_name("describe_dags.py")
NAMES = ("nightly", "replay", "maintenance", "site")
STEPS_OF_EVERY_BUILD = {"begin", "transform", "gate", "publish", "notify", "watcher"}


def _describe(home: Path, names: tuple[str, ...]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(DAGS), *(f"{name}.py" for name in names)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "AIRFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    home = tmp_path_factory.mktemp("home")
    return _describe(home, NAMES), _describe(home, NAMES[::-1])


@pytest.fixture
def found(twice: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return twice[0]


@pytest.fixture
def nightly(found: dict[str, Any]) -> dict[str, Any]:
    return dict(found["dags"]["nightly"]["tasks"])


def test_every_file_is_read_without_an_error_and_gives_the_dags_we_have(found: dict[str, Any]) -> None:
    assert found["import_errors"] == {}
    assert found["warnings"] == []
    assert sorted(found["dags"]) == sorted(NAMES)


def test_each_file_is_read_in_under_a_second(twice: tuple[dict[str, Any], dict[str, Any]]) -> None:
    # The first of each process pays for what all of them import.
    for seconds in (twice[0]["seconds"], twice[1]["seconds"]):
        assert len(seconds) == len(NAMES)
        assert max(seconds.values()) < 1, seconds


def test_reading_a_file_twice_gives_the_same_version(twice: tuple[dict[str, Any], dict[str, Any]]) -> None:
    one, two = (each["dags"] for each in twice)
    assert {name: dag["hash"] for name, dag in one.items()} == {name: dag["hash"] for name, dag in two.items()}


@pytest.mark.parametrize("name", NAMES)
def test_a_dag_says_what_it_does_and_what_to_do_when_it_is_red(found: dict[str, Any], name: str) -> None:
    dag = found["dags"][name]
    assert "**When red:**" in dag["doc"], f"say in {name}.py what to do when the DAG is red"
    assert "docs/runbook.md" in dag["doc"]
    assert "warehouse" in dag["tags"]
    for task_id, task in dag["tasks"].items():
        assert task["doc"], f"give {name}.{task_id} a docstring"
        assert "When red:" in task["doc"], f"say in the docstring of {name}.{task_id} what to do when it is red"
        assert "\n    " not in task["doc"], "an indented line is a code block in the UI"


@pytest.mark.parametrize("name", NAMES)
def test_every_task_has_an_owner_a_time_limit_and_a_pool_that_exists(found: dict[str, Any], name: str) -> None:
    dag = found["dags"][name]
    assert dag["run_seconds"] > 0
    for task_id, task in dag["tasks"].items():
        assert task["owner"] == "data-engineering", task_id
        assert 0 < task["seconds"] < dag["run_seconds"], task_id
        assert task["pool"] in {*pools(), "default_pool"}, f"{task_id} waits for ever: no pool {task['pool']}"


@pytest.mark.parametrize("name", NAMES)
def test_a_red_task_makes_the_run_red_whatever_comes_after_it(found: dict[str, Any], name: str) -> None:
    tasks = found["dags"][name]["tasks"]
    watcher = tasks["watcher"]
    assert watcher["trigger_rule"].lower().endswith("one_failed")
    assert watcher["retries"] == 0
    assert set(watcher["upstream"]) == set(tasks) - {"watcher"}, "wire the watcher to every task: call finish(dag) last"


@pytest.mark.parametrize("name", NAMES)
def test_a_dag_runs_once_at_a_time_and_is_never_born_paused(found: dict[str, Any], name: str) -> None:
    dag = found["dags"][name]
    assert (dag["max_active_runs"], dag["catchup"], dag["is_paused_upon_creation"]) == (1, False, False)


def test_the_nightly_run_is_at_half_past_two_in_london(found: dict[str, Any]) -> None:
    assert "'30 2 * * *'" in found["dags"]["nightly"]["schedule"]
    assert "'Europe/London'" in found["dags"]["nightly"]["schedule"]
    assert "Null" in found["dags"]["replay"]["schedule"]
    assert "'0 12 * * 0'" in found["dags"]["maintenance"]["schedule"]


def test_the_site_is_built_whenever_marts_are_published_and_no_run_waits_for_it(found: dict[str, Any]) -> None:
    assert "Asset" in found["dags"]["site"]["schedule"]
    tasks = found["dags"]["site"]["tasks"]
    assert set(tasks) == {"build_site", "notify", "watcher"}
    assert tasks["build_site"]["pool"] == "default_pool"
    assert not [
        task_id for name in ("nightly", "replay") for task_id in found["dags"][name]["tasks"] if "site" in task_id
    ]


def test_the_nightly_run_has_a_fetch_and_a_load_for_every_declared_dataset(nightly: dict[str, Any]) -> None:
    declared = [(name, dataset) for name, source in read_sources().items() for dataset in source.datasets]
    assert len(declared) >= 2
    assert set(nightly) == STEPS_OF_EVERY_BUILD | {
        f"{source}.{verb}_{dataset}" for source, dataset in declared for verb in ("fetch", "load")
    }


def test_datasets_of_a_source_are_loaded_in_the_declared_order(nightly: dict[str, Any]) -> None:
    for name, source in read_sources().items():
        before = None
        for dataset in source.datasets:
            expected = {f"{name}.fetch_{dataset}", *([before] if before else [])}
            assert set(nightly[f"{name}.load_{dataset}"]["upstream"]) == expected
            assert nightly[f"{name}.fetch_{dataset}"]["upstream"] == ["begin"]
            before = f"{name}.load_{dataset}"


def test_the_build_waits_for_every_load_and_nothing_is_published_unjudged(nightly: dict[str, Any]) -> None:
    loads = {task_id for task_id in nightly if ".load_" in task_id}
    assert set(nightly["transform"]["upstream"]) == {"begin", *loads}
    assert nightly["transform"]["trigger_rule"].lower().endswith("all_done")
    assert nightly["gate"]["upstream"] == ["transform"]
    assert nightly["publish"]["upstream"] == ["gate", "transform"]
    for task_id in ("gate", "publish"):
        assert nightly[task_id]["trigger_rule"].lower().endswith("all_success"), task_id
    assert nightly["notify"]["upstream"] == ["publish"]
    assert nightly["notify"]["trigger_rule"].lower().endswith("all_done")


def test_one_publisher_gets_one_request_at_a_time_and_the_warehouse_one_writer(nightly: dict[str, Any]) -> None:
    for name, source in read_sources().items():
        for dataset in source.datasets:
            assert nightly[f"{name}.fetch_{dataset}"]["pool"] == f"fetch_{name}"
            assert nightly[f"{name}.load_{dataset}"]["pool"] == "warehouse"
    for task_id in ("begin", "transform", "gate", "publish", "notify"):
        assert nightly[task_id]["pool"] == "warehouse"
    assert {name: pool["slots"] for name, pool in pools().items()} == {
        "warehouse": 1,
        **{f"fetch_{name}": 1 for name in read_sources()},
    }


def test_others_can_schedule_on_each_dataset_and_on_the_marts(found: dict[str, Any]) -> None:
    outlets = {name: {task: each["outlets"] for task, each in found["dags"][name]["tasks"].items()} for name in NAMES}
    for name, source in read_sources().items():
        for dataset in source.datasets:
            expected = {f"raw.{name}.{dataset}": f"x-vru://raw/{name}/{dataset}"}
            assert outlets["nightly"].pop(f"{name}.load_{dataset}") == expected
    assert outlets["replay"].pop("replay") == {"replayed": None}
    for name in ("nightly", "replay"):
        assert outlets[name].pop("publish") == {"marts": "x-vru://marts"}
    assert not [(name, task) for name, tasks in outlets.items() for task, those in tasks.items() if those]


def test_only_a_publisher_that_is_away_is_asked_again(found: dict[str, Any]) -> None:
    for name in NAMES:
        for task_id, task in found["dags"][name]["tasks"].items():
            rules = [(rule["exception"], rule["action"]) for rule in task["retry_policy"]["rules"]]
            assert rules == [("ingest.errors.PublisherUnavailable", "retry"), ("builtins.Exception", "fail")], task_id
            expected = 3 if ".fetch_" in task_id else 0 if task_id == "watcher" else 1
            assert task["retries"] == expected, task_id
            if ".fetch_" in task_id:
                assert task["backoff"] == 2.0


def test_what_a_person_may_type_is_checked(found: dict[str, Any]) -> None:
    sources = list(read_sources())
    assert found["dags"]["nightly"]["params"]["sources"]["items"]["enum"] == sources
    replay = found["dags"]["replay"]["params"]
    pairs = [f"{source.source} {name}" for source in read_sources().values() for name in source.datasets]
    assert replay["source_and_dataset"]["enum"] == pairs
    assert replay["from_release"]["format"] == replay["to_release"]["format"] == "date"
    assert replay["file"]["pattern"].startswith("^")
    assert replay["file"]["pattern"].endswith("$")


def test_no_dag_asks_the_clock_or_the_date_of_its_run() -> None:
    files = sorted(DAGS.glob("*.py"))
    assert len(files) >= len(NAMES) + 1
    forbidden = {"now", "today", "utcnow", "ds", "data_interval_start", "data_interval_end", "logical_date"}
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        assert not names & forbidden, f"{file.name}: a run goes by what is loaded, not by a clock"


def test_a_task_calls_one_function_from_below() -> None:
    for name in NAMES:
        for node in ast.walk(ast.parse((DAGS / f"{name}.py").read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            imports = [each for each in node.body if isinstance(each, ast.ImportFrom)]
            if imports:
                kinds = {type(each).__name__ for each in ast.walk(node)}
                assert not kinds & {"For", "While", "If", "Try"}, f"{name}.py: {node.name} holds logic"
