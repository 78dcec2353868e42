"""Housekeeping: waiting alerts, half-landed files, files kept for as long as they may be, the weekly backup."""

from __future__ import annotations

from typing import Any

from ingest import landing
from warehouse import alerts
from warehouse.home import backup
from warehouse.platform.connection import has_admin
from warehouse.steps import erasing, step


def maintain() -> dict[str, Any]:
    """Deliver alerts that are still waiting, and tidy what the nights leave: half-landed files, planner statistics.

    Returns:
        How many alerts went out, how many half-landed files were removed, and how many landed files were erased because they were kept for as
        long as they may be (null where this process has no admin's connection: `vru erase --due` then).
    """
    chosen = step.settings()
    folders = [chosen.landing, *chosen.landing.glob("*/*/")]
    removed = sum(landing.remove_half_landed(folder) for folder in folders)
    erased = len(erasing.erase_due()) if has_admin(chosen) else None
    return {
        "alerts_delivered": alerts.deliver_pending(chosen),
        "half_landed_files_removed": removed,
        "files_erased": erased,
    }


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
