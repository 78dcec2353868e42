"""Where in the project's files a piece of a compiled statement is written: comments that a copy of the files carries through Jinja."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

# What these macros give is no SQL of a model.
_PLAIN = {
    "generate_schema_name.sql", "load_csv_rows.sql", "persist_docs.sql", "declared_constraints.sql", "forget_files_no_longer_loaded.sql",
    "counting_models.sql",
}  # fmt: skip
_MARK = re.compile(r"/\*([<>])([\w./]+:\d+)\*/")
_TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)


def marked_copy(project: Path, copy: Path) -> None:
    """Copy a dbt project; each line of SQL in a model or a macro begins with /*<file:line*/ and ends with /*>file:line*/."""
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("target", "logs", ".user.yml"))
    for file in [*(copy / "models").rglob("*.sql"), *(copy / "macros").glob("*.sql")]:
        if file.name not in _PLAIN and "staging" not in file.parts:
            file.write_text(
                _marked(file.read_text(encoding="utf-8"), file.relative_to(copy).as_posix()), encoding="utf-8"
            )


def _marked(text: str, name: str) -> str:
    """The text of a file with its marks. A line with a block of Jinja has none: what it gives may begin and not end there."""
    inside = set()
    for tag in _TAG.finditer(text):
        inside |= {place for place in range(tag.start(), tag.end()) if text[place] == "\n"}
    lines, begun, first = [], "", 0
    place = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        begun, first = begun + line, first or number
        place += len(line)
        if place - 1 in inside:
            continue
        is_sql = begun.strip() and "{%" not in begun and "{#" not in begun and "config(" not in begun
        body, end = begun.rstrip("\n"), begun[len(begun.rstrip("\n")) :]
        # A comment to the end of the line would hide the second mark, and has nothing to be found.
        is_sql = is_sql and not body.lstrip().startswith("--")
        code, dashes, remark = body.partition(" -- ")
        lines.append(f"/*<{name}:{first}*/{code}/*>{name}:{first}*/{dashes}{remark}{end}" if is_sql else begun)
        begun, first = "", 0
    return "".join(lines)


def origins(statement: str) -> list[tuple[int, str, int]]:
    """From which character on a compiled statement is of which line (innermost; '' where nothing says it), and where that line began."""
    found, open_lines = [(0, "", 0)], [("", 0)]
    for mark in _MARK.finditer(statement):
        side, line = mark.groups()
        if side == "<":
            open_lines.append((line, mark.start()))
        elif line in [name for name, _ in open_lines]:
            while open_lines.pop()[0] != line:
                pass
        found.append((mark.end(), *open_lines[-1]))
    return found


def without_marks(text: str) -> str:
    """The text without its marks."""
    return _MARK.sub("", text)
