"""The nightly DAG on a real scheduler with LocalExecutor, DAG processor and API server, as `vru up` starts them."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
import requests

import sandbox
from ingest import landing
from ingest.declaration import read_sources
from sandbox.server import Publisher
from tests.conftest import Server, warehouse_to_build
from tests.homes import declarations_of
from tests.refused import refused_with
from warehouse import airflow, alerts, runs
from warehouse.airflow import internals, interrupted, processes, program
from warehouse.airflow import ports as ports_of_airflow
from warehouse.airflow.lock import only_runner
from warehouse.platform.connection import ANALYST, connect
from warehouse.platform.settings import Settings, read_settings

TODAY = dt.date(2014, 10, 22)


def _home(folder: Path) -> Settings:
    (folder / "airflow").mkdir(parents=True)
    return read_settings({"VRU_HOME": str(folder)})


def test_two_homes_never_share_a_port(tmp_path: Path) -> None:
    one, two = _home(tmp_path / "one"), _home(tmp_path / "two")
    ports_of_airflow.choose(one)
    with contextlib.ExitStack() as taken:
        for port in dataclasses.astuple(program.remembered_ports(one)):
            taken.enter_context(socket.create_server(("127.0.0.1", port)))
        ports_of_airflow.choose(two)
        ports = {*dataclasses.astuple(program.remembered_ports(one))}
        assert len(ports | {*dataclasses.astuple(program.remembered_ports(two))}) == 4
        ports_of_airflow.choose(one)
        assert not ports & {*dataclasses.astuple(program.remembered_ports(one))}, "a port that is taken was kept"


def test_a_port_asked_for_that_is_taken_is_refused_by_name(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = _home(tmp_path / "one").model_copy(update={"airflow_port": port})
        with refused_with("PORT_TAKEN", where="VRU_AIRFLOW_PORT", match=str(port)):
            ports_of_airflow.choose(settings)


def test_down_leaves_a_process_alone_that_only_has_the_number_of_one_of_ours(tmp_path: Path) -> None:
    settings = _home(tmp_path / "one")
    born = psutil.Process().create_time()
    processes._write_started(settings, processes._Started({"scheduler": (os.getpid(), born - 100)}, {}))
    assert not airflow.down(settings, echo=print)


def test_a_home_of_synthetic_data_has_its_stand_ins_beside_the_scheduler(tmp_path: Path) -> None:
    settings = _home(tmp_path / "one").model_copy(update={"today": TODAY})
    assert runs.sources_to_stand_in_for(settings) == []
    (settings.home / "airflow" / "logs").mkdir()
    landing.claim_kind(settings.landing, landing.SYNTHETIC, what="a test")
    assert runs.sources_to_stand_in_for(settings) == list(read_sources())
    command = [sys.executable, "-m", "sandbox", "--today", TODAY.isoformat()]
    started = processes._Started({}, {})
    processes._start(settings, started, processes.STAND_INS, command, dict(os.environ))
    try:
        address = processes._stand_ins_address(settings)
        found = requests.get(f"{address}/api/action/package_show", params={"id": "exy3m"}, timeout=10)
        assert found.headers["X-Synthetic-Data"] == "true"
    finally:
        assert airflow.down(settings, echo=print)
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=10)


def test_stand_ins_that_do_not_start_say_why(tmp_path: Path) -> None:
    settings = _home(tmp_path / "one")
    (settings.home / "airflow" / "logs").mkdir()
    command = [sys.executable, "-m", "sandbox", "--today", "1066-10-14"]
    processes._start(settings, processes._Started({}, {}), processes.STAND_INS, command, dict(os.environ))
    with refused_with("STAND_INS_DOWN", match="1066"):
        processes._stand_ins_address(settings)


def test_two_runs_of_a_home_at_once_are_refused(warehouse: Settings) -> None:
    with (
        only_runner(warehouse),
        refused_with("RUN_UNDER_WAY"),
    ):
        airflow.run_nightly(warehouse, None, echo=print)


def test_a_build_by_hand_waits_for_a_run_of_the_home(warehouse: Settings) -> None:
    with (
        only_runner(warehouse),
        refused_with("RUN_UNDER_WAY"),
    ):
        runs.build_and_publish(warehouse, echo=print)


@dataclasses.dataclass(frozen=True)
class Stack:
    """A home whose scheduler is up, the stand-in publisher its tasks ask, and the environment that says so."""

    settings: Settings
    publisher: Publisher
    environment: dict[str, str]
    address: str
    started: list[psutil.Process]
    cut_off: str

    def ask(self, path: str) -> dict[str, Any]:
        """What the REST API answers its user."""
        password = json.loads((self.settings.secrets / "airflow_passwords.json").read_text())["admin"]
        login = requests.post(
            f"{self.address}/auth/token", json={"username": "admin", "password": password}, timeout=10
        ).json()
        token = {"Authorization": f"Bearer {login['access_token']}"}
        found = requests.get(f"{self.address}/api/v2/{path}", headers=token, timeout=10)
        found.raise_for_status()
        return dict(found.json())


SOURCE = "fingertips"
DATASETS = {SOURCE: ["data", "metadata"], "mps": ["vawg"]}


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose package `ingest` is ours with these datasets alone: each task is a process of its own, which takes seconds.

    All of them run on a scheduler in tests/compose, and in one process in test_questions.
    """
    return declarations_of(tmp_path_factory.mktemp("declared"), DATASETS)


