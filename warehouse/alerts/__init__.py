"""Alerts: one for each run that ended red, written down before it is sent, sent until it arrives.

A channel that is down changes no verdict and stops no run: the alert waits in ops.alert, `vru alerts` shows it, and the
next night tries again. An alert says which checks, areas and months; it never carries a row, a password or an address
with a key in it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Iterable
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from ingest.codes import registry
from ingest.landing import SYNTHETIC, kind_held
from warehouse.alerts import channels
from warehouse.alerts.channels import Channel, ChannelDown, ChannelRefused
from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.settings import LONDON, Settings

NO_CHANNEL = "none"

TRIES = 4
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 20.0
LONGEST_PROBLEM = 20_000
LONGEST_SUBJECT = 250
GATE_HELD = "GATE_HELD"

KEPT = "alerts"  # folder of the home for alerts that were raised while the database was away


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


_Problem = tuple[str, str, str | None, str]  # step, subject, code, sentence
_Outcome = Literal["delivered", "down", "refused", "nothing to send", "sent by another"]


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
            [run_id, step, subject, code, _one_line(problem), settings.now()],
        )


def problems(settings: Settings, run_id: str) -> set[tuple[str, str]]:
    """Step and subject of each problem of a run that was written down."""
    with connect(settings, PUBLISHER) as connection:
        return set(
            connection.execute("select step, subject from ops.run_problem where run_id = %s", [run_id]).fetchall()
        )


def raise_alert(settings: Settings, run_id: str) -> Alert | None:
    """Raise the run's one alert: write it from the run's problems, then try to deliver it.

    A run without a problem raises none, unless the gate blocked the newest release and no alert has said so yet.

    Args:
        run_id: the run. Asked again, it returns the alert that was raised the first time, and tries again to deliver it
            if it has not arrived.

    Returns:
        The alert as it stands after the attempt, or None where there is nothing to say.

    Raises:
        Refusal: when the warehouse cannot be reached. A channel that cannot be reached raises nothing.
    """
    with connect(settings, PUBLISHER, autocommit=True) as connection:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtext('vru alert of ' || %s))", [run_id])
            alert = _of_run(connection, run_id) or _write(settings, connection, run_id)
        if alert is not None:
            _deliver(settings, connection, alert.alert_id)
        return _of_run(connection, run_id)


def raise_found(settings: Settings, subject: str, problems: list[tuple[str, str]], *, is_away: bool) -> None:
    """Raise one alert for what was found outside a run.

    Args:
        subject: one line.
        problems: a code and a sentence each.
        is_away: the database cannot be reached: send the alert all the same, and keep it in the home until `enter_kept`.
    """
    moment = settings.now()
    mark = "[synthetic data] " if kind_held(settings.landing) == SYNTHETIC else ""
    run_id = f"watch-{moment:%Y%m%dT%H%M%S%f}"
    lines = [
        "What was found:",
        *(f"- {_with_code(code, problem)}" for code, problem in problems),
        "",
        f"Next: docs/runbook.md{_sections(code for code, _ in problems)}.",
    ]
    kept = {
        "run_id": run_id,
        "kind": "found",
        "code": problems[0][0],
        "subject": _one_line(f"{mark}Violence-reduction warehouse: {subject}", LONGEST_SUBJECT),
        "body": "\n".join(_one_line(line) if line else line for line in lines),
        "raised_at": moment.isoformat(),
        "channel": _channel_names(settings),
        "attempts": 0,
        "delivered_at": None,
        "last_error": None,
        "taken_by": [],
    }
    if is_away:
        kept |= _sent_without_ledger(settings, str(kept["subject"]), str(kept["body"]))
        folder = settings.home / KEPT
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / f"{run_id}.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
        return
    with connect(settings, PUBLISHER, autocommit=True) as connection:
        _deliver(settings, connection, _enter(connection, kept))


def enter_kept(settings: Settings) -> int:
    """Enter the alerts that were kept while the database was away, and deliver those that have not arrived.

    Returns:
        How many were entered.
    """
    files = sorted((settings.home / KEPT).glob("*.json"))
    if files:
        with connect(settings, PUBLISHER, autocommit=True) as connection:
            for file in files:
                alert_id = _enter(connection, json.loads(file.read_text(encoding="utf-8")))
                file.unlink()
                _deliver(settings, connection, alert_id)
    return len(files)


def _channel_names(settings: Settings) -> str:
    return ", ".join(channel.name for channel in channels.channels(settings)) or NO_CHANNEL


def _enter(connection: psycopg.Connection, kept: dict[str, Any]) -> int:
    with connection.transaction():
        row = connection.execute(
            """insert into ops.alert (run_id, kind, code, subject, body, raised_at, channel, attempts, delivered_at, last_error)
               values (%(run_id)s, %(kind)s, %(code)s, %(subject)s, %(body)s, %(raised_at)s, %(channel)s, %(attempts)s, %(delivered_at)s, %(last_error)s)
               on conflict (run_id) do update set run_id = excluded.run_id returning alert_id""",
            {"code": None, **kept},
        ).fetchone()
        assert row is not None  # noqa: S101 - an upsert gives its row
        for name in kept.get("taken_by", []):
            _note_taken(connection, int(row[0]), name, kept["raised_at"])
    return int(row[0])


def _note_taken(connection: psycopg.Connection, alert_id: int, channel: str, moment: dt.datetime | str) -> None:
    connection.execute(
        "insert into ops.alert_delivery (alert_id, channel, delivered_at) values (%s, %s, %s) on conflict do nothing",
        [alert_id, channel, moment],
    )


def _sent_without_ledger(settings: Settings, subject: str, body: str) -> dict[str, Any]:
    """Send an alert once by each channel. What came of it, as the ledger notes it."""
    targets = channels.channels(settings)
    taken, error = [], None
    for channel in targets:
        try:
            channels.send(settings, channel, subject, body)
        except (ChannelDown, ChannelRefused) as failure:
            error = str(failure)
        else:
            taken.append(channel.name)
    is_done = bool(targets) and len(taken) == len(targets)
    return {
        "attempts": len(targets),
        "taken_by": taken,
        "last_error": error,
        "delivered_at": settings.now().isoformat() if is_done else None,
    }


def deliver_pending(settings: Settings) -> int:
    """Try again to deliver the alerts that have not arrived, oldest first. A channel that is still down ends the try.

    Returns:
        How many arrived.

    Raises:
        Refusal: when the warehouse cannot be reached.
    """
    delivered = 0
    with connect(settings, PUBLISHER, autocommit=True) as connection:
        waiting = connection.execute(
            "select alert_id from ops.alert where channel <> %s and delivered_at is null order by alert_id",
            [NO_CHANNEL],
        ).fetchall()
        for (alert_id,) in waiting:
            outcome = _deliver(settings, connection, alert_id)
            delivered += outcome == "delivered"
            if outcome == "down":
                break
    return delivered


def alerts(settings: Settings) -> list[dict[str, Any]]:
    """Every alert, the newest first, as rows for a report (the attributes of Alert).

    Raises:
        Refusal: when the warehouse cannot be reached.
    """
    with connect(settings, PUBLISHER) as connection:
        return [dataclasses.asdict(alert) for alert in _read(connection, sql.SQL("true"), [])]


def _read(connection: psycopg.Connection, condition: sql.SQL, values: list[Any]) -> list[Alert]:
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(
            sql.SQL("select {} from ops.alert where {} order by alert_id desc").format(
                sql.SQL(", ").join(sql.Identifier(field.name) for field in dataclasses.fields(Alert)), condition
            ),
            values,
        ).fetchall()


def _of_run(connection: psycopg.Connection, run_id: str) -> Alert | None:
    found = _read(connection, sql.SQL("run_id = %s"), [run_id])
    return found[0] if found else None


def _write(settings: Settings, connection: psycopg.Connection, run_id: str) -> Alert | None:
    problems: list[_Problem] = connection.execute(
        "select step, subject, code, problem from ops.run_problem where run_id = %s order by happened_at, step, subject",
        [run_id],
    ).fetchall()
    newest = connection.execute(
        """select release_id, state, verdict, verdict_reason, judged_at,
                  not exists (select from ops.alert where raised_at >= judged_at)
           from ops.release order by release_id desc limit 1"""
    ).fetchone()
    held = newest if newest and newest[1] == "held" else None
    is_new_block = held is not None and held[2] == "blocked" and held[5]
    if not problems and not is_new_block:
        return None
    steps = list(dict.fromkeys(step for step, *_ in problems)) or ["gate"]
    is_held = is_new_block or (held is not None and "gate" in steps) or steps == ["set aside"]
    kind = "held" if is_held else "failed"
    codes = [*([GATE_HELD] if is_new_block else []), *(code for _, _, code, _ in problems if code)]
    connection.execute(
        """insert into ops.alert (run_id, kind, code, subject, body, raised_at, channel)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        [
            run_id,
            kind,
            codes[0] if codes else None,
            _subject(connection, run_id, kind, held, problems),
            _body(connection, held, problems, codes),
            settings.now(),
            _channel_names(settings),
        ],
    )
    return _of_run(connection, run_id)


