"""Publishing: all marts move in one transaction, by difference, and what a row said before goes to history.

Readers are never blocked and never see half: an ordinary publish deletes, updates and inserts rows and takes no lock
that a reader could meet. Every release can be queried again (marts_history.<table>_as_of) and rolled back to.

A rollback pins the marts. What was rolled back from does not come back by itself: a candidate built from the same input
is refused until new files make another one, or until a person asks for it (`vru build`, which publishes with `force`).
New code alone does not lift the pin, since a deployment that has nothing to do with the bad data would bring it back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from ingest import queue
from ingest.errors import Refusal
from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.settings import Settings
from warehouse.publish import disclosure, mart_schema, merge, views
from warehouse.publish.merge import Counts

LOCK = "vru publish"
# Longer than any publish takes, so that two at once come one after the other.
TURN_TIMEOUT = "5min"
UNTOUCHED = "marts and history as they were"


class RolledBackFrom(Refusal):
    """The marts were rolled back from what this candidate holds, and nothing new has come since."""


@dataclasses.dataclass(frozen=True)
class Publication:
    """What publishing, or rolling back, came to.

    Attributes:
        release_id: the release; that of the release before where a rollback had nothing to do.
        candidate_id: the build it holds.
        verdict: passed, or warned.
        state: published (the marts moved, now or at an earlier try), or unchanged (they held all of it already).
        data_kind: real or synthetic.
        published_at: when readers first saw it (UTC); None where unchanged.
        row_counts: rows of each mart.
        row_changes: rows inserted, updated and deleted in each mart.
        rolled_back_to: the earlier release it restores, if it does.
        current_release_id: the release the marts hold now (itself, or the one before where unchanged).
    """

    release_id: int
    candidate_id: str
    verdict: str
    state: str
    data_kind: str
    published_at: dt.datetime | None
    row_counts: Counts
    row_changes: dict[str, Counts]
    rolled_back_to: int | None
    current_release_id: int | None

    @property
    def rows_changed(self) -> int:
        """Rows that moved in all marts together."""
        return sum(sum(changes.values()) for changes in self.row_changes.values())


@dataclasses.dataclass(frozen=True)
class _Release:
    release_id: int
    candidate_id: str
    verdict: str
    verdict_reason: str
    state: str
    judged_at: dt.datetime
    published_at: dt.datetime | None
    code_version: str
    data_kind: str
    row_counts: Counts | None
    row_changes: dict[str, Counts] | None
    rolled_back_to: int | None


@dataclasses.dataclass(frozen=True)
class _Input:
    """What a candidate was made from: a fingerprint of files and code, and the files alone (None where none is noted)."""

    fingerprint: str
    files: str | None

    def comes_from_what(self, other: _Input) -> bool:
        return self.fingerprint == other.fingerprint or (self.files is not None and self.files == other.files)


_RELEASE_COLUMNS = tuple(field.name for field in dataclasses.fields(_Release))


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
    with _publisher(settings) as connection:
        with connection.transaction():
            _take_turn(connection)
            outcome = _publish(settings, connection, candidate_id, force=force)
        if isinstance(outcome, Refusal):
            raise outcome
        _analyze(connection, outcome)
    return outcome


def roll_back(settings: Settings, release_id: int) -> Publication:
    """Make the marts what they were at an earlier release (or at a later one again, after going back too far).

    It is a release of its own, with the candidate and the verdict of the one it restores, so that history says when
    readers saw what. It pins the marts: see the module's first lines.

    Args:
        release_id: a published release.

    Returns:
        The publication. Where the marts hold those rows already, there is nothing to do: nothing is written, no release
        is made, and what comes back is the current release with the state "unchanged".

    Raises:
        Refusal: when there is no such published release (the sentence lists those there are), or the database gives up.
    """
    with _publisher(settings) as connection:
        with connection.transaction() as transaction:
            _take_turn(connection)
            outcome = _roll_back(settings, connection, release_id)
            if outcome.state == "unchanged":
                raise psycopg.Rollback(transaction)
        _analyze(connection, outcome)
    return outcome


def releases(settings: Settings) -> list[dict[str, Any]]:
    """Every release, the newest first, as rows for a report.

    Returns:
        For each: release_id; at (UTC: when readers first saw it, where they never did when it was judged); verdict;
        state (judged, published, unchanged, held); data_kind; rows_changed (in all marts together, None where it was
        never published); is_current; rolled_back_to and rolled_back_from (the release a rollback restored, and the one
        the marts held until then); why (what the gate warned of, or why it is held); candidate_id; code_version.

    Raises:
        Refusal: when the warehouse cannot be reached.
    """
    with connect(settings, PUBLISHER) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """select r.release_id, coalesce(r.published_at, r.judged_at) as at, r.verdict, r.state, r.data_kind,
                      (select sum(moved.value::bigint)::bigint
                       from jsonb_each(r.row_changes) as mart, jsonb_each_text(mart.value) as moved) as rows_changed,
                      coalesce(r.release_id = max(r.release_id) filter (where r.state = 'published') over (), false)
                          as is_current,
                      r.rolled_back_to,
                      case when r.rolled_back_to is not null then
                          max(r.release_id) filter (where r.state = 'published') over (
                              order by r.release_id rows between unbounded preceding and 1 preceding
                          )
                      end as rolled_back_from,
                      r.verdict_reason as why, r.candidate_id, r.code_version
               from ops.release as r order by r.release_id desc"""
        ).fetchall()


@contextlib.contextmanager
def _publisher(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection whose failures read as sentences."""
    with connect(settings, PUBLISHER, autocommit=True) as connection:
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        try:
            yield connection
        except psycopg.errors.IntegrityError as error:
            # The detail would quote a row; the names are enough.
            raise Refusal(
                "MART_RULE_BROKEN",
                f"the rows break the rule {error.diag.constraint_name or error.diag.column_name} of "
                f"{error.diag.schema_name}.{error.diag.table_name}",
                kept=UNTOUCHED,
                next_step="a rollback to before the rule needs the rule dropped from schema marts by hand; otherwise "
                "correct the model in dbt_project/models/marts",
            ) from error
        except psycopg.OperationalError as error:
            raise Refusal(
                "DATABASE_REFUSED",
                f"the database gave up while publishing: {' '.join(str(error).split())}",
                kept="the marts, whole: as they were, or published if the connection was lost at the very end",
                next_step="mend what it names and publish again; nothing is published twice",
            ) from error


