"""The logs of a run in a process of its own stand where Airflow's UI looks for them."""

from __future__ import annotations

from pathlib import Path

from warehouse.airflow import task_logs

LOG = """DAG bundles loaded
[DAG TEST] starting task_id=begin map_index=-1
[DAG TEST] running task <TaskInstance: nightly.begin manual__1 [TaskInstanceState.SCHEDULED] ti_id=01>
it began
[DAG TEST] end task task_id=begin map_index=-1
[DAG TEST] starting task_id=mps.fetch_vawg map_index=-1
the publisher answered 503
[DAG TEST] starting task_id=mps.fetch_vawg map_index=-1
the publisher answered 503 again
"""


def test_each_task_and_try_has_the_part_of_the_log_that_is_its_own(tmp_path: Path) -> None:
    log, logs = tmp_path / "nightly.log", tmp_path / "logs"
    log.write_text(LOG, encoding="utf-8")
    task_logs.write(log, logs, "nightly", "manual__1")
    run = logs / "dag_id=nightly" / "run_id=manual__1"
    assert {file.relative_to(run).as_posix(): file.read_text().splitlines()[1:] for file in run.rglob("*.log")} == {
        "task_id=begin/attempt=1.log": [
            "[DAG TEST] running task <TaskInstance: nightly.begin manual__1 [TaskInstanceState.SCHEDULED] ti_id=01>",
            "it began",
            "[DAG TEST] end task task_id=begin map_index=-1",
        ],
        "task_id=mps.fetch_vawg/attempt=1.log": ["the publisher answered 503"],
        "task_id=mps.fetch_vawg/attempt=2.log": ["the publisher answered 503 again"],
    }


def test_the_logs_of_a_run_whose_starter_was_killed_are_written_later_and_once(tmp_path: Path) -> None:
    log = tmp_path / task_logs.FOLDER / "nightly_2026-11-30T02-30-00.log"
    log.parent.mkdir()
    log.write_text(LOG, encoding="utf-8")
    task_logs.write_missing(tmp_path)
    begin = tmp_path / "dag_id=nightly" / "run_id=manual__1" / "task_id=begin" / "attempt=1.log"
    assert "it began" in begin.read_text()
    begin.write_text("as Airflow left it")
    task_logs.write_missing(tmp_path)
    assert begin.read_text() == "as Airflow left it"
