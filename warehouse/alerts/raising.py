"""Raising alerts: one for each run that ended red, and one for what was found outside a run."""

from __future__ import annotations

import json

import psycopg

from ingest.landing import SYNTHETIC, kind_held
from warehouse.alerts import delivery, ledger, wording
from warehouse.alerts.ledger import Alert
from warehouse.alerts.wording import GATE_HELD, LONGEST_SUBJECT
from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.settings import Settings

KEPT = "alerts"  # folder of the home for alerts that were raised while the database was away


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
            alert = ledger.of_run(connection, run_id) or _write(settings, connection, run_id)
        if alert is not None:
            delivery.deliver(settings, connection, alert.alert_id)
        return ledger.of_run(connection, run_id)


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
        *(f"- {wording.with_code(code, problem)}" for code, problem in problems),
        "",
        f"Next: docs/runbook.md{wording.sections(code for code, _ in problems)}.",
    ]
    kept = {
        "run_id": run_id,
        "kind": "found",
        "code": problems[0][0],
        "subject": wording.one_line(f"{mark}Violence-reduction warehouse: {subject}", LONGEST_SUBJECT),
        "body": "\n".join(wording.one_line(line) if line else line for line in lines),
        "raised_at": moment.isoformat(),
        "channel": delivery.channel_names(settings),
        "attempts": 0,
        "delivered_at": None,
        "last_error": None,
        "taken_by": [],
    }
    if is_away:
        kept |= delivery.send_without_ledger(settings, str(kept["subject"]), str(kept["body"]))
        folder = settings.home / KEPT
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / f"{run_id}.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
        return
    with connect(settings, PUBLISHER, autocommit=True) as connection:
        delivery.deliver(settings, connection, ledger.enter(connection, kept))


def enter_kept(settings: Settings) -> int:
    """Enter the alerts that were kept while the database was away, and deliver those that have not arrived.

    Returns:
        How many were entered.
    """
    files = sorted((settings.home / KEPT).glob("*.json"))
    if files:
        with connect(settings, PUBLISHER, autocommit=True) as connection:
            for file in files:
                alert_id = ledger.enter(connection, json.loads(file.read_text(encoding="utf-8")))
                file.unlink()
                delivery.deliver(settings, connection, alert_id)
    return len(files)


def _write(settings: Settings, connection: psycopg.Connection, run_id: str) -> Alert | None:
    problems: list[wording.Problem] = connection.execute(
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
            wording.subject_of(connection, run_id, kind, held, problems),
            wording.body_of(connection, held, problems, codes),
            settings.now(),
            delivery.channel_names(settings),
        ],
    )
    return ledger.of_run(connection, run_id)
