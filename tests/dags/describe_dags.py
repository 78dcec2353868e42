"""A program for the tests: reads the DAG files as Airflow does, in a process of its own, and prints what it found as JSON.

It runs without any setting, and may not open a connection: the DAGs must be readable anywhere.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path
from typing import Any


def _no_network(*_: Any) -> None:
    raise RuntimeError("reading a DAG file opened a connection")


def main(folder: Path, names: list[str]) -> dict[str, Any]:
    """What the DAG files of those names in the folder hold, read in that order."""
    sys.path.insert(0, str(folder))
    from airflow.dag_processing.dagbag import DagBag

    # Airflow imports these before it reads a file (parsing_pre_import_modules), so reading a file does not pay for them.
    from airflow.sdk import DAG, task  # noqa: F401 - for the import

    socket.socket.connect = _no_network  # type: ignore[method-assign, assignment]
    socket.socket.connect_ex = _no_network  # type: ignore[method-assign, assignment]
    seconds = {}
    for name in names:
        began = time.process_time()
        DagBag(dag_folder=str(folder / name), bundle_name="test")
        seconds[name] = time.process_time() - began
    bag = DagBag(dag_folder=str(folder), bundle_name="test")
    return {
        "import_errors": {**bag.import_errors},
        "warnings": [str(warning) for warnings in bag.captured_warnings.values() for warning in warnings],
        "seconds": seconds,
        "dags": {dag_id: _dag(dag) for dag_id, dag in bag.dags.items()},
    }


def _dag(dag: Any) -> dict[str, Any]:
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import DagSerialization

    serialised = DagSerialization.to_dict(dag)
    return {
        "hash": SerializedDagModel.hash(serialised),
        "serialised": json.dumps(serialised),
        "schedule": str(dag.timetable),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "is_paused_upon_creation": dag.is_paused_upon_creation,
        "run_seconds": dag.dagrun_timeout.total_seconds() if dag.dagrun_timeout else None,
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "tasks": {task.task_id: _task(task) for task in dag.tasks},
    }


def _task(task: Any) -> dict[str, Any]:
    return {
        "upstream": sorted(task.upstream_task_ids),
        "trigger_rule": str(task.trigger_rule),
        "owner": task.owner,
        "doc": task.doc_md,
        "pool": task.pool,
        "outlets": {asset.name: getattr(asset, "uri", None) for asset in task.outlets},
        "retries": task.retries,
        "backoff": task.retry_exponential_backoff,
        "retry_policy": task.retry_policy.serialize() if task.retry_policy else None,
        "seconds": task.execution_timeout.total_seconds() if task.execution_timeout else None,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2:])))
