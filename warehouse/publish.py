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
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from ingest.errors import Refusal
from warehouse import shape
from warehouse.connection import PUBLISHER, connect
from warehouse.settings import Settings

LOCK = "vru publish"
# Longer than any publish takes, so that two at once come one after the other.
TURN_TIMEOUT = "5min"
UNTOUCHED = "marts and history as they were"

Counts = dict[str, int]


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
                f"the rows break the rule {error.diag.constraint_name or error.diag.column_name} of "
                f"{error.diag.schema_name}.{error.diag.table_name}",
                kept=UNTOUCHED,
                next_step="a rollback to before the rule needs the rule dropped from schema marts by hand; otherwise "
                "correct the model in dbt_project/models/marts",
            ) from error
        except psycopg.OperationalError as error:
            raise Refusal(
                f"the database gave up while publishing: {' '.join(str(error).split())}",
                kept="the marts, whole: as they were, or published if the connection was lost at the very end",
                next_step="see to what it says and publish again; what was published is not published twice",
            ) from error


def _take_turn(connection: psycopg.Connection) -> None:
    connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(TURN_TIMEOUT)))
    try:
        # Under READ COMMITTED, what is read after the wait is what the publisher before us left.
        connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [LOCK])
    except psycopg.errors.LockNotAvailable as error:
        raise Refusal(
            f"another publish has been at work for {TURN_TIMEOUT}",
            kept=UNTOUCHED,
            next_step="look at it in pg_stat_activity (user vru_publisher), and publish again",
        ) from error
    connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(shape.LOCK_TIMEOUT)))


