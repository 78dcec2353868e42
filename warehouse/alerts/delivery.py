"""Delivering alerts: by every channel that has not taken them, for a few tries, each noted."""

from __future__ import annotations

from typing import Any, Literal

import psycopg
from psycopg import sql
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from warehouse.alerts import channels, ledger
from warehouse.alerts.channels import Channel, ChannelDown, ChannelRefused
from warehouse.alerts.ledger import NO_CHANNEL, Alert
from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.settings import Settings

TRIES = 4
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 20.0
Outcome = Literal["delivered", "down", "refused", "nothing to send", "sent by another"]


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
            outcome = deliver(settings, connection, alert_id)
            delivered += outcome == "delivered"
            if outcome == "down":
                break
    return delivered


def deliver(settings: Settings, connection: psycopg.Connection, alert_id: int) -> Outcome:
    """Send an alert by every channel that has not taken it, until it does or for a few tries, and note each of them.

    A process that dies between a channel's answer and the note sends the alert twice rather than never.
    """
    mine = connection.execute("select pg_try_advisory_lock(hashtext('vru alert'), %s)", [alert_id]).fetchone()
    if mine != (True,):
        return "sent by another"
    try:
        found = ledger.read(connection, sql.SQL("alert_id = %s"), [alert_id])
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


def _deliver_by(settings: Settings, connection: psycopg.Connection, alert: Alert, channel: Channel) -> Outcome:
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
    ledger.note_taken(connection, alert.alert_id, channel.name, settings.now())


def channel_names(settings: Settings) -> str:
    """The channels that are set, as `ops.alert` names them; NO_CHANNEL where none is."""
    return ", ".join(channel.name for channel in channels.channels(settings)) or NO_CHANNEL


def send_without_ledger(settings: Settings, subject: str, body: str) -> dict[str, Any]:
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
