"""docs/adding-a-source.md is true: every block of it, in a copy of the project, takes a new publisher to the marts."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.integration.test_command_line import environment
from tests.mps_files import borough_file, boroughs
from warehouse.platform.connection import ANALYST, connect
from warehouse.platform.settings import Settings

PARTS = ("dags", "dbt_project", "docs", "expectations", "ingest", "sandbox", "warehouse")
BLOCK = re.compile(r"^```\w+ (file|add|line): (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project with everything the page says put in."""
    project = tmp_path / "project"
    for part in PARTS:
        shutil.copytree(PROJECT / part, project / part, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
    blocks = BLOCK.findall((PROJECT / "docs" / "adding-a-source.md").read_text(encoding="utf-8"))
    assert [kind for kind, _, _ in blocks].count("file") == 7
    for kind, name, text in blocks:
        file = project / name
        if kind == "file":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif kind == "add":
            file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")
        else:
            there = file.read_text(encoding="utf-8")
            assert there.count("{% set counts = [\n") == 1
            file.write_text(there.replace("{% set counts = [\n", "{% set counts = [\n" + text), encoding="utf-8")
    with (project / "dbt_project" / "seeds" / "boroughs.csv").open(encoding="utf-8", newline="") as seed:
        codes = [row["borough_code"] for row in csv.DictReader(seed)]
    with (project / "dbt_project" / "seeds" / "area_aliases.csv").open("a", encoding="utf-8") as aliases:
        aliases.writelines(f"parks,{name},{code}\n" for name, code in zip(boroughs(), codes, strict=True))
    return project


def test_a_new_publisher_reaches_the_marts_by_what_the_page_says(
    copy: Path, warehouse: Settings, tmp_path: Path
) -> None:
    def vru(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "warehouse.cli", *arguments],
            env={**os.environ, **environment(warehouse), "PYTHONPATH": str(copy)},
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
        )

    file = tmp_path / "Incidents in parks.csv"
    rows = [f"{name},{number},{number + 1}" for number, name in enumerate(boroughs(), start=1)]
    file.write_text("\n".join(["Borough,202601,202602", *rows]) + "\n", encoding="utf-8")
    police = tmp_path / "police.csv"
    police.write_bytes(borough_file("202403", "202602"))
    assert vru("setup").returncode == 0
    assert vru("land", "mps", "borough_recent", str(police)).returncode == 0
    landed = vru("land", "parks", "incidents", str(file))
    assert landed.returncode == 0, landed.stderr
    built = vru("build")
    assert built.returncode == 0, built.stdout + built.stderr
    with connect(warehouse, ANALYST) as connection:
        found = connection.execute(
            """select area_code, period_start_date::text, value::int from marts.fct_measure
               where measure_code = 'parks_incidents' and area_code in ('E09000003', 'LONDON_32') order by 1, 2"""
        ).fetchall()
    assert found == [
        ("E09000003", "2026-01-01", 2),
        ("E09000003", "2026-02-01", 3),
        ("LONDON_32", "2026-01-01", sum(range(1, 33))),
        ("LONDON_32", "2026-02-01", sum(range(2, 34))),
    ]
