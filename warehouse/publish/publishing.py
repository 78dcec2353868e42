"""Publishing: all marts move in one transaction, by difference, and what a row said before goes to history."""

from __future__ import annotations

import psycopg
from psycopg import sql

from ingest.errors import Refusal
from warehouse.platform import audit
from warehouse.platform.connection import PUBLISHER
from warehouse.platform.settings import Settings
from warehouse.publish import (
    as_of,
    disclosure,
    history,
    mart_schema,
    merge,
    open_marts,
    pin,
    publisher_connection,
    release_records,
    removals,
    rights,
    schema_change,
    views,
)
from warehouse.publish.merge import Counts
from warehouse.publish.release_records import UNTOUCHED, Publication


def publish(settings: Settings, candidate_id: str, *, force: bool = False) -> Publication:
    """Publish the candidate that was judged: the newest build, whole or not at all.

    Args:
        candidate_id: the build that was judged. One that was published before is not published again: its publication
            is returned, so that a caller who never heard how the commit ended may simply ask again.
        force: a person asked for this build: publish it also when the marts were rolled back from the same input.

    Returns:
        The publication; its state is "unchanged" when the marts held every row already, and then nothing was written.

    Raises:
        RolledBackFrom: when the marts were rolled back from the same input; the release is marked held.
        Refusal: when the candidate has no verdict that lets it through, is not the newest or has changed since, when
            its shape would break a reader's query, when a table is held on to for too long, or when the database gives
            up. Nothing has changed then.
    """
    with publisher_connection.publisher(settings) as connection:
        with connection.transaction():
            publisher_connection.take_turn(connection)
            outcome = _publish(settings, connection, candidate_id, force=force)
        if isinstance(outcome, Refusal):
            raise outcome
        publisher_connection.analyze(connection, outcome)
    return outcome


def _publish(
    settings: Settings, connection: psycopg.Connection, candidate_id: str, *, force: bool
) -> Publication | Refusal:
    verdicts = release_records.read(connection, sql.SQL("candidate_id = %s and rolled_back_to is null"), [candidate_id])
    if not verdicts:
        raise Refusal(
            "CANDIDATE_NOT_PUBLISHABLE",
            f"candidate {candidate_id} has no verdict",
            kept=UNTOUCHED,
            next_step="run `vru build`, which judges what it builds",
        )
    release = verdicts[0]
    if release.verdict == "blocked":
        raise Refusal(
            "GATE_HELD",
            f"the gate blocked candidate {candidate_id} (release {release.release_id}): {release.verdict_reason}",
            kept=UNTOUCHED,
            next_step="`vru status` says what is held; correct the delivery or the check, then run `vru build`",
        )
    current = release_records.current(connection)
    pinned = pin.reason_to_hold(connection, candidate_id)
    if pinned is not None and not force:
        if release.state == "judged":
            release_records.hold(connection, release.release_id, pinned.problem)
        return pinned
    if release.state in ("published", "unchanged") and pinned is None:
        return release_records.as_publication(release, current)
    if force and (pinned is not None or release.state == "held"):
        why = pinned.problem if pinned is not None else release.verdict_reason
        audit.write(settings, PUBLISHER, "publish", f"release {release.release_id}", why=why, candidate_id=candidate_id)
    candidate, candidate_views = _candidate(connection, candidate_id)
    _check_data_kind(connection, release, current)
    if release.state == "held" and pinned is None and not force:
        raise Refusal(
            "GATE_HELD",
            f"release {release.release_id} of candidate {candidate_id} is held: {release.verdict_reason}",
            kept=UNTOUCHED,
            next_step="run `vru build`",
        )
    if force and (release.state != "judged" or (current and release.release_id < current.release_id)):
        release = release_records.open_release(connection, release, rolled_back_to=None)
    if current and release.release_id < current.release_id:
        raise Refusal(
            "CANDIDATE_NOT_PUBLISHABLE",
            f"release {current.release_id} was published after candidate {candidate_id} was judged "
            f"(as release {release.release_id})",
            kept=UNTOUCHED,
            next_step="run `vru build`, which judges again and publishes",
        )
    changes, reshaped = _move_to_candidate(connection, candidate, candidate_views, release.release_id)
    return release_records.close_release(
        settings, connection, release, current, changes, moved=reshaped or release_records.has_moved(changes)
    )


