"""Housekeeping: waiting alerts, half-landed files, the weekly backup."""

from __future__ import annotations

from typing import Any

from ingest import landing
from warehouse import alerts
from warehouse.home import backup
from warehouse.platform.connection import has_admin
from warehouse.steps import step


def maintain() -> dict[str, Any]:
    """Deliver alerts that are still waiting, and tidy what the nights leave: half-landed files, planner statistics.

    Returns:
        How many alerts went out and how many half-landed files were removed.
    """
    chosen = step.settings()
    folders = [chosen.landing, *chosen.landing.glob("*/*/")]
    removed = sum(landing.remove_half_landed(folder) for folder in folders)
    return {"alerts_delivered": alerts.deliver_pending(chosen), "half_landed_files_removed": removed}


def back_up(*, keep: int) -> dict[str, Any]:
    """Take the weekly backup, where this process may read every table.

    In a stack whose services have no admin's connection, `vru backup` is run where `vru setup` is (docs/runbook.md).

    Args:
        keep: so many of the newest backups stay.
    """
    chosen = step.settings()
    if not has_admin(chosen):
        return {
            "backup": None,
            "why": "this process has no admin's connection; run `vru backup` where `vru setup` runs",
        }
    return {name: str(value) for name, value in backup.take(chosen, keep=keep).as_row().items() if name != "folder"}