def _take_turn(connection: psycopg.Connection) -> None:
    # Under READ COMMITTED, what is read after the wait is what the publisher before us left.
    queue.take(connection, LOCK, "transaction", TURN_TIMEOUT)
    connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(mart_schema.LOCK_TIMEOUT)))


def _releases(connection: psycopg.Connection, condition: sql.SQL, values: list[Any]) -> list[_Release]:
    rows = connection.execute(
        sql.SQL("select {} from ops.release where {} order by release_id desc").format(
            mart_schema.columns_of(_RELEASE_COLUMNS), condition
        ),
        values,
    )
    return [_Release(*row) for row in rows]


def _current(connection: psycopg.Connection) -> _Release | None:
    found = _releases(connection, sql.SQL("state = 'published'"), [])
    return found[0] if found else None


def _publish(
    settings: Settings, connection: psycopg.Connection, candidate_id: str, *, force: bool
) -> Publication | Refusal:
    verdicts = _releases(connection, sql.SQL("candidate_id = %s and rolled_back_to is null"), [candidate_id])
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
    current = _current(connection)
    pinned = _pin(connection, candidate_id)
    if pinned is not None and not force:
        if release.state == "judged":
            connection.execute(
                """update ops.release set state = 'held',
                       verdict_reason = concat_ws('; ', nullif(verdict_reason, ''), %s::text) where release_id = %s""",
                [pinned.problem, release.release_id],
            )
        return pinned
    if release.state in ("published", "unchanged") and pinned is None:
        return _as_publication(release, current)
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
        release = _open_release(connection, release, rolled_back_to=None)
    if current and release.release_id < current.release_id:
        raise Refusal(
            "CANDIDATE_NOT_PUBLISHABLE",
            f"release {current.release_id} was published after candidate {candidate_id} was judged "
            f"(as release {release.release_id})",
            kept=UNTOUCHED,
            next_step="run `vru build`, which judges again and publishes",
        )
    changes, reshaped = _move_to_candidate(connection, candidate, candidate_views, release.release_id)
    return _close_release(settings, connection, release, current, changes, moved=reshaped or _any(changes))