def _subject(
    connection: psycopg.Connection,
    run_id: str,
    kind: str,
    held: tuple[Any, ...] | None,
    problems: list[_Problem],
) -> str:
    row = connection.execute("select data_kind from ops.warehouse").fetchone()
    mark = "[synthetic data] " if row and row[0] == "synthetic" else ""
    if kind == "held" and held is not None:
        what = f"release {held[0]} is held, the marts stand as they were"
    else:
        what = "; ".join(
            dict.fromkeys(
                f"{subject} was set aside" if step == "set aside" else f"{step} failed for {subject}"
                for step, subject, _, _ in problems
            )
        )
    return _one_line(f"{mark}Violence-reduction warehouse: {what} (run {run_id})", LONGEST_SUBJECT)


def _body(
    connection: psycopg.Connection,
    held: tuple[Any, ...] | None,
    problems: list[_Problem],
    codes: list[str],
) -> str:
    is_all_aside = bool(problems) and {step for step, *_ in problems} == {"set aside"}
    lines = ["What was set aside:" if is_all_aside else "What failed:"]
    lines += [f"- {step}, {subject}: {_with_code(code, problem)}" for step, subject, code, problem in problems]
    if held is not None and not any(held[3] and held[3] in problem for *_, problem in problems):
        told = f"release {held[0]} is held since {_london(held[4])}: {_one_line(held[3])}"
        lines.append(f"- {_with_code(GATE_HELD if held[2] == 'blocked' else None, told)}")
    lines += ["", "The marts:", f"- {_standing(connection)}"]
    lines += [
        f"- {source} {dataset} is {state}"
        + (f" since {_london(since)}" if since else "")
        + (f", newest month published {newest:%Y-%m}" if newest else ", nothing published")
        for source, dataset, state, since, newest in connection.execute(
            """select source, dataset, state, since, newest_period_start_date from marts.data_status
               where state <> 'fresh'"""
        )
    ]
    lines += [
        "",
        f"Next: `vru status`, then docs/runbook.md{_sections(codes)}.",
    ]
    return "\n".join(lines)


