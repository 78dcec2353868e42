"""A nightly run in a process of its own, when the one who started it is gone."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from warehouse import airflow, alerts
from warehouse.airflow import internals
from warehouse.platform.settings import Settings


def test_a_run_ends_with_its_starter_and_raises_one_alert(warehouse: Settings, tmp_path: Path) -> None:
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
