"""What `vru explain` says of a code, or of a check of the gate."""

from __future__ import annotations

from typing import Any

from tabulate import tabulate

from expectations.suite import read_suites
from ingest import codes

WIDTH = 70


class UnknownCode(ValueError):
    """There is no such code and no such check; its text names the nearest codes."""


def every() -> list[dict[str, Any]]:
    """Every entry of the registry, in its order."""
    return [entry.model_dump() for entry in codes.registry().values()]


def explain(name: str) -> list[dict[str, Any]]:
    """The entry of a code, or the checks of the gate of that name, one a suite that has it.

    Raises:
        UnknownCode: it is neither.
    """
    if entry := codes.find(name):
        return [entry.model_dump()]
    held = codes.registry()["GATE_HELD"]
    found = [
        {
            "check": check.name,
            "suite": suite.name,
            "severity": check.severity,
            "about": suite.describes,
            "asks": check.expectation or check.unexpected_rows,
            "runbook": held.runbook,
        }
        for suite in read_suites()
        for check in suite.checks
        if check.name == name
    ]
    if not found:
        close = codes.nearest(name)
        raise UnknownCode(
            f"there is no code {name!r}; "
            + (f"nearest: {', '.join(close)}" if close else "`vru explain` lists them all")
        )
    return found


def as_text(found: list[dict[str, Any]]) -> str:
    """Entries as lines, a blank line between them; what is empty is left out."""
    return "\n\n".join(
        tabulate(
            [(key, str(value)) for key, value in entry.items() if value], tablefmt="plain", maxcolwidths=[None, WIDTH]
        )
        for entry in found
    )
