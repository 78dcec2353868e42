"""The watch tells what no night can tell, once, also when the database is away."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import psycopg
import pytest

from ingest.connectors import file_drop
from ingest.declaration import find_source
from tests.candidates import read
from tests.mps_files import borough_file
from tests.webhook import Webhook, channel, with_channel
from warehouse import airflow, alerts, steps
from warehouse.airflow.internals import SchedulerState, metadata
from warehouse.platform.connection import ADMIN, OPEN, connect
from warehouse.platform.settings import Settings, read_settings
from warehouse.reports import watch

__all__ = ["channel", "with_channel"]

ALERTS = "select kind, subject, delivered_at is not null from ops.alert order by alert_id"


@pytest.fixture(autouse=True)
def due(monkeypatch: pytest.MonkeyPatch) -> None:
    """The night is late from midnight on, whatever the time of this test."""
    monkeypatch.setattr(watch, "NIGHT_IS_DUE", dt.time(0))
    # Airflow's database is shared with tests whose runs fail.
    monkeypatch.setattr(airflow, "failed_runs", lambda *_, **__: [])


def asked_just_now(settings: Settings) -> None:
    with connect(settings, ADMIN) as connection:
        connection.execute("update ops.dataset set last_checked_at = %s", [settings.now()])


def told(settings: Settings) -> list[str]:
    """The codes of what a look tells."""
    return [one.code for one in watch.watch(settings)[1]]


def test_a_night_that_did_not_come_is_told_once_and_again_on_another_day(
    with_channel: Settings, channel: Webhook
) -> None:
    assert told(with_channel) == ["NIGHT_LATE"]
    assert told(with_channel) == []
    tomorrow = with_channel.model_copy(update={"today": with_channel.london_date() + dt.timedelta(days=1)})
    assert len(told(tomorrow)) == 1
    assert (
        read(with_channel, ALERTS, ADMIN)
        == [
            (
                "found",
                "Violence-reduction warehouse: no night has asked the publishers yet, and one is due every day by 00:00",
                True,
            )
        ]
        * 2
    )
    assert len(channel.received) == 2


def test_a_feed_past_its_freshness_is_told_on_a_night_that_was_green(warehouse: Settings, tmp_path: Path) -> None:
    file = tmp_path / "recent.csv"
    file.write_bytes(borough_file("202001", "202112"))
    landed = file_drop.take(
        warehouse.landing, find_source("mps"), "borough_recent", file, warehouse.now(), is_synthetic=True
    )
    steps.load_one(warehouse, find_source("mps"), "borough_recent", landed)
    asked_just_now(warehouse)
    assert told(warehouse) == ["DATASET_STALE"]
    ((body,),) = read(warehouse, "select body from ops.alert", ADMIN)
    assert "- mps borough_recent is stale: newest month is 2021-12" in body
    with connect(warehouse, ADMIN) as connection:
        connection.execute("update ops.load set loaded_at = loaded_at - interval '2 hours'")
    assert told(warehouse) == ["LOADS_NOT_JUDGED"]


def test_what_a_night_has_told_of_a_feed_is_not_told_by_a_second_alert(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """insert into ops.load (source, dataset, sha256, file_name, landed_path, bytes, landed_at, loaded_at, last_period,
                   rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
               values ('mps', 'vawg', 'hash', 'f', 'p', 1, now(), now(), date_trunc('month', now())::date, 1, 1, 0, 'superseded', true)"""
        )
        connection.execute(
            """update ops.dataset set last_check_failed_because = 'it is down', last_check_failed_code = 'PUBLISHER_DOWN',
                   failing_since = now() where dataset = 'vawg'"""
        )
    asked_just_now(warehouse)
    alerts.record_problem(warehouse, "night-1", "fetch", "mps vawg", "PUBLISHER_DOWN", "it is down")
    alerts.raise_alert(warehouse, "night-1")
    assert told(warehouse) == []
    with connect(warehouse, ADMIN) as connection:
        connection.execute("update ops.alert set raised_at = raised_at - interval '3 days'")
    assert told(warehouse) == ["DATASET_STALE"], "it is still so after some days"


def test_a_database_that_is_away_is_told_and_entered_once_it_is_back(with_channel: Settings, channel: Webhook) -> None:
    asked_just_now(with_channel)
    away = with_channel.model_copy(
        update={
            "database_url": read_settings({"VRU_DATABASE_URL": "postgresql://postgres:x@127.0.0.1:1/vru"}).database_url
        }
    )
    assert told(away) == ["WAREHOUSE_AWAY"]
    assert told(away) == []
    assert [str(sent["text"]).splitlines()[0] for sent in channel.received] == [
        "Violence-reduction warehouse: the warehouse's database cannot be reached"
    ]
    assert told(with_channel) == []
    assert read(with_channel, ALERTS, ADMIN) == [
        ("found", "Violence-reduction warehouse: the warehouse's database cannot be reached", True)
    ]
    assert len(channel.received) == 1
    assert list((with_channel.home / "alerts").iterdir()) == []
    assert len(told(away)) == 1  # it was back in between


def test_an_alert_that_could_not_be_sent_while_the_database_was_away_arrives_later(
    with_channel: Settings, channel: Webhook
) -> None:
    asked_just_now(with_channel)
    channel.answers = [503, 200]
    away = with_channel.model_copy(
        update={
            "database_url": read_settings({"VRU_DATABASE_URL": "postgresql://postgres:x@127.0.0.1:1/vru"}).database_url
        }
    )
    assert len(told(away)) == 1
    assert told(with_channel) == []
    assert [delivered for _, _, delivered in read(with_channel, ALERTS, ADMIN)] == [True]


def test_a_role_that_was_changed_is_told_once(warehouse: Settings) -> None:
    asked_just_now(warehouse)
    with connect(warehouse, ADMIN) as connection:
        connection.execute("delete from ops.role_setting where role_name = 'vru_open' and name = 'jit'")
    _, found = watch.watch(warehouse)
    assert [(one.code, one.problem) for one in found] == [
        (
            "ROLE_CHANGED",
            "vru_open (jit) was changed since set-up, which a role may do itself: `vru setup` repairs it",
        )
    ]
    assert told(warehouse) == []


def test_a_readers_transaction_that_goes_on_for_too_long_is_ended_and_told(warehouse: Settings) -> None:
    asked_just_now(warehouse)
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            "update ops.role_setting set value = '100ms' where role_name = 'vru_open' and name ~ 'timeout'"
        )
    changed = "vru_open (idle_in_transaction_session_timeout, statement_timeout) was changed"
    with pytest.raises(psycopg.errors.AdminShutdown), connect(warehouse, OPEN) as anyone:  # noqa: PT012 - at its end
        anyone.execute("set statement_timeout = 0")
        time.sleep(0.4)
        _, found = watch.watch(warehouse)
    assert [one.code for one in found] == ["ROLE_CHANGED", "READER_OVERDUE"]
    assert found[0].problem.startswith(changed)
    assert found[1].problem.startswith(
        "a reader's transaction went on for longer than its role may, and was ended: vru_open (in a transaction since 2"
    )


def test_a_scheduler_that_is_gone_and_a_paused_dag_are_told(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_just_now(warehouse)
    heard = dt.datetime(2026, 11, 20, 3, 12, tzinfo=dt.UTC)
    monkeypatch.setattr(airflow, "scheduler_state", lambda _: SchedulerState(heard, False, ("nightly",)))
    assert told(warehouse) == ["SCHEDULER_SILENT", "DAG_PAUSED"]


def test_a_run_that_failed_without_an_alert_of_its_own_is_told(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_just_now(warehouse)
    alerts.record_problem(warehouse, "one", "fetch", "mps borough_recent", "PUBLISHER_DOWN", "was away")
    alerts.raise_alert(warehouse, "one")
    monkeypatch.setattr(airflow, "failed_runs", lambda *_, **__: [("one", "nightly"), ("two", "nightly")])
    assert [(one.code, one.key) for one in watch.watch(warehouse)[1]] == [("NIGHT_CUT_OFF", "run two")]


def test_a_scheduler_counts_as_gone_when_its_heart_stops_and_not_when_it_was_stopped(warehouse: Settings) -> None:
    states = {}
    with metadata(warehouse) as connection:
        for state, ago in (("running", 5), ("running", 600), ("success", 600)):
            connection.execute("delete from job")
            connection.execute(
                """insert into job (job_type, state, latest_heartbeat)
                   values ('SchedulerJob', %s, now() - make_interval(secs => %s))""",
                [state, ago],
            )
            found = airflow.scheduler_state(warehouse)
            states[state, ago] = (found.heard_at is not None, found.is_alive)
        connection.execute("delete from job")
    assert states == {("running", 5): (True, True), ("running", 600): (True, False), ("success", 600): (False, False)}
