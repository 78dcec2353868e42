"""Releases: their lines in ops.release, and what publishing or rolling back came to."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.settings import Settings
from warehouse.publish import mart_schema, merge
from warehouse.publish.merge import Counts

UNTOUCHED = "marts and history as they were"


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
class Release:
    """A line of ops.release."""

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


_RELEASE_COLUMNS = tuple(field.name for field in dataclasses.fields(Release))


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


def read(connection: psycopg.Connection, condition: sql.SQL, values: list[Any]) -> list[Release]:
    """Releases that meet a condition, the newest first."""
    rows = connection.execute(
        sql.SQL("select {} from ops.release where {} order by release_id desc").format(
            mart_schema.columns_of(_RELEASE_COLUMNS), condition
        ),
        values,
    )
    return [Release(*row) for row in rows]


def current(connection: psycopg.Connection) -> Release | None:
    """The release that the marts hold, if there is one."""
    found = read(connection, sql.SQL("state = 'published'"), [])
    return found[0] if found else None


def open_release(connection: psycopg.Connection, like: Release, *, rolled_back_to: int | None) -> Release:
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


def hold(connection: psycopg.Connection, release_id: int, reason: str) -> None:
    """Write down that a release that was judged is not published, and why."""
    connection.execute(
        """update ops.release set state = 'held',
               verdict_reason = concat_ws('; ', nullif(verdict_reason, ''), %s::text) where release_id = %s""",
        [reason, release_id],
    )


def close_release(
    settings: Settings,
    connection: psycopg.Connection,
    release: Release,
    current: Release | None,
    changes: dict[str, Counts],
    *,
    moved: bool,
) -> Publication:
    """Write down what a release published: its state, the rows of each mart and those that moved."""
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
    return as_publication(closed, closed if moved else current)


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


def as_publication(release: Release, current: Release | None) -> Publication:
    """What publishing a release came to, `current` being the release that the marts hold now."""
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


def has_moved(changes: dict[str, Counts]) -> bool:
    """Whether any row of any mart was inserted, updated or deleted."""
    return any(count for counts in changes.values() for count in counts.values())
