"""Beginning a night."""

from __future__ import annotations

from ingest import landing
from ingest.declaration import find_source, read_sources
from warehouse import alerts
from warehouse.platform import readers, roles
from warehouse.platform.connection import LOADER, PUBLISHER, connect
from warehouse.steps import fetching, publishers, step, withdrawing


def begin(run_id: str, sources: list[str] | None, stand_ins: str | None = None) -> None:
    """Start a night: deliver alerts that are still waiting, and see that the night's data are of the home's kind.

    Raises:
        Refusal: an unknown source is named, or stand-ins are asked for in a home of real data, or the other way round.
    """
    with step.noted(run_id, "begin", "nightly"):
        chosen = publishers.for_run(stand_ins)
        fetching.start_clock(chosen, run_id)
        alerts.deliver_pending(chosen)
        with connect(chosen, PUBLISHER) as connection:
            readers.end_overdue_and_say_so(connection)
            if changed := roles.changed(chosen, connection):
                alerts.record_problem(chosen, run_id, "watch", "roles", "ROLE_CHANGED", roles.problem(changed))
        with connect(chosen, LOADER, autocommit=True) as connection:
            withdrawing.settle_withdrawals(chosen, connection)
        for name in sources or read_sources():
            source = find_source(name)
            _, is_stand_in = publishers.base_url(chosen, source)
            kind = landing.SYNTHETIC if is_stand_in else landing.REAL
            held = landing.kind_held(chosen.landing)
            if held not in (None, kind):
                where = f"the {'stand-in' if is_stand_in else 'real'} publisher of {name}"
                landing.claim_kind(chosen.landing, kind, what=where)