@pytest.fixture(scope="module")
def stack(server: Server, declared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with (
        warehouse_to_build(server, tmp_path_factory.mktemp("scheduler")) as settings,
        sandbox.serve(today=TODAY, seed=1) as publisher,
    ):
        assert settings.database_url is not None
        assert settings.airflow_database_url is not None
        environment = {
            "VRU_DATABASE_URL": settings.database_url.get_secret_value(),
            "VRU_AIRFLOW_DATABASE_URL": settings.airflow_database_url.get_secret_value(),
            "VRU_SECRETS_DIR": str(settings.secrets),
            "VRU_BASE_URLS": json.dumps(dict.fromkeys(DATASETS, publisher.base_url)),
            "VRU_TODAY": TODAY.isoformat(),
            "PYTHONPATH": str(declared),
        }
        cut_off = _cut_off(settings, environment)
        address = airflow.up(settings, environment=environment, echo=print)
        started = list(processes._running(settings).values())
        started += [child for process in started for child in process.children(recursive=True)]
        try:
            yield Stack(settings, publisher, environment, address, started, cut_off)
        finally:
            airflow.down(settings, echo=print)
            left = [process for process in started if process.is_running() and process.status() != "zombie"]
            assert not left, f"`down` left {left} behind"


def _cut_off(settings: Settings, environment: dict[str, str]) -> str:
    """Kill a night in a process of its own at its first task. Returns the run's id."""
    moment = dt.datetime.now(dt.UTC).isoformat()
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "warehouse.airflow.run_in_process",
            "nightly",
            moment,
            json.dumps({"sources": None}),
        ],
        env=airflow.environment(settings) | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if [run for run in internals.unfinished_in_process(settings) if run.under_way]:
                break
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    assert [run.run_id for run in internals.unfinished_in_process(settings)] == [f"manual__{moment}"]
    return f"manual__{moment}"


def test_a_run_that_was_cut_off_is_ended_before_a_scheduler_could_go_on_with_it(stack: Stack) -> None:
    run = stack.ask(f"dags/nightly/dagRuns/{quote(stack.cut_off)}")
    assert run["state"] == "failed"
    assert re.match(r"the night begun at \S+ \S+ was cut off while ", run["note"])
    tasks = stack.ask(f"dags/nightly/dagRuns/{quote(stack.cut_off)}/taskInstances")["task_instances"]
    assert {task["state"] for task in tasks} <= {"failed", "skipped", "success", "upstream_failed"}
    assert [alert["code"] for alert in alerts.alerts(stack.settings)] == ["NIGHT_CUT_OFF"]
    assert interrupted.tell(stack.settings) == []


