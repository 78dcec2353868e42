"""Publishing the candidate that was judged."""

from __future__ import annotations

from typing import Any

from warehouse import publish as releases
from warehouse.build import emptying
from warehouse.steps import step


def publish(run_id: str, candidate_id: str, *, force: bool = False) -> dict[str, Any]:
    """Publish the judged candidate. Returns release id, verdict, state and how many rows it changed in which mart. Raises Refusal.

    Args:
        force: a person asked for it: publish it also when the marts were rolled back from the same files.
    """
    with step.noted(run_id, "publish", "candidate"):
        try:
            done = releases.publish(step.settings(), candidate_id, force=force)
        except releases.RolledBackFrom:
            # Somebody went back on purpose; `marts.data_status` says so until new files come. That is no failure of the night.
            return {"release_id": None, "state": "held"}
    emptying.empty(step.settings(), candidate_id)
    changed = {mart: sum(counts.values()) for mart, counts in done.row_changes.items()}
    return {
        "release_id": done.release_id,
        "verdict": done.verdict,
        "state": done.state,
        "rows_changed": {mart: rows for mart, rows in sorted(changed.items()) if rows},
    }
