"""The ledger of alerts: problems of a run (ops.run_problem), alerts (ops.alert), and which channel has taken which (ops.alert_delivery)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from warehouse.alerts import wording
from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.settings import Settings

NO_CHANNEL = "none"


@dataclasses.dataclass(frozen=True)
class Alert:
    """One alert.

    Attributes:
        alert_id: its number.
        run_id: the run it is about; a run has one alert at most.
        kind: held (the gate blocked a release, or all that happened is that files were set aside), failed (a step did) or found (the
            watch found something).
        code: what kind of failure, of the registry (`vru explain CODE`); of several the first, and the body has each.
        subject: one line.
        body: what failed, how the marts stand, what to do.
        raised_at: when it was written down (UTC).
        channel: where it is sent ("webhook", "mailtos, slack"), or none where no channel is set.
        attempts: how often it was sent, by all channels together.
        delivered_at: when the last channel took it (UTC); None while one has not.
        last_error: why the last attempt failed, without the address.
    """

    alert_id: int
    run_id: str
    kind: str
    code: str | None
    subject: str
    body: str
    raised_at: dt.datetime
    channel: str
    attempts: int
    delivered_at: dt.datetime | None
    last_error: str | None

    @property
    def text(self) -> str:
        """Subject and body, as they are sent and printed."""
        return f"{self.subject}\n\n{self.body}"


def record_problem(settings: Settings, run_id: str, step: str, subject: str, code: str, problem: str) -> None:
    """Write down that a step of a run failed, for the run's one alert. The last word on a step and subject stands.

    Args:
        run_id: the run.
        step: fetch, land, load, transform, gate, publish, ...
        subject: what the step was about: "mps borough_recent", "release 7".
        code: what kind of failure it was, of the registry (ingest/codes.csv).
        problem: what was wrong, in words; names of files, columns, areas and months, never a row.

    Raises:
        Refusal: when the warehouse cannot be reached.
    """
    with connect(settings, PUBLISHER) as connection:
        connection.execute(
            """insert into ops.run_problem (run_id, step, subject, code, problem, happened_at) values (%s, %s, %s, %s, %s, %s)
               on conflict (run_id, step, subject) do update
               set code = excluded.code, problem = excluded.problem, happened_at = excluded.happened_at""",
            [run_id, step, subject, code, wording.one_line(problem), settings.now()],
        )


def problems(settings: Settings, run_id: str) -> set[tuple[str, str]]:
    """Step and subject of each problem of a run that was written down."""
    with connect(settings, PUBLISHER) as connection:
        return set(
            connection.execute("select step, subject from ops.run_problem where run_id = %s", [run_id]).fetchall()
        )


def alerts(settings: Settings) -> list[dict[str, Any]]:
    """Every alert, the newest first, as rows for a report (the attributes of Alert).

    Raises:
        Refusal: when the warehouse cannot be reached.
    """
    with connect(settings, PUBLISHER) as connection:
        return [dataclasses.asdict(alert) for alert in read(connection, sql.SQL("true"), [])]


def read(connection: psycopg.Connection, condition: sql.SQL, values: list[Any]) -> list[Alert]:
    """Alerts that meet a condition, the newest first."""
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(
            sql.SQL("select {} from ops.alert where {} order by alert_id desc").format(
                sql.SQL(", ").join(sql.Identifier(field.name) for field in dataclasses.fields(Alert)), condition
            ),
            values,
        ).fetchall()


def of_run(connection: psycopg.Connection, run_id: str) -> Alert | None:
    """The alert of a run, if it has one."""
    found = read(connection, sql.SQL("run_id = %s"), [run_id])
    return found[0] if found else None


def enter(connection: psycopg.Connection, kept: dict[str, Any]) -> int:
    """Write down an alert that was raised outside a run, and who has taken it by now. Returns its number."""
    with connection.transaction():
        row = connection.execute(
            """insert into ops.alert (run_id, kind, code, subject, body, raised_at, channel, attempts, delivered_at, last_error)
               values (%(run_id)s, %(kind)s, %(code)s, %(subject)s, %(body)s, %(raised_at)s, %(channel)s, %(attempts)s, %(delivered_at)s, %(last_error)s)
               on conflict (run_id) do update set run_id = excluded.run_id returning alert_id""",
            {"code": None, **kept},
        ).fetchone()
        assert row is not None  # noqa: S101 - an upsert gives its row
        for name in kept.get("taken_by", []):
            note_taken(connection, int(row[0]), name, kept["raised_at"])
    return int(row[0])


def note_taken(connection: psycopg.Connection, alert_id: int, channel: str, moment: dt.datetime | str) -> None:
    """Write down that a channel has taken an alert."""
    connection.execute(
        "insert into ops.alert_delivery (alert_id, channel, delivered_at) values (%s, %s, %s) on conflict do nothing",
        [alert_id, channel, moment],
    )