def _pin(connection: psycopg.Connection, candidate_id: str) -> RolledBackFrom | None:
    """Why this candidate may not come back by itself, where the marts were rolled back from its input."""
    settled = _releases(connection, sql.SQL("state in ('published', 'unchanged')"), [])
    if not settled or settled[0].rolled_back_to is None:
        return None
    rollback = settled[0]
    # Where a rollback leads to another rollback, what counts is the release that first published those rows.
    restored = next(
        (r.release_id for r in settled if r.rolled_back_to is None and r.candidate_id == rollback.candidate_id), 0
    )
    left = [r for r in settled if r.rolled_back_to is None and r.release_id > restored]
    inputs = _inputs(connection, [candidate_id, rollback.candidate_id, *(r.candidate_id for r in left)])
    mine = inputs[candidate_id]
    if mine.fingerprint == inputs[rollback.candidate_id].fingerprint:
        return None
    bad = next((r.release_id for r in left if mine.comes_from_what(inputs[r.candidate_id])), None)
    if bad is None:
        return None
    return RolledBackFrom(
        "ROLLED_BACK_FROM",
        f"not published: the marts were rolled back from release {bad} to release {rollback.rolled_back_to}, and "
        f"candidate {candidate_id} is made from the same files as release {bad}",
        kept=f"the marts as release {rollback.release_id} left them",
        next_step="new files lift this by themselves; to publish these all the same run `vru build`",
    )


def _inputs(connection: psycopg.Connection, candidate_ids: list[str]) -> dict[str, _Input]:
    rows = connection.execute(
        """select c.candidate_id, c.input_fingerprint,
                  (select string_agg(concat_ws(' ', l.source, l.dataset, l.release_date, l.sha256), ', '
                                     order by l.source, l.dataset, l.release_date, l.sha256)
                   from ops.candidate_load as cl join ops.load as l using (load_id)
                   where cl.candidate_id = c.candidate_id)
           from ops.candidate as c where c.candidate_id = any(%s)""",
        [candidate_ids],
    )
    return {name: _Input(fingerprint, files) for name, fingerprint, files in rows}


def _candidate(
    connection: psycopg.Connection, candidate_id: str
) -> tuple[dict[str, mart_schema.Table], dict[str, views.View]]:
    """The tables of the candidate, held still for this transaction, and its views.

    Raises:
        Refusal: when another build has begun since, or this one never ended.
    """
    changed = Refusal(
        "CANDIDATE_NOT_PUBLISHABLE",
        f"schema candidate does not hold candidate {candidate_id}: another build has begun since, or this one was cut short",
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
        "select candidate_id, built_at from ops.candidate order by begun_at desc, candidate_id desc limit 1"
    ).fetchone()
    tables = mart_schema.read_tables(connection, mart_schema.CANDIDATE)
    if newest is None or newest[0] != candidate_id or newest[1] is None or sorted(tables) != names:
        raise changed
    return tables, candidate_views


def _check_data_kind(connection: psycopg.Connection, release: _Release, current: _Release | None) -> None:
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


def _open_release(connection: psycopg.Connection, like: _Release, *, rolled_back_to: int | None) -> _Release:
    """A new release with the candidate and verdict of an earlier one."""
    row = connection.execute(
        """insert into ops.release (candidate_id, verdict, verdict_reason, state, judged_at, code_version, data_kind,
               rolled_back_to)
           values (%s, %s, %s, 'judged', %s, %s, %s, %s) returning release_id""",
        [
            like.candidate_id,
            like.verdict,
            like.verdict_reason,
            like.judged_at,
            like.code_version,
            like.data_kind,
            rolled_back_to,
        ],
    ).fetchone()
    if row is None:
        raise RuntimeError("ops.release gave no number")
    return dataclasses.replace(like, release_id=row[0], state="judged", rolled_back_to=rolled_back_to)


def _close_release(
    settings: Settings,
    connection: psycopg.Connection,
    release: _Release,
    current: _Release | None,
    changes: dict[str, Counts],
    *,
    moved: bool,
) -> Publication:
    closed = dataclasses.replace(
        release,
        state="published" if moved else "unchanged",
        published_at=settings.now() if moved else None,
        row_counts={name: merge.count(connection, sql.Identifier(mart_schema.MARTS, name)) for name in changes},
        row_changes=changes,
    )
    connection.execute(
        "update ops.release set state = %s, published_at = %s, row_counts = %s, row_changes = %s where release_id = %s",
        [closed.state, closed.published_at, Jsonb(closed.row_counts), Jsonb(changes), closed.release_id],
    )
    if moved:
        _note_newest_months(connection)
    return _as_publication(closed, closed if moved else current)


def _note_newest_months(connection: psycopg.Connection) -> None:
    """Write on each dataset the newest month that the marts now have of it, where `marts.data_status` reads it."""
    described = mart_schema.read_tables(connection, mart_schema.MARTS).get("dim_source")
    # Marts that an older version of this code built do not say it.
    if described and "newest_published_month" in {column.name for column in described.columns}:
        connection.execute(
            """update ops.dataset as d set newest_published_month = s.newest_published_month from marts.dim_source as s
               where d.source = s.source and d.dataset = s.dataset
                 and d.newest_published_month is distinct from s.newest_published_month"""
        )


