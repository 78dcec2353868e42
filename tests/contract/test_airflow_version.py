"""What is used of Airflow without its promise stands in one module, which names the version that it was written for."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from warehouse.airflow import internals

PROJECT = Path(__file__).resolve().parents[2]
FENCED = PROJECT / "warehouse" / "airflow" / "internals.py"
# Tables that the fenced module reads. `job`, `dag` and `slot_pool` are words of English or of ours, so they count after a verb of SQL.
NAMED = re.compile(r"\b(?:dag_run|task_instance)\b|\b(?:from|join|into|update)\s+(?:job|dag|slot_pool)\b")
WRITES = re.compile(r"\b(?:insert\s+into|update\s+\w+\s+set|delete\s+from|truncate|alter|drop)\b", re.IGNORECASE)


def test_the_tables_of_airflow_are_read_in_the_version_that_is_installed() -> None:
    assert version("apache-airflow-core") == internals.VERSION, (
        "read what warehouse/airflow/internals.py says on another version"
    )


def test_airflows_tables_are_named_in_one_module_which_only_reads_them() -> None:
    files = [
        file for room in ("dags", "expectations", "ingest", "warehouse") for file in (PROJECT / room).rglob("*.py")
    ]
    naming = [file for file in files if NAMED.search(file.read_text(encoding="utf-8"))]
    assert naming == [FENCED]
    assert not WRITES.findall(FENCED.read_text(encoding="utf-8"))
