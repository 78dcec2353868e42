"""Setting aside: a load that what stands beside it contradicts, or with which the build fails, is left out of the build and named.

Its rows leave raw and its bytes stay in landing. It is judged again before every build, from the ledger alone: so the order in which
files came does not matter, and a file comes back by itself when the months beside it say that it was right. What was found of its own new
periods when it was loaded (`ops.load.doubt`) stays. `vru accept` makes it stand whatever is found.
"""

from __future__ import annotations

import dataclasses

import psycopg

from ingest import landing, ledger, queue, raw
from ingest.declaration import find_source
from ingest.errors import Refusal, Wrong, in_one_line
from ingest.load import load as load_file
from warehouse.build import contradictions, transform
from warehouse.build.loads import Load, read_loads
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings

BESIDE, BUILD = "beside", "build"  # why: what stands beside it, or the build


def judge(settings: Settings) -> list[Load]:
    """Set aside what the loads beside it contradict, and load again what they no longer do.

    Returns:
        The loads that are set aside now and stood before.
    """
    with connect(settings, LOADER, autocommit=True) as connection, queue.lock_exclusive(connection):
        return judge_within(settings, connection)


def judge_within(settings: Settings, connection: psycopg.Connection) -> list[Load]:
    """As `judge`, on a connection whose caller stands alone in the queue."""
    now_aside = []
    loads = read_loads(connection)
    reasons = contradictions.found(loads)
    for load in loads:
        reason = None if load.is_accepted else reasons.get(load.load_id)
        if load.state == "loaded":
            if reason:
                now_aside.append(put_aside(connection, load, BESIDE, reason))
        elif _may_be_tried(load, reason):
            take_back(settings, connection, load)
        elif reason:
            ledger.say_why_aside(connection, load.load_id, reason)
    return now_aside


def accept(settings: Settings, load_id: int, reason: str, by: str) -> str:
    """Make a load that is set aside stand, because a person says that it is true.

    Returns:
        Its file's name.

    Raises:
        Refusal: there is no such load, it is not set aside, or it cannot be loaded again.
    """
    with connect(settings, LOADER, autocommit=True) as connection, connection.transaction():
        known = connection.execute("select source, state from ops.load where load_id = %s", [load_id]).fetchone()
        if known:
            queue.lock_shared(connection, known[0])
        load = next((one for one in read_loads(connection) if one.load_id == load_id), None)
        if load is None or load.state != "set_aside":
            state = f"it is {load.state if load else known[1]}" if known else "the ledger has no such load"
            raise Refusal(
                "LOAD_IN_ANOTHER_STATE",
                f"load {load_id} is not set aside ({state}), so there is nothing to accept",
                kept="nothing changed",
                next_step="`vru status` names the loads that are set aside, and `vru loads` the state of each",
            )
        if load.set_aside.get("kind") == BUILD:
            raise Refusal(
                "LOAD_IN_ANOTHER_STATE",
                f"load {load_id} cannot be accepted: {load.reason}",
                kept="nothing changed",
                next_step="docs/runbook.md, section 'A file was set aside'",
            )
        ledger.accept(connection, load_id, settings.now(), in_one_line(by), in_one_line(reason))
        if refused := take_back(settings, connection, load):
            raise refused
        stands = connection.execute(
            "select 1 from ops.load where source = %s and dataset = %s and landed_path = %s and state = 'loaded'",
            [load.source, load.dataset, load.landed_path],
        ).fetchone()
        if stands is None:
            raise Refusal(
                "LOAD_IN_ANOTHER_STATE",
                f"load {load_id} would not stand: a newer release speaks for {load.part}",
                kept="nothing changed",
                next_step="`vru loads` names it",
            )
        return load.file_name


def _may_be_tried(load: Load, reason: Wrong | None) -> bool:
    """Whether a load that is set aside may stand in the next build: nothing contradicts it, and the code that failed is another."""
    found_by_this_code = load.set_aside.get("code") == transform.code_version()
    return reason is None and not (load.set_aside.get("kind") == BUILD and found_by_this_code)


def put_aside(connection: psycopg.Connection, load: Load, kind: str, wrong: Wrong) -> Load:
    """Set a load aside: its rows leave raw. Returns it as it is now."""
    found_by = {"kind": kind, "code": transform.code_version()}
    with connection.transaction():
        raw.take_out_for_good(connection, load.source, load.dataset, [load.load_id])
        ledger.set_aside(connection, load.load_id, wrong, found_by)
    return dataclasses.replace(load, state="set_aside", reason=wrong.reason, code=wrong.code, set_aside=found_by)


def take_back(settings: Settings, connection: psycopg.Connection, load: Load) -> Refusal | None:
    """Load a file again that was set aside. Where it is refused now it stays aside, and the refusal is returned."""
    try:
        with connection.transaction():
            ledger.end_setting_aside(connection, load.load_id)
            file = landing.find(settings.landing, load.landed_path)
            load_file(connection, find_source(load.source), load.dataset, file, settings.now(), settings.landing)
    except Refusal as refusal:
        return refusal
    return None