def _as_publication(release: _Release, current: _Release | None) -> Publication:
    return Publication(
        release_id=release.release_id,
        candidate_id=release.candidate_id,
        verdict=release.verdict,
        state=release.state,
        data_kind=release.data_kind,
        published_at=release.published_at,
        row_counts=release.row_counts or {},
        row_changes=release.row_changes or {},
        rolled_back_to=release.rolled_back_to,
        current_release_id=current.release_id if current else None,
    )


def _roll_back(settings: Settings, connection: psycopg.Connection, release_id: int) -> Publication:
    published = _releases(connection, sql.SQL("state = 'published'"), [])
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
        return dataclasses.replace(_as_publication(current, current), state="unchanged", row_changes={})
    new = _open_release(connection, target, rolled_back_to=release_id)
    marts, history = (
        mart_schema.read_tables(connection, mart_schema.MARTS),
        mart_schema.read_tables(connection, mart_schema.HISTORY),
    )
    sources = {
        name: sql.SQL("{}({})").format(sql.Identifier(mart_schema.HISTORY, f"{name}_as_of"), sql.Literal(release_id))
        for name in marts
    }
    late = {name: _columns_that_came_later(connection, marts[name], history[name], sources[name]) for name in marts}
    mart_schema.lock(connection, [name for name in marts if late[name]], "access exclusive")
    changes = {}
    for name, mart in marts.items():
        for statement in mart_schema.allow_nulls(name, late[name]):
            connection.execute(statement)
        changes[name] = merge.move(connection, mart, sources[name], new.release_id)
    connection.execute("set constraints all immediate")
    disclosure.publish(connection)
    if not _any(changes):
        return dataclasses.replace(_as_publication(current, current), state="unchanged", row_changes={})
    return _close_release(settings, connection, new, current, changes, moved=True)


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
    plans, foreign_keys = mart_schema.plan(
        candidate, marts, mart_schema.read_tables(connection, mart_schema.HISTORY), candidate_views.keys()
    )
    altered = [name for name, plan in plans.items() if plan.alters]
    moved: dict[str, Counts] = {}

    def move(name: str) -> None:
        for statement in plans[name].before:
            connection.execute(statement)
        source = candidate[name]
        if plans[name].is_new:
            moved[name] = merge.fill(connection, source, release_id)
        else:
            moved[name] = merge.move(connection, source, source.identifier, release_id)

    if any(plan.drops for plan in plans.values()):
        mart_schema.lock(connection, altered, "access exclusive")
        for name in altered:
            for statement in plans[name].drops:
                connection.execute(statement)
    for name in candidate:
        if name not in altered:
            move(name)
    # Readers of these wait from here to the commit, so they come last.
    mart_schema.lock(connection, altered, "access exclusive")
    for name in altered:
        move(name)
    # A table with checks outstanding cannot be altered; all rows are in place, so they can be made now.
    connection.execute("set constraints all immediate")
    for plan in plans.values():
        for statement in plan.after:
            connection.execute(statement)
    for statement in foreign_keys:
        connection.execute(statement)
    mart_schema.lock(
        connection,
        [name for name, plan in plans.items() if plan.comments and not plan.is_new and not plan.alters],
        "share update exclusive",
    )
    for plan in plans.values():
        for statement in plan.comments:
            connection.execute(statement)
    reshaped = bool(foreign_keys) or any(plans.values())
    for name, mart in (mart_schema.read_tables(connection, mart_schema.MARTS) if reshaped else marts).items():
        if name in candidate:
            mart_schema.refresh_as_of(connection, mart)
    viewed = views.publish(connection, candidate_views, marts)
    disclosure.publish(connection)
    return {name: moved[name] for name in candidate}, reshaped or viewed


def _any(changes: dict[str, Counts]) -> bool:
    return any(count for counts in changes.values() for count in counts.values())


def _analyze(connection: psycopg.Connection, publication: Publication) -> None:
    """Tell the planner about what moved; what was published stays published if that fails."""
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute("set lock_timeout = '5s'")
        for name, counts in publication.row_changes.items():
            if any(counts.values()):
                connection.execute(
                    sql.SQL("analyze {}, {}").format(
                        sql.Identifier(mart_schema.MARTS, name), sql.Identifier(mart_schema.HISTORY, name)
                    )
                )
