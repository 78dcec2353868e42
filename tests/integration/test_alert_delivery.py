"""An alert is sent by every channel until it has taken it, and once."""

from __future__ import annotations

import email
import email.policy
import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from pydantic import SecretStr

from tests.candidates import build, judge, judged, pair, read
from tests.refused import refused_with
from tests.webhook import Webhook, channel, with_channel
from warehouse import alerts
from warehouse.alerts import channels, deliver_pending, delivery, raise_alert, record_problem
from warehouse.platform.connection import ADMIN
from warehouse.platform.settings import Settings, read_settings
from warehouse.publish import publish

__all__ = ["channel", "with_channel"]


def test_a_channel_that_is_down_is_tried_again_and_every_try_is_counted(
    with_channel: Settings, channel: Webhook
) -> None:
    channel.answers = [503, 429, 200]
    record_problem(with_channel, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    alert = raise_alert(with_channel, "night-1")
    assert alert is not None
    assert (alert.attempts, alert.last_error, alert.delivered_at is not None) == (3, None, True)
    assert len({json.dumps(message) for message in channel.received}) == 1
    assert len(channel.received) == 3


def test_a_channel_that_stays_down_raises_nothing_and_the_alert_arrives_when_it_is_up(
    with_channel: Settings, channel: Webhook
) -> None:
    channel.answers = [500]
    for run in ("night-1", "night-2"):
        record_problem(with_channel, run, "fetch", "mps borough_recent", "PUBLISHER_DOWN", f"problem of {run}")
        alert = raise_alert(with_channel, run)
        assert alert is not None
        assert (alert.attempts, alert.last_error, alert.delivered_at) == (4, "the webhook channel answered 500", None)
    channel.received.clear()
    assert deliver_pending(with_channel) == 0
    assert len(channel.received) == 4, "a channel that is down for one alert is not asked for the next"
    channel.answers, channel.received = [200], []
    assert deliver_pending(with_channel) == 2
    assert deliver_pending(with_channel) == 0
    assert ["problem of night-1" in str(m["text"]) for m in channel.received] == [True, False]
    assert [(a["run_id"], a["attempts"], a["last_error"]) for a in alerts.alerts(with_channel)] == [
        ("night-2", 5, None),
        ("night-1", 9, None),
    ]


def test_a_channel_that_is_not_there_leaves_the_alert_waiting_and_no_trace_of_its_address(
    with_channel: Settings, channel: Webhook
) -> None:
    channel.close()
    record_problem(with_channel, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    alert = raise_alert(with_channel, "night-1")
    assert alert is not None
    assert (alert.attempts, alert.delivered_at) == (4, None)
    assert alert.last_error == "no answer from the webhook channel"
    assert "key-of-the-channel" not in json.dumps(alerts.alerts(with_channel), default=str)


def test_a_channel_that_does_not_answer_in_time_counts_as_down(
    with_channel: Settings, channel: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "READ_SECONDS", 0.05)
    monkeypatch.setattr(delivery, "TRIES", 2)
    channel.delay = 0.3
    record_problem(with_channel, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    alert = raise_alert(with_channel, "night-1")
    assert alert is not None
    assert (alert.attempts, alert.last_error) == (2, "no answer from the webhook channel")


@pytest.mark.parametrize(
    ("answer", "error"),
    [(302, "the webhook channel answered 302 (redirects are not followed)"), (404, "the webhook channel answered 404")],
)
def test_a_channel_that_refuses_is_asked_once_and_does_not_stop_the_next_alert(
    with_channel: Settings, channel: Webhook, answer: int, error: str
) -> None:
    channel.answers = [answer]
    record_problem(with_channel, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    alert = raise_alert(with_channel, "night-1")
    assert alert is not None
    assert (alert.attempts, alert.last_error, alert.delivered_at) == (1, error, None)
    assert [message["path"] for message in channel.received] == ["/services/key-of-the-channel"]
    record_problem(with_channel, "night-2", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    raise_alert(with_channel, "night-2")
    channel.answers = [answer, 200]
    assert deliver_pending(with_channel) == 1
    assert [a["delivered_at"] is not None for a in alerts.alerts(with_channel)] == [True, False]


def test_an_alert_is_written_down_before_it_is_sent(
    with_channel: Settings, channel: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_problem(with_channel, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(channels, "send", killed)
        with pytest.raises(KeyboardInterrupt):
            raise_alert(with_channel, "night-1")
    assert [(a["run_id"], a["delivered_at"]) for a in alerts.alerts(with_channel)] == [("night-1", None)]
    assert deliver_pending(with_channel) == 1
    assert len(channel.received) == 1


def test_two_who_deliver_at_once_send_each_alert_once(with_channel: Settings, channel: Webhook) -> None:
    channel.answers = [500]
    record_problem(with_channel, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    raise_alert(with_channel, "night-1")
    channel.answers, channel.received, channel.delay = [200], [], 0.3
    with ThreadPoolExecutor() as pool:
        outcomes = [f.result() for f in [pool.submit(deliver_pending, with_channel) for _ in range(3)]]
    assert sum(outcomes) == 1
    assert len(channel.received) == 1


def test_a_channel_that_is_down_changes_no_verdict_and_no_mart(with_channel: Settings, channel: Webhook) -> None:
    channel.answers = [500]
    publish(with_channel, judged(with_channel, pair(1)))
    blocked = build(with_channel, pair(2))
    judge(with_channel, blocked, "blocked", "Camden is missing in 2025-01")
    raise_alert(with_channel, "night-1")
    with refused_with("GATE_HELD"):
        publish(with_channel, blocked)
    assert read(with_channel, "select state, verdict from ops.release order by release_id", ADMIN) == [
        ("published", "passed"),
        ("held", "blocked"),
    ]
    assert read(with_channel, "select distinct version from marts.fact") == [(1,)]


@pytest.fixture
def mail_server() -> Iterator[tuple[int, list[Envelope]]]:
    """A mail server on this machine: its port, and what it has taken."""
    taken: list[Envelope] = []

    class Keep:
        async def handle_DATA(  # noqa: N802 - the server calls it so
            self, server: object, session: object, envelope: Envelope
        ) -> str:
            taken.append(envelope)
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Keep(), hostname="127.0.0.1", port=port)
    controller.start()
    yield port, taken
    controller.stop()


def test_an_alert_goes_to_every_channel_once_though_one_of_them_is_down_at_first(
    warehouse: Settings, channel: Webhook, mail_server: tuple[int, list[Envelope]]
) -> None:
    port, mails = mail_server
    channel.answers = [503]
    mail = f"mailto://127.0.0.1:{port}?from=warehouse@example.org&to=duty@example.org"
    settings = warehouse.model_copy(update={"alert_urls": SecretStr(f"{mail} {channel.url}")})
    record_problem(settings, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    alert = raise_alert(settings, "night-1")
    assert alert is not None
    assert (alert.channel, alert.attempts, alert.delivered_at) == ("mailto, webhook", 5, None)
    assert alert.last_error == "the webhook channel answered 503"
    channel.answers, channel.received = [200], []
    assert deliver_pending(settings) == 1
    assert [message["text"] for message in channel.received] == [alert.text]
    [envelope] = mails
    assert envelope.rcpt_tos == ["duty@example.org"]
    message = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
    assert message["subject"] == alert.subject
    assert (
        "- fetch, mps borough_recent: 503 [PUBLISHER_DOWN]" in message.get_body(("plain",)).get_content().splitlines()
    )
    assert read(settings, "select channel from ops.alert_delivery order by channel", ADMIN) == [
        ("mailto",),
        ("webhook",),
    ]


def test_several_channels_of_a_kind_have_numbers_and_no_name_tells_an_address() -> None:
    settings = read_settings({"VRU_ALERT_URLS": "slack://a/b/c https://x.example/path slack://d/e/f"})
    assert [one.name for one in channels.channels(settings)] == ["slack", "webhook", "slack 2"]
    assert "path" not in repr(channels.channels(settings)) + repr(settings.alert_urls)
    with refused_with("SETTINGS_INVALID", match="VRU_ALERT_URLS .*number 2 "):
        read_settings({"VRU_ALERT_URLS": "slack://a/b/c secret"})


def test_an_address_that_no_channel_takes_is_refused_without_quoting_it(warehouse: Settings) -> None:
    settings = warehouse.model_copy(update={"alert_urls": SecretStr("nosuchchannel://key-of-the-channel")})
    record_problem(settings, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    alert = raise_alert(settings, "night-1")
    assert alert is not None
    assert (alert.attempts, alert.delivered_at) == (1, None)
    assert alert.last_error == "the nosuchchannel channel cannot be used as it is set (AttributeError)"


def test_the_certificates_of_the_settings_are_those_that_count(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    class Answer:
        status_code = 200
        content = b""

    def request(method: str, url: str, **arguments: object) -> Answer:
        asked.update(arguments | {"bundle": os.environ.get("REQUESTS_CA_BUNDLE")})
        return Answer()

    monkeypatch.setattr(requests, "request", request)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    bundle = warehouse.home / "ca.pem"
    settings = warehouse.model_copy(update={"alert_webhook": "https://channel.example/key", "ca_bundle": bundle})
    record_problem(settings, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    raise_alert(settings, "night-1")
    assert (asked["bundle"], asked["verify"], asked["allow_redirects"], asked["timeout"]) == (
        str(bundle),
        True,
        False,
        (5.0, 10.0),
    )
    assert "REQUESTS_CA_BUNDLE" not in os.environ
