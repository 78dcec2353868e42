"""The note of a run, which Airflow's UI shows beside it: what was published, what is new in it, and what went wrong."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any

from psycopg.rows import dict_row

from ingest.errors import Refusal
from warehouse.airflow import api, internals
from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.settings import LONDON, Settings

# A dataset, how many of its editions are new in the release, and the first and the last of them.
NewEditions = tuple[str, int, dt.date, dt.date]
# Code, step and subject of what went wrong.
Problem = tuple[str | None, str, str]

NEWEST = 30  # runs

log = logging.getLogger(__name__)


def write_note(settings: Settings, dag: str, run_id: str, candidate_id: str | None) -> None:
    """Write a run's note. A note that cannot be written is logged, and is no failure of the run: the alert does not depend on it.

    Left out in a run that is a process of its own: it has no API server, and no other public way leads to a note. Such a run gets its
    note once there is one (`write_missing`).

    Args:
        candidate_id: what the run built; None where it built nothing.
    """
    if api.address(settings) is None:
        return
    try:
        begun_at = internals.begun_at(settings, dag, run_id)
        api.change_run(settings, dag, run_id, note=note(*_of_run(settings, run_id, candidate_id), begun_at=begun_at))
    except Refusal as refusal:
        log.warning("the run's note was not written: %s", refusal)


def write_missing(settings: Settings) -> None:
    """Write the notes of the newest runs that were processes of their own: for `vru up`, once the API server answers."""
    for run in internals.in_process_without_note(settings, limit=NEWEST):
        candidate_id = _built_by(settings, run)
        try:
            text = note(*_of_run(settings, run.run_id, candidate_id), begun_at=run.begun_at)
            api.change_run(settings, run.dag_id, run.run_id, note=text)
        except Refusal as refusal:
            log.warning("the note of %s was not written: %s", run.run_id, refusal)
            return


def _built_by(settings: Settings, run: internals.Ended) -> str | None:
    """The candidate that was built during a run; None where none was."""
    with connect(settings, PUBLISHER) as connection:
        row = connection.execute(
            "select candidate_id from ops.candidate where begun_at between %s and %s order by begun_at desc limit 1",
            [run.begun_at, run.ended_at],
        ).fetchone()
    return str(row[0]) if row else None


def note(
    release: dict[str, Any] | None,
    new: Sequence[NewEditions],
    problems: Sequence[Problem],
    *,
    begun_at: dt.datetime | None = None,
) -> str:
    """The note of a run.

    Args:
        begun_at: when it began, said in London's time; None leaves that out.
        release: number, state, verdict and rows changed in each mart of what the run built; None where it built nothing, or
            nothing that was judged.
        new: editions that the release before did not have.
        problems: what went wrong, or was set aside.

    Returns:
        At most as many characters as Airflow takes: of what is too long, the end is left out.
    """
    begun = f" Begun on {begun_at.astimezone(LONDON):%Y-%m-%d at %H:%M} in London." if begun_at else ""
    lines = [_headline(release) + begun]
    # What is longest comes last: what went wrong must not be cut off by a list of marts.
    if problems:
        lines.append(
            "Failed, held or set aside: "
            + "; ".join(f"{code or ''} {step} {subject}".strip() for code, step, subject in problems)
        )
    if new:
        lines.append(f"New editions: {'; '.join(map(_editions, new))}")
    if release:
        changed = {mart: sum(rows.values()) for mart, rows in (release["row_changes"] or {}).items()}
        moved = [
            f"{mart} {rows:,}" for mart, rows in sorted(changed.items(), key=lambda one: (-one[1], one[0])) if rows
        ]
        lines.append(f"Rows changed: {', '.join(moved) or 'none'}")
    text = "\n\n".join(lines)
    return text if len(text) <= api.LONGEST_NOTE else f"{text[: api.LONGEST_NOTE - 2]} …"


def _headline(release: dict[str, Any] | None) -> str:
    if release is None:
        return "Nothing was published: nothing was new, or nothing was built."
    state = {"blocked": "held"}.get(release["verdict"], release["state"])
    return f"Release {release['release_id']} {state}, verdict {release['verdict']}."


def _editions(new: NewEditions) -> str:
    dataset, count, first, last = new
    return f"{dataset} {first}" if count == 1 else f"{dataset} {count} editions, {first} to {last}"


def _of_run(
    settings: Settings, run_id: str, candidate_id: str | None
) -> tuple[dict[str, Any] | None, list[NewEditions], list[Problem]]:
    with connect(settings, PUBLISHER) as connection, connection.cursor(row_factory=dict_row) as cursor:
        problems = connection.execute(
            "select code, step, subject from ops.run_problem where run_id = %s order by happened_at, step, subject",
            [run_id],
        ).fetchall()
        release = cursor.execute(
            """select release_id, state, verdict, row_changes from ops.release where candidate_id = %s
               and rolled_back_to is null order by release_id desc limit 1""",
            [candidate_id],
        ).fetchone()
        if release is None:
            return None, [], problems
        new = connection.execute(
            """select l.source || ' ' || l.dataset, count(*), min(l.release_date), max(l.release_date)
               from ops.candidate_load as c inner join ops.load as l on c.load_id = l.load_id
               where c.candidate_id = %(this)s and not exists (
                   select from ops.candidate_load as b where b.load_id = c.load_id and b.candidate_id = (
                       select candidate_id from ops.release
                       where state in ('published', 'unchanged') and release_id < %(release)s
                       order by release_id desc limit 1
                   )
               )
               group by l.source, l.dataset order by l.source, l.dataset""",
            {"this": candidate_id, "release": release["release_id"]},
        ).fetchall()
    return release, new, problems
