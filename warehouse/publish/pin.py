"""The pin that a rollback leaves: what was rolled back from does not come back by itself.

A candidate built from the same input is refused until new files make another one, or until a person asks for it (`vru build`, which
publishes with `force`). New code alone does not lift the pin, since a deployment that has nothing to do with the bad data would bring
it back.
"""

from __future__ import annotations

import dataclasses

import psycopg
from psycopg import sql

from ingest.errors import Refusal
from warehouse.publish import release_records


class RolledBackFrom(Refusal):
    """The marts were rolled back from what this candidate holds, and nothing new has come since."""


@dataclasses.dataclass(frozen=True)
class _Input:
    """What a candidate was made from: a fingerprint of files and code, and the files alone (None where none is noted)."""

    fingerprint: str
    files: str | None

    def comes_from_what(self, other: _Input) -> bool:
        return self.fingerprint == other.fingerprint or (self.files is not None and self.files == other.files)


def reason_to_hold(connection: psycopg.Connection, candidate_id: str) -> RolledBackFrom | None:
    """Why this candidate may not come back by itself, where the marts were rolled back from its input."""
    settled = release_records.read(connection, sql.SQL("state in ('published', 'unchanged')"), [])
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
