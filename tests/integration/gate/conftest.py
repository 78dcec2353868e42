"""The small candidate in a warehouse: made once, copied for each test that changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from expectations.gate import Verdict
from tests.conftest import Server, new_warehouse
from tests.small_candidate import MARTS, TODAY, change, fill, judge
from warehouse.platform.settings import Settings

FILLED = "vru_small_candidate"
BOROUGHS_SUITE = """
describes: The boroughs.
target: candidate.dim_borough
minimum_checks: {minimum}
checks:
{checks}
"""


@pytest.fixture(scope="session")
def filled(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database that holds the small candidate."""
    with new_warehouse(server, tmp_path_factory.mktemp("filled"), FILLED) as settings:
        fill(settings)
        yield FILLED


@pytest.fixture
def candidate(server: Server, filled: str, tmp_path: Path) -> Iterator[Settings]:
    """A warehouse whose candidate is complete and right."""
    with new_warehouse(server, tmp_path, template=filled) as settings:
        yield settings.model_copy(update={"today": TODAY})


@pytest.fixture(scope="session")
def unchanged(
    server: Server, filled: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Settings, Verdict]]:
    """Such a warehouse, to be read and not changed, and the one verdict that was given there."""
    with new_warehouse(server, tmp_path_factory.mktemp("unchanged"), template=filled) as warehouse:
        settings = warehouse.model_copy(update={"today": TODAY})
        yield settings, judge(settings)


@pytest.fixture
def suites(candidate: Settings, tmp_path: Path) -> Callable[..., Path]:
    """Make a folder with one suite of the boroughs, for a candidate that holds that one table, and one of loads."""
    change(candidate, "drop table " + ", ".join(f"candidate.{table}" for table in MARTS if table != "dim_borough"))

    def make(checks: str, minimum: int = 1) -> Path:
        folder = tmp_path / "suites"
        (folder / "marts").mkdir(parents=True, exist_ok=True)
        (folder / "landing" / "mps").mkdir(parents=True, exist_ok=True)
        (folder / "marts" / "dim_borough.yml").write_text(BOROUGHS_SUITE.format(minimum=minimum, checks=checks))
        (folder / "landing" / "mps" / "loads.yml").write_text(
            "describes: Loads.\ntarget: ops.load\nminimum_checks: 1\nmay_be_all_null: [url, reason, code]\n"
            "checks: [{name: there_are_two, severity: critical, expectation: ExpectTableRowCountToEqual, arguments: {value: 2}}]\n"
        )
        return folder

    return make