def _releases(connection: psycopg.Connection, condition: sql.SQL, values: list[Any]) -> list[_Release]:
    rows = connection.execute(
        sql.SQL("select {} from ops.release where {} order by release_id desc").format(
            shape.columns_of(_RELEASE_COLUMNS), condition
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
            f"candidate {candidate_id} has no verdict",
            kept=UNTOUCHED,
            next_step="run `vru build`, which judges what it builds",
        )
    release = verdicts[0]
    if release.verdict == "blocked":
        raise Refusal(
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
                       verdict_reason = concat_ws('; ', nullif(verdict_reason, ''), %s) where release_id = %s""",
                [pinned.problem, release.release_id],
            )
        return pinned
    if release.state in ("published", "unchanged") and pinned is None:
        return _as_publication(release, current)
    candidate = _candidate_tables(connection, candidate_id)
    _check_data_kind(connection, release, current)
    if release.state == "held" and pinned is None and not force:
        raise Refusal(
            f"release {release.release_id} of candidate {candidate_id} is held: {release.verdict_reason}",
            kept=UNTOUCHED,
            next_step="run `vru build`",
        )
    if force and (release.state != "judged" or (current and release.release_id < current.release_id)):
        release = _open_release(connection, release, rolled_back_to=None)
    if current and release.release_id < current.release_id:
        raise Refusal(
            f"release {current.release_id} was published after candidate {candidate_id} was judged "
            f"(as release {release.release_id})",
            kept=UNTOUCHED,
            next_step="run `vru build`, which judges again and publishes",
        )
    changes, reshaped = _move_to_candidate(connection, candidate, release.release_id)
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
    inputs: dict[str, str] = dict(
        connection.execute(
            "select candidate_id, input_fingerprint from ops.candidate where candidate_id = any(%s)",
            [[candidate_id, rollback.candidate_id, *(r.candidate_id for r in left)]],
        ).fetchall()
    )
    mine = inputs.get(candidate_id)
    bad = next((r.release_id for r in left if inputs[r.candidate_id] == mine), None)
    if bad is None or mine == inputs[rollback.candidate_id]:
        return None
    return RolledBackFrom(
        f"not published: the marts were rolled back from release {bad} to release {rollback.rolled_back_to}, and "
        f"candidate {candidate_id} is made from the same files as release {bad}",
        kept=f"the marts as release {rollback.release_id} left them",
        next_step="new files lift this by themselves; to publish these all the same run `vru build`",
    )


def _candidate_tables(connection: psycopg.Connection, candidate_id: str) -> dict[str, shape.Table]:
    """The tables of the candidate, held still for this transaction.

    Raises:
        Refusal: when another build has been recorded, or begun, since.
    """
    newest = connection.execute(
        "select candidate_id, table_oids from ops.candidate order by build_number desc limit 1"
    ).fetchone()
    changed = Refusal(
        f"schema candidate no longer holds candidate {candidate_id}: "
        + (f"{newest[0]} was built since" if newest and newest[0] != candidate_id else "a build was begun since"),
        kept=UNTOUCHED,
        next_step="run `vru build`, which judges what it builds",
    )
    if newest is None or newest[0] != candidate_id:
        raise changed
    names = sorted(newest[1])
    if names:
        try:
            # A build that replaces a table now waits until we are through; readers' locks do not disturb each other.
            connection.execute(
                sql.SQL("lock table {} in access share mode").format(
                    sql.SQL(", ").join(sql.Identifier(shape.CANDIDATE, name) for name in names)
                )
            )
        except psycopg.errors.UndefinedTable as error:
            raise changed from error
    tables = shape.read_tables(connection, shape.CANDIDATE)
    if {name: table.oid for name, table in tables.items()} != newest[1]:
        raise changed
    return tables


def _check_data_kind(connection: psycopg.Connection, release: _Release, current: _Release | None) -> None:
    home = connection.execute("select data_kind from ops.warehouse").fetchone()
    kinds = {(home[0] if home else None) or release.data_kind, current.data_kind if current else release.data_kind}
    if kinds != {release.data_kind}:
        raise Refusal(
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
        row_counts={name: _count(connection, sql.Identifier(shape.MARTS, name)) for name in changes},
        row_changes=changes,
    )
    connection.execute(
        "update ops.release set state = %s, published_at = %s, row_counts = %s, row_changes = %s where release_id = %s",
        [closed.state, closed.published_at, Jsonb(closed.row_counts), Jsonb(changes), closed.release_id],
    )
    return _as_publication(closed, closed if moved else current)


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
    marts, history = shape.read_tables(connection, shape.MARTS), shape.read_tables(connection, shape.HISTORY)
    sources = {
        name: sql.SQL("{}({})").format(sql.Identifier(shape.HISTORY, f"{name}_as_of"), sql.Literal(release_id))
        for name in marts
    }
    late = {name: _columns_that_came_later(connection, marts[name], history[name], sources[name]) for name in marts}
    shape.lock(connection, [name for name in marts if late[name]], "access exclusive")
    changes = {}
    for name, mart in marts.items():
        for statement in shape.allow_nulls(name, late[name]):
            connection.execute(statement)
        changes[name] = _move(connection, mart, sources[name], new.release_id)
    connection.execute("set constraints all immediate")
    if not _any(changes):
        return dataclasses.replace(_as_publication(current, current), state="unchanged", row_changes={})
    return _close_release(settings, connection, new, current, changes, moved=True)


def _columns_that_came_later(
    connection: psycopg.Connection, mart: shape.Table, history: shape.Table, source: sql.Composed
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
    connection: psycopg.Connection, candidate: dict[str, shape.Table], release_id: int
) -> tuple[dict[str, Counts], bool]:
    """Give the marts the candidate's shape and rows.

    Returns:
        Rows moved in each mart, and whether any mart's shape changed.
    """
    marts = shape.read_tables(connection, shape.MARTS)
    plans, foreign_keys = shape.plan(candidate, marts, shape.read_tables(connection, shape.HISTORY))
    altered = [name for name, plan in plans.items() if plan.alters]
    moved: dict[str, Counts] = {}

    def move(name: str) -> None:
        for statement in plans[name].before:
            connection.execute(statement)
        source = candidate[name]
        if plans[name].is_new:
            moved[name] = _fill(connection, source, release_id)
        else:
            moved[name] = _move(connection, source, source.identifier, release_id)

    if any(plan.drops for plan in plans.values()):
        shape.lock(connection, altered, "access exclusive")
        for name in altered:
            for statement in plans[name].drops:
                connection.execute(statement)
    for name in candidate:
        if name not in altered:
            move(name)
    # Readers of these wait from here to the commit, so they come last.
    shape.lock(connection, altered, "access exclusive")
    for name in altered:
        move(name)
    # A table with checks outstanding cannot be altered; all rows are in place, so they can be made now.
    connection.execute("set constraints all immediate")
    for plan in plans.values():
        for statement in plan.after:
            connection.execute(statement)
    for statement in foreign_keys:
        connection.execute(statement)
    shape.lock(
        connection,
        [name for name, plan in plans.items() if plan.comments and not plan.is_new and not plan.alters],
        "share update exclusive",
    )
    for plan in plans.values():
        for statement in plan.comments:
            connection.execute(statement)
    reshaped = bool(foreign_keys) or any(plans.values())
    for mart in (shape.read_tables(connection, shape.MARTS) if reshaped else marts).values():
        shape.refresh_as_of(connection, mart)
    return {name: moved[name] for name in candidate}, reshaped


def _fill(connection: psycopg.Connection, source: shape.Table, release_id: int) -> Counts:
    """The first rows of a new mart, in the order of its key, so that rows that are asked for together lie together."""
    columns = shape.columns_of(source.names)
    mart, history = sql.Identifier(shape.MARTS, source.name), sql.Identifier(shape.HISTORY, source.name)
    inserted = connection.execute(
        sql.SQL("insert into {} ({}) select {} from {} order by {}").format(
            mart, columns, columns, source.identifier, shape.columns_of(source.key)
        )
    ).rowcount
    connection.execute(
        sql.SQL("insert into {} ({}, {}) select {}, {} from {}").format(
            history, columns, sql.Identifier(shape.VALID_FROM), columns, sql.Literal(release_id), mart
        )
    )
    return {"inserted": inserted, "updated": 0, "deleted": 0}


def _move(connection: psycopg.Connection, table: shape.Table, source: sql.Composable, release_id: int) -> Counts:
    """Make one mart hold the rows of a source by touching the rows that differ and no other, and keep what they said.

    Args:
        table: names, key and other unique rules of the rows.
        source: what they come from: a table, or a function call.
        release_id: the release that brings them.

    Returns:
        Rows inserted, updated and deleted.
    """
    mart, history = sql.Identifier(shape.MARTS, table.name), sql.Identifier(shape.HISTORY, table.name)
    values = tuple(name for name in table.names if name not in table.key)
    first = sql.Identifier(table.key[0])
    difference = sql.Identifier("pg_temp", f"{table.name[:50]}_difference")
    differs = sql.SQL("s.{first} is null or m.{first} is null").format(first=first)
    if values:
        differs += sql.SQL(" or row({}) is distinct from row({})").format(
            shape.columns_of(values, "s"), shape.columns_of(values, "m")
        )
    key, columns = shape.columns_of(table.key), shape.columns_of(table.names)
    # It carries the new values: joining the source a second time is where a misjudged plan would take minutes. And it
    # lies in the order of the key, as the mart does: changing rows in another order costs several times as much.
    found = connection.execute(
        sql.SQL(
            """create temporary table {difference} on commit drop as
               select case
                       when m.{first} is null then 'inserted'
                       when s.{first} is null then 'deleted'
                       else 'updated'
                   end as change_, {selected}
               from {source} as s full join {mart} as m using ({key}) where {differs}
               order by {key}"""
        ).format(
            difference=difference,
            first=first,
            selected=sql.SQL(", ").join(
                sql.Identifier(name) if name in table.key else sql.Identifier("s", name) for name in table.names
            ),
            key=key,
            source=source,
            mart=mart,
            differs=differs,
        )
    ).rowcount
    counts = {"inserted": 0, "updated": 0, "deleted": 0}
    if not found:
        return counts
    connection.execute(sql.SQL("analyze {}").format(difference))
    counts |= dict(
        connection.execute(sql.SQL("select change_, count(*) from {} group by 1").format(difference)).fetchall()
    )
    parts = {
        "difference": difference,
        "mart": mart,
        "history": history,
        "same": sql.SQL(" and ").join(sql.SQL("t.{0} = d.{0}").format(sql.Identifier(name)) for name in table.key),
        "columns": columns,
        "release": sql.Literal(release_id),
        "valid_from": sql.Identifier(shape.VALID_FROM),
        "valid_to": sql.Identifier(shape.VALID_TO),
        "set": sql.SQL(", ").join(sql.SQL("{0} = d.{0}").format(sql.Identifier(name)) for name in values),
        # Two rows that swap a value of another unique column could not be updated one after the other.
        "gone": sql.SQL("('deleted', 'updated')" if table.has_other_unique else "('deleted')"),
        "come": sql.SQL("('inserted', 'updated')" if table.has_other_unique else "('inserted')"),
    }

    def run(statement: LiteralString) -> None:
        connection.execute(sql.SQL(statement).format(**parts))

    if counts["deleted"] or table.has_other_unique:
        run("delete from {mart} as t using {difference} as d where {same} and d.change_ in {gone}")
    if counts["updated"] and not table.has_other_unique:
        run("update {mart} as t set {set} from {difference} as d where {same} and d.change_ = 'updated'")
    if counts["inserted"] or table.has_other_unique:
        run("insert into {mart} ({columns}) select {columns} from {difference} where change_ in {come}")
    if counts["deleted"] or counts["updated"]:
        run(
            "update {history} as t set {valid_to} = {release} from {difference} as d "
            "where {same} and t.{valid_to} is null and d.change_ <> 'inserted'"
        )
    if counts["inserted"] or counts["updated"]:
        run(
            "insert into {history} ({columns}, {valid_from}) select {columns}, {release} from {difference} "
            "where change_ <> 'deleted'"
        )
    return counts


def _any(changes: dict[str, Counts]) -> bool:
    return any(count for counts in changes.values() for count in counts.values())


def _count(connection: psycopg.Connection, table: sql.Identifier) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    return int(row[0]) if row else 0


def _analyze(connection: psycopg.Connection, publication: Publication) -> None:
    """Tell the planner about what moved; what was published stays published if that fails."""
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute("set lock_timeout = '5s'")
        for name, counts in publication.row_changes.items():
            if any(counts.values()):
                connection.execute(
                    sql.SQL("analyze {}, {}").format(
                        sql.Identifier(shape.MARTS, name), sql.Identifier(shape.HISTORY, name)
                    )
                )
