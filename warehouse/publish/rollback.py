"""Rolling back: the marts as they were at an earlier release."""

from __future__ import annotations

import dataclasses

import psycopg
from psycopg import sql

from ingest.errors import Refusal
from warehouse.platform import audit
from warehouse.platform.connection import PUBLISHER
from warehouse.platform.settings import Settings
from warehouse.publish import (
    disclosure,
    mart_schema,
    merge,
    open_marts,
    publisher_connection,
    release_records,
    rights,
    schema_change,
)
from warehouse.publish.release_records import UNTOUCHED, Publication


def roll_back(settings: Settings, release_id: int) -> Publication:
    """Make the marts what they were at an earlier release (or at a later one again, after going back too far).

    It is a release of its own, with the candidate and the verdict of the one it restores, so that history says when
    readers saw what. It pins the marts (`pin.py`).

    Args:
        release_id: a published release.

    Returns:
        The publication. Where the marts hold those rows already, there is nothing to do: nothing is written, no release
        is made, and what comes back is the current release with the state "unchanged".

    Raises:
        Refusal: when there is no such published release (the sentence lists those there are), or the database gives up.
    """
    with publisher_connection.publisher(settings) as connection:
        with connection.transaction() as transaction:
            publisher_connection.take_turn(connection)
            outcome = _roll_back(settings, connection, release_id)
            if outcome.state == "unchanged":
                raise psycopg.Rollback(transaction)
        publisher_connection.analyze(connection, outcome)
    if outcome.state != "unchanged":
        audit.write(settings, PUBLISHER, "rollback", f"release {outcome.release_id}", rolled_back_to=release_id)
    return outcome


def _roll_back(settings: Settings, connection: psycopg.Connection, release_id: int) -> Publication:
    published = release_records.read(connection, sql.SQL("state = 'published'"), [])
    target = next((r for r in published if r.release_id == release_id), None)
    if target is None:
        there = ", ".join(str(r.release_id) for r in reversed(published)) or "none"
        states: dict[int, str] = dict(connection.execute("select release_id, state from ops.release").fetchall())
        known = {"unchanged": "changed nothing", "held": "was held", "judged": "was never published"}
        raise Refusal(
            "RELEASE_UNKNOWN",
            f"release {release_id} {known[states[release_id]]}"
            if release_id in states
            else f"there is no release {release_id}",
            kept=UNTOUCHED,
            next_step=f"choose a published release: {there} (`vru releases` lists them)",
        )
    current = published[0]
    if target == current:
        return dataclasses.replace(release_records.as_publication(current, current), state="unchanged", row_changes={})
    new = release_records.open_release(connection, target, rolled_back_to=release_id)
    marts, history = (
        mart_schema.read_tables(connection, mart_schema.MARTS),
        mart_schema.read_tables(connection, mart_schema.PAST),
    )
    sources = {
        name: sql.SQL("{}({})").format(sql.Identifier(mart_schema.HISTORY, f"{name}_as_of"), sql.Literal(release_id))
        for name in marts
    }
    late = {name: _columns_that_came_later(connection, marts[name], history[name], sources[name]) for name in marts}
    schema_change.lock(connection, [name for name in marts if late[name]], "access exclusive")
    changes = {}
    for name, mart in marts.items():
        for statement in schema_change.allow_nulls(name, late[name]):
            connection.execute(statement)
        changes[name] = merge.move(connection, mart, sources[name], new.release_id)
    connection.execute("set constraints all immediate")
    disclosure.publish(connection)
    open_marts.publish(connection)
    rights.keep(connection)
    if not release_records.has_moved(changes):
        return dataclasses.replace(release_records.as_publication(current, current), state="unchanged", row_changes={})
    return release_records.close_release(settings, connection, new, current, changes, moved=True)


def _columns_that_came_later(
    connection: psycopg.Connection, mart: mart_schema.Table, history: mart_schema.Table, source: sql.Composed
) -> list[str]:
    """Columns that must be filled now and are empty in the rows of the release that is restored."""
    optional = {column.name for column in history.columns if not column.is_not_null}
    suspects = [column.name for column in mart.columns if column.is_not_null and column.name in optional]
    return [
        name
        for name in suspects
        if connection.execute(
            sql.SQL("select 1 from {} where {} is null limit 1").format(source, sql.Identifier(name))
        ).fetchone()
    ]
