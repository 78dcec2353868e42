"""The models as dbt compiles them, with their unit tests, data tests and what each is made from: read once from the manifest.

What is compiled is a copy in which each line of SQL says where it stands (marks.py): a change is one of the source, wherever it is written out.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from tests.mutants.marks import marked_copy
from warehouse.build import transform
from warehouse.platform.settings import PROJECT, Settings

# What lies between the publishers' rows, which staging only reads, and the reader.
INLINE = "__dbt__cte__"
LAYERS = ("intermediate", "windows", "facts", "reports", "marts")


@dataclasses.dataclass(frozen=True)
class Fixture:
    """Rows of a relation in a unit test: as columns and values, or as a query."""

    relation: str
    rows: tuple[dict[str, Any], ...]
    query: str | None


@dataclasses.dataclass(frozen=True)
class UnitTest:
    """A unit test: what stands in each relation that the model reads, and the rows it should come to."""

    name: str
    given: tuple[Fixture, ...]
    due: Fixture


@dataclasses.dataclass(frozen=True)
class Model:
    """A model: its compiled statement, what it reads (relations as the statement names them), and where it is written."""

    name: str
    relation: str
    statement: str
    file: Path
    parents: tuple[str, ...]
    tests: tuple[UnitTest, ...]
    is_view: bool


@dataclasses.dataclass(frozen=True)
class Project:
    """All models by name, in an order in which each comes after what it is made from, and the queries of the data tests by name."""

    models: dict[str, Model]
    data_tests: dict[str, tuple[str, tuple[str, ...]]]


def read_project(settings: Settings) -> Project:
    """Compile the models on this warehouse, on which they have been built, and read them.

    Raises:
        RuntimeError: dbt does not compile them.
    """
    manifest = _compiled(settings)
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    tests: dict[str, list[UnitTest]] = {}
    for test in manifest["unit_tests"].values():
        tests.setdefault(test["model"], []).append(_unit_test(test, manifest))
    order: dict[str, None] = {}

    def visit(key: str) -> None:
        for parent in nodes[key]["depends_on"]["nodes"]:
            if parent in nodes:
                visit(parent)
        order.setdefault(key)

    for key in sorted(nodes):
        visit(key)
    models = {}
    for key in order:
        node = nodes[key]
        parents = [nodes[p]["name"] for p in node["depends_on"]["nodes"] if p in nodes]
        models[node["name"]] = Model(
            node["name"], _relation(node), node["compiled_code"].strip(), PROJECT / "dbt_project" / node["original_file_path"],
            tuple(parents), tuple(tests.get(node["name"], ())), node["config"]["materialized"] == "view",
        )  # fmt: skip
    data_tests = {
        node["name"]: (
            node["compiled_code"],
            tuple(nodes[p]["name"] for p in node["depends_on"]["nodes"] if p in nodes),
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and node.get("compiled_code")
    }
    return Project(models, data_tests)


def _compiled(settings: Settings) -> dict[str, Any]:
    """The manifest of the marked copy of the project, which is gone afterwards."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(transform, "DBT_PROJECT", Path(folder) / "dbt_project"),
    ):
        marked_copy(PROJECT / "dbt_project", Path(folder) / "dbt_project")
        parts = _parts_as_views(Path(folder) / "dbt_project")
        done = transform.dbt(settings, "run", "--no-partial-parse", "--select", *parts)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        done = transform.dbt(settings, "compile", "--full-refresh", "--no-partial-parse", "--exclude", "test_type:unit")
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    manifest: dict[str, Any] = json.loads((settings.home / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def _parts_as_views(project: Path) -> list[str]:
    """Turn the parts of queries (ephemeral models) into views, so that each has a relation for which a unit test's rows can stand.

    Returns:
        Their names.
    """
    parts = []
    for file in sorted((project / "models").rglob("*.yml")):
        text = file.read_text(encoding="utf-8")
        if "materialized: ephemeral" in text:
            file.write_text(text.replace("materialized: ephemeral", "materialized: view"), encoding="utf-8")
            parts.append(file.stem)
    return parts


def mutable(project: Project, wanted: Sequence[str] = ()) -> list[Model]:
    """The models whose rules are changed: those of the layers after staging, or these alone.

    Raises:
        ValueError: one of the wanted is no such model.
    """
    found = {
        name: model
        for name, model in project.models.items()
        if model.file.relative_to(PROJECT / "dbt_project" / "models").parts[0] in LAYERS
    }
    if unknown := set(wanted) - set(found):
        raise ValueError(f"no such model: {', '.join(sorted(unknown))}")
    return [model for name, model in found.items() if not wanted or name in wanted]


def _relation(node: dict[str, Any]) -> str:
    """What a node is called in compiled statements: its table or view, or the part of a statement that an ephemeral model becomes."""
    return str(node["relation_name"] or f"{INLINE}{node['name']}")


def _unit_test(test: dict[str, Any], manifest: dict[str, Any]) -> UnitTest:
    by_name = {node["name"]: _relation(node) for node in manifest["nodes"].values() if node["resource_type"] != "test"}
    by_name |= {f"{s['source_name']}.{s['name']}": s["relation_name"] for s in manifest["sources"].values()}
    given = []
    for one in test["given"]:
        names = re.findall(r"['\"]([^'\"]+)['\"]", one["input"])
        given.append(_fixture(by_name[".".join(names)], one))
    return UnitTest(test["name"], tuple(given), _fixture(by_name[test["model"]], test["expect"]))


def _fixture(relation: str, one: dict[str, Any]) -> Fixture:
    rows = one["rows"] or []
    if one.get("format") == "sql":
        return Fixture(relation, (), str(rows))
    if isinstance(rows, str):
        rows = [
            {name: value if value != "" else None for name, value in row.items()}
            for row in csv.DictReader(io.StringIO(rows))
        ]
    return Fixture(relation, tuple(rows), None)
