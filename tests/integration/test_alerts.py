"""A run that ended red raises one alert, which is written down first and sent until it arrives."""

from __future__ import annotations

import contextlib
import email
import email.policy
import http.server
import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from pydantic import SecretStr

from ingest.declaration import read_sources
from ingest.errors import Refusal
from tests.candidates import build, judge, judged, pair, read
from warehouse import alerts, steps
from warehouse.alerts import channels, deliver_pending, delivery, raise_alert, record_problem
from warehouse.platform.connection import ADMIN
from warehouse.platform.settings import Settings, read_settings
from warehouse.publish import publish
from warehouse.steps import step


class Channel:
    """A webhook on this machine: what it was sent, and what it answers next (its last answer again and again)."""

    def __init__(self) -> None:
        self.answers = [200]
        self.received: list[dict[str, object]] = []
        self.delay = 0.0
        channel = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                channel.received.append({"path": self.path, "type": self.headers["Content-Type"], **json.loads(body)})
                answer = channel.answers.pop(0) if len(channel.answers) > 1 else channel.answers[0]
                time.sleep(channel.delay)
                self.send_response(answer)
                if 300 <= answer < 400:
                    self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on the terminal."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/services/key-of-the-channel"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(delivery, "LONGEST_PAUSE_SECONDS", 0.02)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    opened = Channel()
    yield opened
    with contextlib.suppress(OSError):
        opened.close()


@pytest.fixture
def with_channel(warehouse: Settings, channel: Channel) -> Settings:
    return warehouse.model_copy(update={"alert_webhook": channel.url})


def test_a_run_without_a_problem_raises_no_alert(with_channel: Settings, channel: Channel) -> None:
    publish(with_channel, judged(with_channel, pair(1)))
    assert raise_alert(with_channel, "night-1") is None
    assert alerts.alerts(with_channel) == []
    assert channel.received == []


def test_a_run_raises_exactly_one_alert_however_much_went_wrong_and_however_often_it_is_asked(
    with_channel: Settings, channel: Channel
) -> None:
    record_problem(
        with_channel, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "the publisher answered 503"
    )
    record_problem(
        with_channel, "night-1", "load", "mps borough_historical", "HEADER_UNKNOWN", "header 'Ward' is not known"
    )
    record_problem(with_channel, "night-2", "fetch", "nomis population", "PUBLISHER_DOWN", "of another run")
    with ThreadPoolExecutor() as pool:
        raised = [f.result() for f in [pool.submit(raise_alert, with_channel, "night-1") for _ in range(4)]]
    raised.append(raise_alert(with_channel, "night-1"))
    assert {alert.alert_id for alert in raised if alert} == {1}
    assert len(channel.received) == 1
    assert channel.received[0]["type"] == "application/json"
    [alert] = alerts.alerts(with_channel)
    assert (alert["run_id"], alert["kind"], alert["channel"], alert["attempts"], alert["last_error"]) == (
        "night-1",
        "failed",
        "webhook",
        1,
        None,
    )
    assert alert["delivered_at"] is not None
    assert channel.received[0]["text"] == f"{alert['subject']}\n\n{alert['body']}"


