"""A nightly run in a process of its own, when the one who started it is gone."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.refused import refused_with
from warehouse import airflow, alerts
from warehouse.airflow import internals, interrupted, run
from warehouse.platform.settings import Settings


def test_a_run_ends_with_its_starter_and_raises_one_alert(warehouse_with_airflow: Settings, tmp_path: Path) -> None:
    warehouse = warehouse_with_airflow
    assert warehouse.database_url is not None
    moment = dt.datetime.now(dt.UTC).isoformat()
    process = subprocess.Popen(
        [sys.executable, "-m", "warehouse.airflow.run_in_process", "nightly", moment, json.dumps({"sources": ["mps"]})],
        env={
            **airflow.environment(warehouse),
            "VRU_DATABASE_URL": warehouse.database_url.get_secret_value(),
            "VRU_SECRETS_DIR": str(warehouse.secrets),
            # What it was about to fetch into is left behind.
            "TMPDIR": str(tmp_path),
            # Nobody answers there, so the run waits for its second try.
            "VRU_BASE_URLS": json.dumps({"mps": "http://127.0.0.1:1"}),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    with internals.metadata(warehouse) as connection:

        def state() -> str | None:
            row = connection.execute("select state from dag_run where run_id = %s", [f"manual__{moment}"]).fetchone()
            return str(row[0]) if row else None

        def under_way() -> list[str]:
            rows = connection.execute(
                "select task_id from task_instance where run_id = %s and state = 'running'", [f"manual__{moment}"]
            )
            return [task_id for (task_id,) in rows]

        try:
            deadline = time.monotonic() + 90
            while not under_way() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
            assert state() == "running"
            assert under_way()
            process.stdin.close()
            assert process.wait(timeout=20) not in (0, 1)
        finally:
            process.kill()
            process.wait()
        assert state() == "running", "Airflow does not know that the run is over"
        # The second was about to find that its source is not among those asked for.
        for task_id in ("mps.fetch_borough_recent", "nomis.fetch_census_ethnic_group"):
            connection.execute(
                "update task_instance set state = 'running' where run_id = %s and task_id = %s",
                [f"manual__{moment}", task_id],
            )
        assert set(under_way()) >= {"mps.fetch_borough_recent", "nomis.fetch_census_ethnic_group"}
        told = airflow.newest_night_cut_off(warehouse)
        assert state() == "running", "Airflow is told when it is up again: tests/integration/test_scheduler.py"
        assert told is not None
        assert re.fullmatch(
            r"the night begun at \S+ \S+ was cut off while ((begin|mps\.\w+)(, )?)+ was under way, last heard of at .*",
            told,
        )
        assert "mps.fetch_borough_recent" in told
        assert airflow.newest_night_cut_off(warehouse) == told, "it is said until another night has run"
        ((run_id, subject, body),) = [(a["run_id"], a["subject"], a["body"]) for a in alerts.alerts(warehouse)]
        assert run_id == f"manual__{moment}"
        assert "night failed for nightly" in subject
        assert told in body
        assert "section 'A night was cut off'" in body


def test_a_run_that_a_person_stopped_raises_no_alert_and_is_said_until_another_has_run(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun_at = dt.datetime(2026, 11, 30, 2, 30, tzinfo=dt.UTC)
    runs = [
        internals.Unfinished("nightly", run, begun_at, begun_at, "mps.load_vawg", "begin") for run in ("one", "two")
    ]
    monkeypatch.setattr(internals, "unfinished_in_process", lambda _: runs)
    monkeypatch.setattr(internals, "newest_run", lambda *_: "one")
    note = warehouse.landing / "mps" / "vawg" / "abc.loading.txt"
    note.parent.mkdir(parents=True)
    earlier = begun_at - dt.timedelta(days=1)
    note.write_text(f"{earlier.isoformat()}\n{(begun_at + dt.timedelta(minutes=1)).isoformat()}\n")

    said = interrupted.stopped(warehouse, "one")
    assert said.startswith(
        "the night begun at 2026-11-30 02:30:00 was stopped by Ctrl-C while mps.load_vawg was under way."
    )
    assert note.read_text() == f"{earlier.isoformat()}\n", "the file is not blamed for a load that a person stopped"
    # What had failed before it was stopped is told, as of any run.
    alerts.record_problem(warehouse, "two", "fetch", "mps vawg", "PUBLISHER_DOWN", "it is down")
    interrupted.stopped(warehouse, "two")
    assert [(alert["run_id"], alert["code"]) for alert in alerts.alerts(warehouse)] == [("two", "PUBLISHER_DOWN")]
    assert interrupted.tell(warehouse) == []
    assert airflow.newest_night_cut_off(warehouse) == said
    assert len(alerts.alerts(warehouse)) == 1


def test_ctrl_c_ends_a_night_within_seconds_and_says_so(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def press(settings: Settings, run_id: str) -> str:
        said.append(run_id)
        return "the night was stopped by Ctrl-C. And so on."

    def look(_: object) -> None:
        if (tmp_path / "deaf").exists():
            raise KeyboardInterrupt

    deaf = "import pathlib, signal, sys, time; signal.signal(15, signal.SIG_IGN); pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
    real = subprocess.Popen
    monkeypatch.setattr(interrupted, "stopped", press)
    monkeypatch.setattr(run._Progress, "look", look)
    monkeypatch.setattr(
        run.subprocess,
        "Popen",
        lambda _, **options: real([sys.executable, "-c", deaf, str(tmp_path / "deaf")], **options),
    )
    begun = time.monotonic()
    with refused_with("NIGHT_STOPPED"):
        airflow.run_nightly(warehouse, ["mps"], echo=lambda line: None)
    assert time.monotonic() - begun < 10
    assert len(said) == 1
