"""What dbt makes of the project's files: parsed once for all contracts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT


@pytest.fixture(scope="session")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which `make docs` describes the project, as it does on a clone: without a home and without a database."""
    folder = tmp_path_factory.mktemp("docs")
    result = subprocess.run(
        ["make", "--silent", "docs", f"DOCS={folder}", f"BIN={Path(sys.executable).parent}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1] == f"{folder}/static_index.html"
    return folder


@pytest.fixture(scope="session")
def manifest(documented: Path) -> dict[str, Any]:
    """What dbt makes of the project: each model with what it reads, through macros too."""
    return dict(json.loads((documented / "manifest.json").read_text(encoding="utf-8")))
