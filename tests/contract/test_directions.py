"""What import-linter cannot see: imports inside functions, and statements that write a table its owner alone writes."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ingest", "warehouse", "expectations", "sandbox", "bench", "dags", "tests")

# An import inside a function may save the time in which a command starts, and nothing else: import-linter sees its direction as well.
LATE = {
    ("ingest", "fsspec"),  # speaks to object stores; most homes have no inbox in one
    (
        "ingest",
        "ingest.readers.delimited",
    ),  # Arrow: a third of the time in which a command starts, and most load no file
    ("warehouse/exports", "warehouse.exports.parquet"),  # Arrow again, for one format of four
    ("warehouse/site", "pikepdf"),  # a tenth of a second, and most commands write no PDF
    ("warehouse/alerts", "apprise"),  # a second, and most nights send nothing
    ("warehouse/airflow", "airflow"),  # seconds; only a run in its own process needs it
    ("warehouse/airflow", "fastapi"),  # the same
    ("warehouse/airflow", "cryptography.fernet"),  # once in a home's life
    ("expectations", "great_expectations"),  # seconds; only the gate needs it
    ("expectations", "pandas"),  # the same
    # Programs that a test starts: they set the environment up that Airflow, and what reads its settings, is imported in.
    ("tests/dags", "airflow"),
    ("tests/dags", "warehouse"),
    ("tests/dags", "nightly"),
}
# DAG files are parsed again and again, on machines that may have no database: a task imports what it calls when it runs.
LATE_IN_DAGS = ("warehouse",)

# Tables of the loader, each with the statements that may change it.
OF_THE_LEDGER = re.compile(
    r"\b(?:insert\s+into|update|delete\s+from|truncate(?:\s+table)?|merge\s+into)\s+(?:only\s+)?"
    r"(?:ops\.(?:load|withdrawal|acceptance)|quarantine\.refused_row)\b",
    re.IGNORECASE,
)


def modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def imported_late(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of every import inside a function or class."""
    for outer in ast.walk(tree):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for node in ast.walk(outer):
                if isinstance(node, ast.Import):
                    yield from ((node.lineno, alias.name) for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    yield from ((node.lineno, f"{node.module or '.'}.{alias.name}") for alias in node.names)


def is_of(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_an_import_inside_a_function_only_saves_the_time_that_a_heavy_library_takes_to_load() -> None:
    wrong, used = [], set()
    for file, tree in modules(*PACKAGES):
        for line, name in imported_late(tree):
            allowed = {(where, late) for where, late in LATE if file.startswith(f"{where}/") and is_of(name, late)}
            used |= allowed
            is_of_a_dag = file.startswith("dags/") and any(is_of(name, late) for late in LATE_IN_DAGS)
            if not allowed and not is_of_a_dag:
                wrong.append(f"{file}:{line} imports {name}")
    assert wrong == [], "import it at the top of the file; where that is a circle, move what both need below both"
    assert sorted(LATE - used) == [], "nothing imports these late any more: take them off the list"


def test_a_dag_imports_of_the_warehouse_only_its_steps_and_the_site_inside_tasks() -> None:
    of_tasks = {name for _, tree in modules("dags") for _, name in imported_late(tree) if is_of(name, "warehouse")}
    at_the_top = [
        f"{file}:{node.lineno}"
        for file, tree in modules("dags")
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and is_of(node.module or "", "warehouse")
    ]
    assert of_tasks == {
        "warehouse.steps",
        "warehouse.site",
        "warehouse.airflow",
        "warehouse.platform.settings.settings",
    }
    assert at_the_top == [], "import it inside the task: Airflow parses these files without a warehouse"


def test_every_source_with_code_of_its_own_is_kept_apart_from_the_others() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (apart,) = (c["modules"] for c in contracts if c["name"] == "A publisher's own code knows no other publisher's")
    with_code = {
        f"ingest.sources.{folder.name}" for folder in (ROOT / "ingest/sources").iterdir() if [*folder.glob("*.py")]
    }
    assert sorted(with_code) == sorted(apart), "name it in that contract of pyproject.toml"


def test_the_ledger_alone_writes_the_lines_of_loads() -> None:
    # bench empties the ledger of a server of its own between two measurements.
    found = {
        file
        for file, tree in modules("ingest", "warehouse", "expectations", "sandbox", "dags")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and OF_THE_LEDGER.search(node.value)
    }
    assert found == {"ingest/ledger.py"}, "call a function of ingest.ledger, or add one there"


def test_landing_alone_writes_what_stands_beside_a_landed_file() -> None:
    beside = re.compile(r"\.(papers|events|withdrawn|refused|refused-as|renamed|released|returned-)\S*(\.jsonl?|$)")
    found = {
        file
        for file, tree in modules("ingest", "warehouse", "expectations", "sandbox", "dags")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and beside.search(node.value)
    }
    # It looks which bytes are there, and writes nothing.
    found -= {"warehouse/steps/fetch_records.py"}
    assert found, "the pattern finds nothing"
    assert [file for file in sorted(found) if not file.startswith("ingest/landing")] == []
