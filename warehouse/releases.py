"""The releases there have been, for a person who asks what was published when."""

from __future__ import annotations

import dataclasses
import datetime as dt

from psycopg.rows import class_row

from warehouse.connection import PUBLISHER, connect
from warehouse.settings import Settings


@dataclasses.dataclass(frozen=True)
class Release:
    """One judged candidate, or one rollback.

    Attributes:
        release_id: its number.
        at: when readers first saw it; where they never did, when it was judged (UTC).
        verdict: passed, warned or blocked.
        verdict_reason: the checks that warned or blocked, or why it was held, in words.
        state: judged, published, unchanged or held.
        data_kind: real or synthetic.
        rows_changed: rows that moved in all marts together; None where nothing was published.
        is_current: whether the marts hold it now.
        rolled_back_to: the release it restores, if it does.
        rolled_back_from: the release the marts held until then, if it is a rollback.
        candidate_id: the build it holds.
        code_version: the code that built it.
    """

    release_id: int
    at: dt.datetime
    verdict: str
    verdict_reason: str
    state: str
    data_kind: str
    rows_changed: int | None
    is_current: bool
    rolled_back_to: int | None
    rolled_back_from: int | None
    candidate_id: str
    code_version: str


def releases(settings: Settings) -> list[Release]:
    """Every release, the newest first.

    Raises:
        Refusal: when the warehouse cannot be reached.
    """
    with connect(settings, PUBLISHER) as connection, connection.cursor(row_factory=class_row(Release)) as cursor:
        return cursor.execute(
            """select r.release_id, coalesce(r.published_at, r.judged_at) as at, r.verdict, r.verdict_reason, r.state,
                      r.data_kind,
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
                      r.candidate_id, r.code_version
               from ops.release as r order by r.release_id desc"""
        ).fetchall()
