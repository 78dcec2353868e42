"""The logs of a run in a process of its own, where Airflow's UI looks for them: one file a task and try.

Such a run writes one log, its tasks one after the other in it. The UI reads the file that a worker would have written.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

FOLDER = "in_process"  # of the logs of such runs, <dag>_<moment>.log
# What `dag.test()` logs before it runs a task: it names the run, and there its log is cut.
RUNS = re.compile(r"\[DAG TEST\] running task <TaskInstance: \S+ (?P<run>manual__\S+) ")
STARTS = re.compile(r"\[DAG TEST\] starting task_id=(?P<task>[\w.-]+)")


def write_missing(logs: Path) -> None:
    """Write those of the runs that nobody has written: who started them was killed with them.

    Args:
        logs: Airflow's folder of logs (`logging.base_log_folder`).
    """
    for log in (logs / FOLDER).glob("*.log"):
        dag = log.name.partition("_")[0]
        with log.open(encoding="utf-8", errors="replace") as file:
            run = next((found["run"] for line in file if (found := RUNS.search(line))), None)
        if run and not (logs / f"dag_id={dag}" / f"run_id={run}").exists():
            write(log, logs, dag, run)


def write(log: Path, logs: Path, dag: str, run_id: str) -> None:
    """Write the part of a run's log that is of each task into a file of its own.

    Args:
        log: what the run's process wrote.
        logs: Airflow's folder of logs (`logging.base_log_folder`).
    """
    tries: Counter[str] = Counter()
    parts: dict[Path, list[str]] = {}
    lines: list[str] | None = None
    with log.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if found := STARTS.search(line):
                task = found["task"]
                tries[task] += 1
                place = logs / f"dag_id={dag}" / f"run_id={run_id}" / f"task_id={task}" / f"attempt={tries[task]}.log"
                lines = parts.setdefault(place, [])
            if lines is not None:
                lines.append(line)
    for place, text in parts.items():
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.write_text("".join(text), encoding="utf-8")
        place.chmod(0o600)
