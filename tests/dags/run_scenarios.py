"""A program for the tests: runs the DAG `nightly` with steps that do as they are told, and prints what became of the tasks.

Argument: JSON, a scenario by name: what each step does ("fetch.mps.borough_recent": "unavailable"), and the run's
configuration under "conf". Two sources are declared, so that one can be seen to leave the other alone.
Needs Airflow's environment (`warehouse.airflow.environment`, without an API server) and its migrated database.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import types
from pathlib import Path
from typing import Any

from ingest import declaration
from ingest.errors import PublisherUnavailable, Refusal

SECOND_SOURCE = "other"
DATASETS = ("borough_historical", "borough_recent")
RESULTS = {
    "fetch": ["a/b/c.csv"],
    "load": {"files": 1, "rows": 320, "editions": ["2026-11-05"]},
    "build": "candidate",
    "gate": "passed",
    "publish": {"release_id": 7, "verdict": "passed", "state": "published", "rows_changed": {"fct_measure": 64}},
}
STEPS = ("begin", "fetch", "load", "build", "gate", "publish", "notify")
NOTED = "note_failure"


class Steps(types.ModuleType):
    """In place of `warehouse.steps`: every step notes that it was called, and does what the scenario says."""

    def __init__(self) -> None:
        super().__init__("warehouse.steps")
        self.scenario: dict[str, Any] = {}
        self.called: list[list[Any]] = []
        self.noted: list[list[str]] = []

    def __getattr__(self, step: str) -> Any:
        if step == NOTED:
            return lambda run_id, task_id, error: self.noted.append([task_id, type(error).__name__])
        if step not in STEPS:
            raise AttributeError(step)
        return lambda run_id, *arguments: self._act(step, *arguments)

    def _act(self, step: str, *arguments: Any) -> Any:
        self.called.append([step, *arguments])
        name = ".".join([step, *arguments[:2]]) if step in {"fetch", "load"} else step
        match self.scenario.get(name, "well"):
            case "well":
                return RESULTS.get(step)
            case "nothing loaded":
                return {"files": 0, "rows": 0, "editions": []}
            case "rolled back":
                return {"release_id": None, "state": "held"}
            case "unavailable once":
                del self.scenario[name]
                raise PublisherUnavailable("PUBLISHER_DOWN", "503")
            case "unavailable":
                raise PublisherUnavailable("PUBLISHER_DOWN", "503")
            case "refused":
                raise Refusal("NOT_THE_FILE", "not the file")
            case "broken":
                raise ZeroDivisionError
            case "nothing":
                return None
        raise ValueError(name)


def main(scenarios: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """State of the run, state and number of tries of each task, and the assets that were updated, by scenario."""
    import warehouse

    steps = Steps()
    sys.modules["warehouse.steps"] = warehouse.steps = steps  # type: ignore[attr-defined]
    police = declaration.read_sources()["mps"]
    first = police.model_copy(update={"datasets": {name: police.datasets[name] for name in DATASETS}})
    both = {"mps": first, SECOND_SOURCE: first.model_copy(update={"source": SECOND_SOURCE})}
    declaration.read_sources = lambda: both  # type: ignore[assignment, misc]

    import airflow.sdk  # noqa: F401 - it must be loaded before the DAGs' folder can shadow anything
    import nightly as file
    from airflow.models.asset import AssetEvent
    from airflow.sdk.exceptions import ParamValidationError
    from airflow.utils.session import create_session

    for task in file.dag.tasks:
        task.retry_delay = dt.timedelta(seconds=0.1)
    found = {}
    for name, scenario in scenarios.items():
        steps.scenario, steps.called, steps.noted = {**scenario}, [], []
        moment = dt.datetime.now(dt.UTC)
        try:
            run = file.dag.test(run_after=moment, logical_date=moment, run_conf=scenario.get("conf", {}))
        except ParamValidationError as error:
            found[name] = {"state": f"not started: {error}", "called": steps.called}
            continue
        with create_session() as session:
            events = session.query(AssetEvent).filter_by(source_run_id=run.run_id).all()
            updated = {event.asset.uri: event.extra for event in events}
        found[name] = {
            "updated": updated,
            "state": str(run.state),
            "tasks": {task.task_id: [str(task.state), task.try_number] for task in run.get_task_instances()},
            "called": steps.called,
            "noted": steps.noted,
        }
    return found


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "dags"))
    print(json.dumps(main(json.loads(sys.argv[1]))))
