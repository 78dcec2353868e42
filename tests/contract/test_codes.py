"""Every failure has a code, every code stands in the registry and is used, and the runbook is made from the registry."""

from __future__ import annotations

import ast
import csv
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.codes import FILE, registry
from ingest.errors import BodyRefused, FileRefused, PublisherUnavailable, Refusal, together
from tests import runbook_table
from warehouse import publish
from warehouse.build import transform
from warehouse.platform.embedded import WarehouseAway
from warehouse.steps import ReleaseHeld

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ingest", "warehouse", "expectations", "dags")
TAKE_A_CODE_FIRST = {"Fault", "file_fault", "header_fault", "Wrong", "refuse", "archive_refused", "_PartsRefused"} | {
    kind.__name__
    for kind in (
        Refusal, PublisherUnavailable, BodyRefused, FileRefused, ReleaseHeld, WarehouseAway, publish.RolledBackFrom, transform.BuildFailed,
    )
}  # fmt: skip


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8"))


def label_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def passes_on(argument: ast.expr) -> bool:
    """Whether an argument is the code of another failure, or one that the function was given."""
    return (isinstance(argument, ast.Attribute) and argument.attr == "code") or (
        isinstance(argument, ast.Name) and argument.id == "code"
    )


def test_every_failure_gives_a_code_of_the_registry_first() -> None:
    wrong, literal = [], 0
    for file, tree in sources():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            is_of_watch = file.name == "watch.py" and label_of(call) == "Finding"
            if label_of(call) not in TAKE_A_CODE_FIRST and not is_of_watch:
                continue
            first = call.args[0] if call.args else ast.Constant(None)
            for code in [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]:
                if isinstance(code, ast.Constant) and code.value in registry():
                    literal += 1
                elif not passes_on(code):
                    wrong.append(f"{file}:{call.lineno}: {ast.unparse(call)[:80]}")
    assert wrong == []
    assert literal > 200


def test_every_code_of_the_registry_is_used() -> None:
    constants = {
        node.value for _, tree in sources() for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }  # fmt: skip
    assert sorted(registry().keys() - constants) == []


def test_every_code_that_the_database_names_stands_in_the_registry() -> None:
    status = (ROOT / "warehouse" / "platform" / "schema" / "40_status.sql").read_text(encoding="utf-8")
    named = set(re.findall(r"'([A-Z]+(?:_[A-Z]+)+)'", status)) - {"YYYY-MM"}
    assert named == {"GATE_HELD", "ROLLED_BACK_FROM", "DATASET_STALE", "NOTHING_LOADED"}
    assert named <= registry().keys()


def test_each_code_stands_once_and_its_sentences_are_plain() -> None:
    with FILE.open(encoding="utf-8", newline="") as file:
        codes = [row["code"] for row in csv.DictReader(file)]
    assert codes == list(registry())
    long = {one.code for one in registry().values() if len(one.meaning) > 160 or one.cure.count(". ") > 2}
    assert long == set()


@pytest.mark.parametrize(
    "kind", [Refusal, PublisherUnavailable, BodyRefused, FileRefused, ReleaseHeld, WarehouseAway, transform.BuildFailed]
)
def test_a_failure_keeps_its_code_from_one_process_to_another(kind: type[Refusal]) -> None:
    there = pickle.loads(pickle.dumps(kind("NO_ROWS", "is empty", where="a.csv", kept="all", next_step="wait")))  # noqa: S301 - its own bytes
    assert (type(there), there.code, there.where, there.kept, there.next_step) == (
        kind,
        "NO_ROWS",
        "a.csv",
        "all",
        "wait",
    )
    assert str(there) == "a.csv: is empty. Kept: all. Next: wait. [NO_ROWS]"


def test_several_refusals_in_one_each_say_their_own_code() -> None:
    refusals = [Refusal("NO_ROWS", "is empty", where="a.csv"), Refusal("NOT_THE_FILE", "is JSON", where="b.csv")]
    told = FileRefused(refusals[0].code, together(refusals))
    assert str(told) == "a.csv: is empty. [NO_ROWS] b.csv: is JSON. [NOT_THE_FILE]"


def test_the_runbook_has_the_codes_of_the_registry_and_every_section_it_names() -> None:
    runbook = runbook_table.RUNBOOK.read_text(encoding="utf-8")
    assert runbook_table.written(runbook) == runbook, "run `make runbook-table`"
    headings = set(re.findall(r"^## (.*)$", runbook, re.MULTILINE))
    assert {one.runbook for one in registry().values() if one.runbook} - headings == set()