def test_an_alert_says_what_failed_how_the_marts_stand_and_what_to_do(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    published_at = read(warehouse, "select to_char(published_at at time zone 'Europe/London', 'YYYY-MM-DD HH24:MI') from marts.publication")[0][0]  # fmt: skip
    record_problem(
        warehouse, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "the publisher answered 503\nfour times"
    )
    record_problem(
        warehouse, "night-1", "load", "mps borough_historical", "HEADER_UNKNOWN", "header 'Ward' is not known"
    )
    alert = raise_alert(warehouse, "night-1")
    assert alert is not None
    assert alert.code == "PUBLISHER_DOWN"
    assert alert.subject == (
        "Violence-reduction warehouse: fetch failed for mps borough_recent; load failed for mps borough_historical (run night-1)"
    )
    assert alert.body.splitlines() == [
        "What failed:",
        "- fetch, mps borough_recent: the publisher answered 503 four times [PUBLISHER_DOWN]",
        "- load, mps borough_historical: header 'Ward' is not known [HEADER_UNKNOWN]",
        "",
        "The marts:",
        f"- they hold release 1, published {published_at}",
        *(
            f"- {name} {dataset} is missing, nothing published"
            for name, source in read_sources().items()
            for dataset in source.datasets
        ),
        "",
        "Next: `vru status`, then docs/runbook.md, section 'A publisher is down', section 'A publisher has changed its file'.",
    ]


def test_an_alert_of_a_held_release_names_the_checks_areas_and_months_once(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    reason = "all_boroughs (fct_measure) failed: Camden 2025-01, Brent 2025-02"
    judge(warehouse, build(warehouse, pair(2)), "blocked", reason)
    record_problem(warehouse, "night-1", "gate", "candidate", "GATE_HELD", f"the release is held: {reason}")
    alert = raise_alert(warehouse, "night-1")
    assert alert is not None
    assert (alert.kind, alert.code) == ("held", "GATE_HELD")
    assert alert.subject == (
        "Violence-reduction warehouse: release 2 is held, the marts stand as they were (run night-1)"
    )
    assert alert.body.count(reason) == 1
    assert "they hold release 1, published" in alert.body
    assert alert.body.endswith("section 'A release is held'.")


def test_a_held_release_raises_an_alert_though_nobody_wrote_the_problem_down_and_only_once(warehouse: Settings) -> None:
    judge(warehouse, build(warehouse, pair(2)), "blocked", "Camden is missing in 2025-01")
    first = raise_alert(warehouse, "night-1")
    assert first is not None
    assert re.search(r"- release 1 is held since .*: Camden is missing in 2025-01 \[GATE_HELD\]", first.body)
    assert first.code == "GATE_HELD"
    assert "nothing has been published yet" in first.body
    assert raise_alert(warehouse, "night-2") is None


def test_an_alert_about_invented_data_says_so(warehouse: Settings) -> None:
    read(warehouse, "update ops.warehouse set data_kind = 'synthetic' returning 1", ADMIN)
    record_problem(warehouse, "night-1", "publish", "candidate", "DISK_FULL", "no room")
    alert = raise_alert(warehouse, "night-1")
    assert alert is not None
    assert alert.subject.startswith("[synthetic data] ")


def test_a_task_that_was_killed_and_left_no_word_is_in_the_alert_and_one_that_left_one_is_there_once(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    record_problem(warehouse, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "the publisher answered 503")
    steps.notify("night-1", ["mps.fetch_borough_recent", "mps.load_borough_recent", "transform"])
    [alert] = alerts.alerts(warehouse)
    assert str(alert["body"]).count("borough_recent: ") == 2
    assert "- fetch, mps borough_recent: the publisher answered 503" in str(alert["body"])
    lines = [line for line in str(alert["body"]).splitlines() if line.endswith("[NIGHT_CUT_OFF]")]
    assert [line.partition(":")[0] for line in lines] == ["- load, mps borough_recent", "- transform, the run"]


def test_the_last_word_on_a_step_stands_and_carries_no_password(warehouse: Settings) -> None:
    record_problem(warehouse, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "first try")
    record_problem(
        warehouse,
        "night-1",
        "fetch",
        "mps borough_recent",
        "PUBLISHER_DOWN",
        "postgresql://vru:secret@host/vru is down",
    )
    alert = raise_alert(warehouse, "night-1")
    assert alert is not None
    assert "- fetch, mps borough_recent: postgresql://***@host/vru is down [PUBLISHER_DOWN]" in alert.body.splitlines()
    assert "secret" not in alert.text
    assert "first try" not in alert.text


def test_a_channel_that_is_down_is_tried_again_and_every_try_is_counted(
    with_channel: Settings, channel: Channel
) -> None:
    channel.answers = [503, 429, 200]
    record_problem(with_channel, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    alert = raise_alert(with_channel, "night-1")
    assert alert is not None
    assert (alert.attempts, alert.last_error, alert.delivered_at is not None) == (3, None, True)
    assert len({json.dumps(message) for message in channel.received}) == 1
    assert len(channel.received) == 3


def test_a_channel_that_stays_down_raises_nothing_and_the_alert_arrives_when_it_is_up(
    with_channel: Settings, channel: Channel
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
    with_channel: Settings, channel: Channel
) -> None:
    channel.close()
    record_problem(with_channel, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    alert = raise_alert(with_channel, "night-1")
    assert alert is not None
    assert (alert.attempts, alert.delivered_at) == (4, None)
    assert alert.last_error == "no answer from the webhook channel"
    assert "key-of-the-channel" not in json.dumps(alerts.alerts(with_channel), default=str)


def test_a_channel_that_does_not_answer_in_time_counts_as_down(
    with_channel: Settings, channel: Channel, monkeypatch: pytest.MonkeyPatch
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
    with_channel: Settings, channel: Channel, answer: int, error: str
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
    with_channel: Settings, channel: Channel, monkeypatch: pytest.MonkeyPatch
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


def test_two_who_deliver_at_once_send_each_alert_once(with_channel: Settings, channel: Channel) -> None:
    channel.answers = [500]
    record_problem(with_channel, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    raise_alert(with_channel, "night-1")
    channel.answers, channel.received, channel.delay = [200], [], 0.3
    with ThreadPoolExecutor() as pool:
        outcomes = [f.result() for f in [pool.submit(deliver_pending, with_channel) for _ in range(3)]]
    assert sum(outcomes) == 1
    assert len(channel.received) == 1


def test_without_a_channel_the_alert_is_kept_for_whoever_looks(warehouse: Settings) -> None:
    record_problem(warehouse, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    alert = raise_alert(warehouse, "night-1")
    assert alert is not None
    assert (alert.channel, alert.attempts, alert.delivered_at) == ("none", 0, None)
    assert deliver_pending(warehouse) == 0
    assert [a["alert_id"] for a in alerts.alerts(warehouse)] == [alert.alert_id]


def test_a_channel_that_is_down_changes_no_verdict_and_no_mart(with_channel: Settings, channel: Channel) -> None:
    channel.answers = [500]
    publish(with_channel, judged(with_channel, pair(1)))
    blocked = build(with_channel, pair(2))
    judge(with_channel, blocked, "blocked", "Camden is missing in 2025-01")
    raise_alert(with_channel, "night-1")
    with pytest.raises(Refusal, match="the gate blocked"):
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
    warehouse: Settings, channel: Channel, mail_server: tuple[int, list[Envelope]]
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
    with pytest.raises(Refusal, match=r"VRU_ALERT_URLS must be addresses .* number 2 is none"):
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
