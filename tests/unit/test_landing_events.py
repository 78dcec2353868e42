"""What happened to a landed file, as the events beside it say."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from ingest.landing import events
from tests.refused import refused_with

AT = dt.datetime(2026, 10, 5, 12, tzinfo=dt.UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    body = tmp_path / f"{'a' * 64}.csv"
    body.write_bytes(b"x")
    return body


def beside(file: Path, name: str) -> Path:
    return file.with_name(f"{'a' * 64}.{name}")


def lines(file: Path) -> list[str]:
    return [json.loads(line)["event"] for line in beside(file, "events.jsonl").read_text().splitlines()]


def test_a_file_to_which_nothing_happened_has_no_events_file(file: Path) -> None:
    assert events.state_of(file) == events.State()
    events.note_loaded(file)
    events.clear_withdrawal(file)
    assert not beside(file, "events.jsonl").exists()


def test_loading_a_file_settles_its_refusals_and_each_event_is_written_once(file: Path) -> None:
    for _ in range(2):
        events.note_refusal_on_arrival(file, "is a page")
        events.note_refusal(file, "a.csv", AT)
    assert (events.state_of(file).is_refused_on_arrival, events.state_of(file).was_never_loaded) == (True, True)
    events.note_loaded(file)
    assert events.state_of(file) == events.State()
    assert lines(file) == ["refused_on_arrival", "refused", "loaded"]


def test_a_withdrawal_counts_until_the_file_is_landed_again_and_stays_on_record(file: Path) -> None:
    events.note_withdrawal(file, AT, "ann", "wrong month")
    assert events.read_withdrawal(file) == {
        "withdrawn_at": "2026-10-05T12:00:00+00:00",
        "withdrawn_by": "ann",
        "reason": "wrong month",
    }
    events.clear_withdrawal(file)
    assert events.read_withdrawal(file) is None
    assert lines(file) == ["withdrawn", "restored"]


def test_a_backup_that_links_the_events_keeps_what_they_were(file: Path, tmp_path: Path) -> None:
    events.note_return(file, AT)
    kept = tmp_path / "backup"
    kept.hardlink_to(beside(file, "events.jsonl"))
    before = kept.read_bytes()
    for _ in range(2):
        events.note_return(file, AT + dt.timedelta(days=1))
    assert kept.read_bytes() == before
    assert events.state_of(file).returned_at == [AT, AT + dt.timedelta(days=1)]


def test_notes_of_version_0_1_count_as_the_events_that_came_first(file: Path) -> None:
    withdrawn = {"withdrawn_at": AT.isoformat(), "withdrawn_by": "ann", "reason": "wrong month"}
    for name, noted in {
        "refused.json": {"reason": "is a page"},
        "refused-as.json": {"file_name": "a.csv", "refused_at": AT.isoformat()},
        "renamed.json": {"file_name": "b.csv", "release_date": None},
        "released.json": {"release_date": "2026-10-01"},
        "withdrawn.json": withdrawn,
        "returned-20261005T120000000000.json": {"landed_at": AT.isoformat()},
    }.items():
        beside(file, name).write_text(json.dumps(noted) + "\n")
    assert events.state_of(file) == events.State(
        is_refused_on_arrival=True,
        was_never_loaded=True,
        described_again={"file_name": "b.csv", "release_date": "2026-10-01"},
        withdrawal=withdrawn,
        returned_at=[AT],
    )
    events.clear_withdrawal(file)
    events.note_loaded(file)
    after = events.state_of(file)
    assert (after.withdrawal, after.is_refused_on_arrival, after.was_never_loaded) == (None, False, False)


def test_events_that_cannot_be_read_are_refused_by_name(file: Path) -> None:
    beside(file, "events.jsonl").write_text("{")
    with refused_with("LANDING_DAMAGED"):
        events.state_of(file)
