"""What must never be in the tree, and what the README promises about it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.conftest import PROJECT

TEXT = {".py", ".sql", ".yml", ".yaml", ".md", ".toml", ".txt", ".csv", ".lock", ".cfg", ".ini", ""}


def tracked() -> list[Path]:
    if not (PROJECT / ".git").exists():
        return [
            f
            for f in PROJECT.rglob("*")
            if f.is_file() and not {".venv", "var", "build"} & set(f.relative_to(PROJECT).parts)
        ]
    names = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    return [PROJECT / name for name in names.split("\0") if name and (PROJECT / name).is_file()]


def test_no_file_names_a_package_registry_or_a_folder_of_one_machine() -> None:
    # Written in pieces, so that this file is not the one it looks for.
    unwanted = re.compile(
        "py"
        + r"pi\.org|python"
        + r"hosted|npm"
        + r"js\.(org|com)|deb\.deb"
        + r"ian\.org|/wo"
        + "rk/|/ro"
        + "ot/|/ho"
        + r"me/\w+/"
    )
    wrong = [
        f"{file.relative_to(PROJECT)}: {found.group()}"
        for file in tracked()
        if file.suffix in TEXT and (found := unwanted.search(file.read_text(encoding="utf-8", errors="ignore")))
    ]
    assert wrong == []


def test_no_tracked_file_is_larger_than_a_mebibyte() -> None:
    assert [str(f.relative_to(PROJECT)) for f in tracked() if f.stat().st_size > 1024 * 1024] == []


def test_every_lock_pins_every_package_with_hashes() -> None:
    for lock in (f for f in tracked() if f.name.startswith("requirements") and f.suffix == ".lock"):
        entries = re.split(r"\n(?=[a-zA-Z0-9])", lock.read_text(encoding="utf-8"))
        pinned = [e for e in entries if re.match(r"[a-zA-Z0-9]", e)]
        assert len(pinned) > 0, lock
        assert [e.splitlines()[0] for e in pinned if "==" not in e or "--hash=sha256:" not in e] == [], lock


def test_every_path_the_readme_names_is_there() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|", readme, flags=re.MULTILINE)
    assert len(rows) >= 10
    assert [
        path for path in rows if "/" in path and not path.startswith("marts.") and not (PROJECT / path).exists()
    ] == []


def test_no_python_file_is_longer_than_350_lines() -> None:
    long = {
        str(file.relative_to(PROJECT)): lines
        for file in tracked()
        if file.suffix == ".py" and (lines := file.read_text(encoding="utf-8").count("\n")) > 350
    }
    assert long == {}


def test_no_paragraph_of_the_docs_stands_there_twice() -> None:
    """Two versions of one paragraph are what a merge leaves behind: they begin alike and say different things."""
    pages = [f for f in tracked() if f.suffix == ".md"]
    assert len(pages) > 10
    twice = []
    for page in pages:
        prose = re.sub(r"^([ ]*)```.*?^\1```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        beginnings = [line[:60] for line in prose.splitlines() if len(line) >= 60]
        twice += [f"{page.relative_to(PROJECT)}: {said}" for said in set(beginnings) if beginnings.count(said) > 1]
    assert sorted(twice) == []