def _run(stack: Stack) -> tuple[bool, dict[str, str]]:
    """Run the DAG for one source: whether it was green, and the last word on each task."""
    lines: list[str] = []
    is_green = airflow.run_nightly(stack.settings, [SOURCE], environment=stack.environment, echo=lines.append)
    return is_green, {line.split()[0]: line.split()[1] for line in lines if line.startswith("  ")}


def test_a_night_through_the_real_scheduler_publishes(stack: Stack) -> None:
    is_green, words = _run(stack)
    assert is_green, words
    steps = ("begin", "transform", "gate", "publish", "notify")
    own = {f"{SOURCE}.{step}_{dataset}" for dataset in DATASETS[SOURCE] for step in ("fetch", "load")}
    assert {task for task, word in words.items() if word == "done"} == {*steps, *own}
    with internals.metadata(stack.settings) as connection:
        ran = connection.execute(
            """select task_id, state from task_instance
               where run_id = (select run_id from dag_run where dag_id = 'nightly' order by id desc limit 1)"""
        ).fetchall()
    states = dict(ran)
    assert states == dict.fromkeys((*steps, *own), "success") | dict.fromkeys(
        ("mps.fetch_vawg", "mps.load_vawg", "watcher"), "skipped"
    )
    run = stack.ask("dags/nightly/dagRuns?order_by=-run_after&limit=1")["dag_runs"][0]
    assert run["note"].startswith("Release 1 published, verdict ")
    assert f"New editions: {SOURCE} data " in run["note"]
    updated = {event["uri"]: event["extra"] for event in stack.ask("assets/events")["asset_events"]}
    assert updated.keys() == {"x-vru://marts", *(f"x-vru://raw/{SOURCE}/{dataset}" for dataset in DATASETS[SOURCE])}
    assert updated["x-vru://marts"]["release_id"] == 1
    assert updated["x-vru://marts"]["rows_changed"]["fct_measure"] > 0
    assert updated[f"x-vru://raw/{SOURCE}/data"]["rows"] > 0
    with connect(stack.settings, ANALYST) as connection:
        found = connection.execute(
            """select count(distinct area_code) from marts.fct_measure join marts.dim_borough on borough_code = area_code
               where measure_code = 'fingertips_violence_offences'"""
        ).fetchone()
    assert found == (32,)


def test_a_dataset_that_fails_makes_the_run_red_while_the_others_run(stack: Stack) -> None:
    stack.publisher.misbehave("html_with_200", path_contains="available_data")
    try:
        is_green, words = _run(stack)
    finally:
        stack.publisher.behave()
    assert not is_green
    assert words[f"{SOURCE}.fetch_data"] == "FAILED"
    for task in ("begin", f"{SOURCE}.fetch_metadata", "transform", "notify"):
        assert words[task] == "done", words
    assert words.get(f"{SOURCE}.load_metadata", "nothing") == "nothing", "it has loaded it the night before"


def test_what_is_up_answers_on_loopback_alone_and_to_nobody_without_a_password(stack: Stack) -> None:
    assert stack.address.startswith("http://127.0.0.1:")
    assert requests.get(f"{stack.address}/api/v2/dags", timeout=10).status_code == 401
    found = stack.ask("dags")
    assert {dag["dag_id"]: dag["is_paused"] for dag in found["dags"]} == {
        "nightly": False,
        "replay": False,
        "maintenance": False,
        "site": False,
    }
    own = {process.pid for process in stack.started}
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("inet")
        if connection.pid in own and connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_bringing_up_what_is_up_starts_nothing(stack: Stack) -> None:
    before = processes._read_started(stack.settings)
    assert airflow.up(stack.settings, environment=stack.environment, echo=print) == stack.address
    assert processes._read_started(stack.settings) == before


def test_a_run_for_other_publishers_is_refused_while_the_scheduler_is_up(stack: Stack) -> None:
    elsewhere = {**stack.environment, "VRU_BASE_URLS": json.dumps({"mps": "http://127.0.0.1:1"})}
    with refused_with("SCHEDULER_SET_OTHERWISE", match="VRU_BASE_URLS"):
        airflow.run_nightly(stack.settings, None, environment=elsewhere, echo=print)