def _candidate(
    connection: psycopg.Connection, candidate_id: str
) -> tuple[dict[str, mart_schema.Table], dict[str, views.View]]:
    """The tables of the candidate, held still for this transaction, and its views.

    Raises:
        Refusal: when another build has begun since, or this one never ended.
    """
    changed = Refusal(
        "CANDIDATE_NOT_PUBLISHABLE",
        f"schema candidate does not hold candidate {candidate_id}: another build has begun since, this one was cut short, "
        "or it was published and its rows were let go",
        kept=UNTOUCHED,
        next_step="run `vru build`, which judges what it builds",
    )
    names = sorted(mart_schema.read_tables(connection, mart_schema.CANDIDATE))
    if names:
        try:
            # A build that replaces one of them now waits until we are through.
            connection.execute(
                sql.SQL("lock table {} in access share mode").format(
                    sql.SQL(", ").join(sql.Identifier(mart_schema.CANDIDATE, name) for name in names)
                )
            )
        except psycopg.errors.UndefinedTable as error:
            raise changed from error
    candidate_views = views.read_views(connection, mart_schema.CANDIDATE)
    # A build announces itself before it touches a table. None had when this is read, so what is read above is this one's.
    newest = connection.execute(
        "select candidate_id, built_at, emptied_at from ops.candidate order by begun_at desc, candidate_id desc limit 1"
    ).fetchone()
    tables = mart_schema.read_tables(connection, mart_schema.CANDIDATE)
    if newest is None or newest[0] != candidate_id or newest[1] is None or newest[2] or sorted(tables) != names:
        raise changed
    return tables, candidate_views


def _check_data_kind(
    connection: psycopg.Connection, release: release_records.Release, current: release_records.Release | None
) -> None:
    home = connection.execute("select data_kind from ops.warehouse").fetchone()
    kinds = {(home[0] if home else None) or release.data_kind, current.data_kind if current else release.data_kind}
    if kinds != {release.data_kind}:
        raise Refusal(
            "KINDS_MIXED",
            f"candidate {release.candidate_id} is made from {release.data_kind} data and this home publishes "
            f"{(kinds - {release.data_kind}).pop()} data; the two never meet",
            kept=UNTOUCHED,
            next_step="use another home (VRU_HOME)",
        )


def _move_to_candidate(
    connection: psycopg.Connection,
    candidate: dict[str, mart_schema.Table],
    candidate_views: dict[str, views.View],
    release_id: int,
) -> tuple[dict[str, Counts], bool]:
    """Give the marts the candidate's shape and rows.

    Returns:
        Rows moved in each mart, and whether any mart's shape changed.
    """
    marts = mart_schema.read_tables(connection, mart_schema.MARTS)
    to_go = removals.read()
    plans, foreign_keys = schema_change.plan(
        candidate, marts, mart_schema.read_tables(connection, mart_schema.PAST), candidate_views.keys(), to_go
    )
    views.check(connection, candidate_views, marts, to_go)
    removed = [mart for name, mart in marts.items() if name not in {*candidate, *candidate_views}]
    loses = bool(removed) or any(plan.removed for plan in plans.values())
    altered = [name for name, plan in plans.items() if plan.alters]
    moved: dict[str, Counts] = {}

    def move(name: str) -> None:
        if plans[name].removed:
            history.keep_all(connection, marts[name])
        for statement in plans[name].before:
            connection.execute(statement)
        source = candidate[name]
        if plans[name].is_new:
            moved[name] = merge.fill(connection, source, release_id)
        else:
            moved[name] = merge.move(connection, source, source.identifier, release_id)

    if any(plan.drops for plan in plans.values()):
        schema_change.lock(connection, altered, "access exclusive")
        for name in altered:
            for statement in plans[name].drops:
                connection.execute(statement)
    # A table with checks outstanding cannot be dropped, so it goes before any row moves; a view of it, or of a column that goes, before that.
    if loses:
        views.withdraw(connection, candidate_views.keys(), tables_change=True)
        schema_change.remove(connection, removed)
    for name in candidate:
        if name not in altered:
            move(name)
    # Readers of these wait from here to the commit, so they come last.
    schema_change.lock(connection, altered, "access exclusive")
    for name in altered:
        move(name)
    # A table with checks outstanding cannot be altered; all rows are in place, so they can be made now.
    connection.execute("set constraints all immediate")
    for plan in plans.values():
        for statement in plan.after:
            connection.execute(statement)
    for statement in foreign_keys:
        connection.execute(statement)
    schema_change.lock(
        connection,
        [name for name, plan in plans.items() if plan.comments and not plan.is_new and not plan.alters],
        "share update exclusive",
    )
    for plan in plans.values():
        for statement in plan.comments:
            connection.execute(statement)
    reshaped = loses or bool(foreign_keys) or any(plans.values())
    for name, mart in (mart_schema.read_tables(connection, mart_schema.MARTS) if reshaped else marts).items():
        if name in candidate:
            as_of.refresh_as_of(connection, mart)
    viewed = views.publish(connection, candidate_views, marts)
    disclosure.publish(connection)
    open_marts.publish(connection)
    rights.keep(connection)
    return {name: moved[name] for name in candidate}, reshaped or viewed
