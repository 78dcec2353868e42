"""A run that ended red raises one alert, which is written down first."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.declaration import read_sources
from ingest.errors import Refusal
from tests.candidates import build, judge, judged, pair, read
from tests.webhook import Webhook, channel, with_channel
from warehouse import alerts, steps
from warehouse.alerts import deliver_pending, raise_alert, record_problem
from warehouse.platform.connection import ADMIN
from warehouse.platform.settings import Settings
from warehouse.publish import publish
from warehouse.steps import step

__all__ = ["channel", "with_channel"]


def test_a_run_without_a_problem_raises_no_alert(with_channel: Settings, channel: Webhook) -> None:
    publish(with_channel, judged(with_channel, pair(1)))
    assert raise_alert(with_channel, "night-1") is None
    assert alerts.alerts(with_channel) == []
    assert channel.received == []


def test_a_run_raises_exactly_one_alert_however_much_went_wrong_and_however_often_it_is_asked(
    with_channel: Settings, channel: Webhook
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


def test_an_alert_tells_what_a_task_raised_and_says_killed_only_of_one_that_was(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AirflowTaskTimeout(BaseException):
        pass

    monkeypatch.setattr(step, "settings", lambda: warehouse)
    steps.note_failure("night-1", "replay", Refusal("LANDED_FILE_NOT_THERE", "no loaded file lies in that range"))
    steps.note_failure("night-1", "mps.fetch_vawg", AirflowTaskTimeout("Timeout, PID: 7"))
    steps.note_failure("night-1", "mps.load_vawg", ZeroDivisionError("division by zero"))
    steps.note_failure("night-1", "mps.load_vawg", ValueError("of another try"))
    steps.notify("night-1", ["replay", "mps.fetch_vawg", "mps.load_vawg", "transform"])
    [alert] = alerts.alerts(warehouse)
    said = {line.partition(": ")[0]: line.partition(": ")[2] for line in str(alert["body"]).splitlines()[1:5]}
    assert said["- replay, the run"] == "no loaded file lies in that range. [LANDED_FILE_NOT_THERE]"
    assert said["- fetch, mps vawg"].startswith("it ran longer than it may and was ended. ")
    assert said["- load, mps vawg"] == "ZeroDivisionError [UNFORESEEN]"
    assert [name for name, words in said.items() if "killed" in words] == ["- transform, the run"]


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


def test_without_a_channel_the_alert_is_kept_for_whoever_looks(warehouse: Settings) -> None:
    record_problem(warehouse, "night-1", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "503")
    alert = raise_alert(warehouse, "night-1")
    assert alert is not None
    assert (alert.channel, alert.attempts, alert.delivered_at) == ("none", 0, None)
    assert deliver_pending(warehouse) == 0
    assert [a["alert_id"] for a in alerts.alerts(warehouse)] == [alert.alert_id]
