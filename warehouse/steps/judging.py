"""Judging the candidate: the gate."""

from __future__ import annotations

from expectations import gate as suites
from ingest import queue, raw
from ingest.errors import Refusal
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings
from warehouse.steps import step


class ReleaseHeld(Refusal):
    """The gate blocked the candidate: yesterday's marts stand."""


def gate(run_id: str, candidate_id: str) -> str:
    """Judge the candidate. Returns the verdict (passed or warned).

    Raises:
        ReleaseHeld: it is blocked; names checks, areas and months.
    """
    with step.noted(run_id, "gate", "candidate"):
        verdict = suites.judge(step.settings(), candidate_id)
        clear_what_waited(step.settings())
        if verdict.verdict == "blocked":
            raise ReleaseHeld(
                "GATE_HELD",
                f"the release is held: {verdict.reason}",
                kept="the marts are as they were",
                next_step="docs/runbook.md, section 'A release is held'; `vru status` says since when",
            )
    return str(verdict.verdict)


def clear_what_waited(chosen: Settings) -> None:
    """Take out of raw what was superseded while a candidate built from it waited for its verdict."""
    with connect(chosen, LOADER, autocommit=True) as connection:
        for source, by_dataset in raw.left_behind(connection).items():
            with connection.transaction():
                queue.lock_shared(connection, source)
                for dataset, load_ids in by_dataset.items():
                    raw.take_out_for_good(connection, source, dataset, load_ids)
