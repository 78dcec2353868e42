"""Building the candidate."""

from __future__ import annotations

from warehouse.build import candidate
from warehouse.steps import step


def build(run_id: str) -> str | None:
    """Build the candidate, unless the marts already hold what it would be. Returns its id, or None. Raises Refusal.

    Loads that are set aside for it are problems of the run: one alert names them, and the rest is published.
    """
    with step.noted(run_id, "transform", "candidate"):
        return candidate.build(step.settings(), run_id, unless_current=True)
