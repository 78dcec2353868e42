"""Unit tests of the models, run on a home: what a formula gives for rows that stand beside it in the model's YAML."""

from __future__ import annotations

import dataclasses
import json

from ingest.errors import Refusal
from warehouse.build import transform
from warehouse.platform.settings import Settings


@dataclasses.dataclass(frozen=True)
class UnitTests:
    """How they ended, each as `model.test`, and what dbt said of those that failed: expected and actual rows."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    said: str


def run(settings: Settings, *models: str) -> UnitTests:
    """Run the unit tests of these models, or of all.

    dbt takes the types of a test's columns from the tables that the home's last build left, so the home needs one build of this code. No
    table of it is read or written.

    Args:
        models: names of models, or another of dbt's selectors; none: every model.

    Raises:
        Refusal: none of them has a unit test, or dbt could not begin.
    """
    results = settings.home / "dbt" / "run_results.json"
    results.unlink(missing_ok=True)
    selected = [f"{model},test_type:unit" for model in models] or ["test_type:unit"]
    result = transform.dbt(settings, "test", "--select", *selected)
    said = (result.stdout + result.stderr).strip()
    found = json.loads(results.read_text(encoding="utf-8"))["results"] if results.exists() else []
    if result.returncode and not found:
        raise Refusal(
            "BUILD_FAILED", f"dbt could not run the unit tests: {said}", where="dbt", kept="the home as it was"
        )
    if not found:
        raise Refusal("OPTION_INVALID", f"no model of {', '.join(models) or 'the project'} has a unit test")
    ended = {item["unique_id"].split(".", 2)[-1]: item["status"] for item in found}
    return UnitTests(
        tuple(name for name, status in ended.items() if status == "pass"),
        tuple(name for name, status in ended.items() if status != "pass"),
        said,
    )