def _with_code(code: str | None, problem: str) -> str:
    """A problem's sentence, its code last; a refusal's own words end with it already."""
    return problem if code is None or f"[{code}]" in problem else f"{problem} [{code}]"


def _sections(codes: Iterable[str]) -> str:
    """Where the runbook has more on these codes, in words."""
    found = [registry()[code].runbook for code in codes if code in registry()]
    return "".join(f", section '{name}'" for name in dict.fromkeys(found) if name)


def _standing(connection: psycopg.Connection) -> str:
    row = connection.execute(
        """select release_id, published_at, rolled_back_to from ops.release
           where state = 'published' order by release_id desc limit 1"""
    ).fetchone()
    if row is None:
        return "nothing has been published yet"
    back = f", rolled back to release {row[2]}" if row[2] else ""
    return f"they hold release {row[0]}, published {_london(row[1])}{back}"


def _london(moment: dt.datetime) -> str:
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M}"


def _one_line(text: str, longest: int = LONGEST_PROBLEM) -> str:
    """Text on one line and of bounded length, without the passwords that addresses carry."""
    line = re.sub(r"(://)[^/@\s]*@", r"\1***@", " ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _deliver(settings: Settings, connection: psycopg.Connection, alert_id: int) -> _Outcome:
    """Send an alert by every channel that has not taken it, until it does or for a few tries, and note each of them.

    A process that dies between a channel's answer and the note sends the alert twice rather than never.
    """
    mine = connection.execute("select pg_try_advisory_lock(hashtext('vru alert'), %s)", [alert_id]).fetchone()
    if mine != (True,):
        return "sent by another"
    try:
        found = _read(connection, sql.SQL("alert_id = %s"), [alert_id])
        targets = channels.channels(settings)
        if not found or found[0].delivered_at is not None or found[0].channel == NO_CHANNEL or not targets:
            return "nothing to send"
        taken = {
            name
            for (name,) in connection.execute("select channel from ops.alert_delivery where alert_id = %s", [alert_id])
        }
        outcomes = [
            _deliver_by(settings, connection, found[0], channel) for channel in targets if channel.name not in taken
        ]
        for outcome in ("down", "refused"):
            if outcome in outcomes:
                return outcome
        connection.execute(
            "update ops.alert set delivered_at = %s, last_error = null where alert_id = %s", [settings.now(), alert_id]
        )
        return "delivered"
    finally:
        connection.execute("select pg_advisory_unlock(hashtext('vru alert'), %s)", [alert_id])


def _deliver_by(settings: Settings, connection: psycopg.Connection, alert: Alert, channel: Channel) -> _Outcome:
    sending = Retrying(
        retry=retry_if_exception_type(ChannelDown),
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential_jitter(
            multiplier=FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS, jitter=FIRST_PAUSE_SECONDS
        ),
        reraise=True,
    )
    try:
        sending(_attempt, settings, connection, alert, channel)
    except ChannelDown:
        return "down"
    except ChannelRefused:
        return "refused"
    return "delivered"


def _attempt(settings: Settings, connection: psycopg.Connection, alert: Alert, channel: Channel) -> None:
    connection.execute("update ops.alert set attempts = attempts + 1 where alert_id = %s", [alert.alert_id])
    try:
        channels.send(settings, channel, alert.subject, alert.body)
    except (ChannelDown, ChannelRefused) as failure:
        connection.execute("update ops.alert set last_error = %s where alert_id = %s", [str(failure), alert.alert_id])
        raise
    _note_taken(connection, alert.alert_id, channel.name, settings.now())
