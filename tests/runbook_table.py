"""The codes in docs/runbook.md, made from ingest/codes.csv: `python -m tests.runbook_table` (`make runbook-table`) writes them there."""

from __future__ import annotations

import re
from pathlib import Path

from ingest.codes import Entry, registry

RUNBOOK = Path(__file__).resolve().parents[1] / "docs" / "runbook.md"
TURN = {"publisher": "the publisher", "us": "us", "operator": "the operator"}


def _anchor(section: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", section.lower()).replace(" ", "-")


def sections() -> str:
    """Where to go by code: one row a section, in the order of the registry."""
    codes: dict[str, list[str]] = {}
    for entry in registry().values():
        if entry.runbook:
            codes.setdefault(entry.runbook, []).append(f"`{entry.code}`")
    rows = [f"| {', '.join(found)} | [{name}](#{_anchor(name)}) |" for name, found in codes.items()]
    return "\n".join(["| the message ends with | go to |", "|---|---|", *rows])


def table() -> str:
    """What each code means and what to do: one row a code."""
    rows = [f"| `{one.code}` | {_turn(one)} | {one.meaning} | {one.cure} |" for one in registry().values()]
    return "\n".join(["| code | whose turn | what it means | what to do |", "|---|---|---|---|", *rows])


def _turn(entry: Entry) -> str:
    return f"{TURN[entry.turn]} (warning)" if entry.severity == "warning" else TURN[entry.turn]


def written(runbook: str) -> str:
    """The runbook with both tables as the registry has them now."""
    for name, text in (("sections", sections()), ("codes", table())):
        begin, end = f"<!-- {name}: make runbook-table -->\n", f"\n<!-- end of {name} -->"
        before, _, rest = runbook.partition(begin)
        _, found, after = rest.partition(end)
        assert found, f"docs/runbook.md has no place for {name}"
        runbook = f"{before}{begin}{text}{end}{after}"
    return runbook


if __name__ == "__main__":
    RUNBOOK.write_text(written(RUNBOOK.read_text(encoding="utf-8")), encoding="utf-8")
