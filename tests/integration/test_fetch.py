"""Fetching from a publisher: the stand-in Datastore, honest and misbehaving, on loopback."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sandbox
from ingest.connectors import london_datastore, refuse_unforeseen
from ingest.connectors.fetch_context import FetchContext, Fetched, LastFetch
from ingest.declaration import find_source
from ingest.errors import BodyRefused, PublisherUnavailable
from ingest.http import Client
from ingest.http.client import ATTEMPTS
from sandbox.server import Publisher
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.settings import Settings
from warehouse.steps import fetching, step

MPS = find_source("mps")
RECENT = MPS.dataset("borough_recent")
NOW = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)
FILE = "most recent 24 months"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with sandbox.serve(today=NOW.date(), seed=1) as serving:
        yield serving


@pytest.fixture
def waits() -> list[float]:
    """Seconds that the client wanted to wait, instead of waiting."""
    return []


@pytest.fixture
def client(waits: list[float]) -> Iterator[Client]:
    with Client(("127.0.0.1",), sleep=waits.append) as one:
        yield one


def a_context(
    client: Client,
    publisher: Publisher,
    landing: Path,
    last_fetches: list[LastFetch] | None = None,
    *,
    is_stand_in: bool = True,
) -> FetchContext:
    return FetchContext(
        client=client,
        source=MPS,
        name="borough_recent",
        base_url=publisher.base_url,
        landing=landing,
        inbox=landing,
        now=NOW,
        last_fetches=tuple(last_fetches or []),
        must_be_synthetic=is_stand_in,
    )


def fetch_all(
    client: Client, publisher: Publisher, landing: Path, last_fetches: list[LastFetch] | None = None
) -> list[Fetched]:
    context = a_context(client, publisher, landing, last_fetches)
    return [london_datastore.fetch(context, offer) for offer in london_datastore.list_editions(context)]


def remembered(fetched: list[Fetched]) -> list[LastFetch]:
    return [LastFetch(f.offer.url, f.etag, f.last_modified, f.sha256) for f in fetched]


def bodies(landing: Path) -> list[Path]:
    return sorted(f for f in landing.glob("mps/*/*") if f.suffix not in {".json", ".jsonl"})


def test_every_copy_of_the_title_is_landed_as_published_the_newest_last(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    fetched = fetch_all(client, publisher, tmp_path)
    assert len(fetched) == 2
    newest_months = []
    for one in fetched:
        assert one.landed is not None
        body = one.landed.path.read_bytes()
        assert hashlib.sha256(body).hexdigest() == one.sha256 == one.landed.path.stem
        assert (one.landed.provenance.url, one.landed.provenance.status, one.landed.provenance.is_synthetic) == (
            one.offer.url,
            200,
            True,
        )
        newest_months.append(body.split(b"\r\n", 1)[0].rsplit(b",", 1)[1].decode())
    assert newest_months == sorted(newest_months)
    assert newest_months[-1] == "202610"


def test_an_unchanged_file_is_not_fetched_twice(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    first = fetch_all(client, publisher, tmp_path)
    landed = bodies(tmp_path)
    publisher.forget_requests()
    again = fetch_all(client, publisher, tmp_path, last_fetches=remembered(first))
    assert [one.landed for one in again] == [None, None]
    assert bodies(tmp_path) == landed
    assert [r.status for r in publisher.requests if "/files/" in r.path] == [304, 304]


def test_a_file_replaced_under_the_same_address_is_fetched(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    first = fetch_all(client, publisher, tmp_path)
    other = b"MajorText,MinorText,BoroughName,202610\r\n"
    publisher.misbehave("replace_body", path_contains=FILE, body=other)
    again = fetch_all(client, publisher, tmp_path, last_fetches=remembered(first))
    assert {one.landed.path.read_bytes() for one in again if one.landed} == {other}


def test_a_busy_publisher_is_asked_again_after_the_time_it_names(
    client: Client, publisher: Publisher, tmp_path: Path, waits: list[float]
) -> None:
    publisher.misbehave("status", path_contains="package_show", times=2, code=503)
    assert len(fetch_all(client, publisher, tmp_path)) == 2
    assert len(waits) == 2


def test_a_publisher_that_stays_busy_is_given_up_and_named(
    client: Client, publisher: Publisher, tmp_path: Path, waits: list[float]
) -> None:
    publisher.misbehave("status", path_contains=FILE, code=503)
    with refused_with("PUBLISHER_DOWN", match=rf"\b503 .*\b{ATTEMPTS} attempts", kind=PublisherUnavailable):
        fetch_all(client, publisher, tmp_path)
    assert bodies(tmp_path) == []
    assert len(waits) == ATTEMPTS - 1


def test_a_status_that_will_not_change_is_not_asked_for_again(
    client: Client, publisher: Publisher, tmp_path: Path, waits: list[float]
) -> None:
    publisher.misbehave("status", path_contains=FILE, code=404)
    with refused_with("STATUS_REFUSED", match="404", kind=BodyRefused):
        fetch_all(client, publisher, tmp_path)
    assert waits == []


def test_a_body_cut_short_is_never_landed(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    publisher.misbehave("truncated_body", path_contains=FILE)
    with refused_with("PUBLISHER_DOWN", kind=PublisherUnavailable):
        fetch_all(client, publisher, tmp_path)
    assert bodies(tmp_path) == []


def test_a_body_cut_short_once_is_fetched_whole_the_next_time(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    whole = fetch_all(client, publisher, tmp_path / "whole")
    publisher.misbehave("truncated_body", path_contains=FILE, times=1)
    assert [f.sha256 for f in fetch_all(client, publisher, tmp_path / "cut")] == [f.sha256 for f in whole]


@pytest.mark.parametrize(
    ("fault", "code"),
    [("html_with_200", "NOT_THE_FILE"), ("empty_with_200", "NO_ROWS")],
)
def test_a_page_or_nothing_in_place_of_the_file_is_refused_and_its_bytes_kept(
    client: Client, publisher: Publisher, tmp_path: Path, fault: str, code: str
) -> None:
    publisher.misbehave(fault, path_contains=FILE)
    with refused_with(code, kind=BodyRefused):
        fetch_all(client, publisher, tmp_path)
    assert len(bodies(tmp_path)) == 1


def test_a_page_in_place_of_the_list_is_refused(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    publisher.misbehave("html_with_200", path_contains="package_show")
    with refused_with("ANSWER_NOT_AS_AGREED", kind=BodyRefused):
        fetch_all(client, publisher, tmp_path)


@pytest.mark.parametrize("is_wanted", [True, False])
@pytest.mark.parametrize(
    ("address", "told"), [("http://[bad/x.csv", "http://[bad/x.csv"), ("https://x/\ud800", r"\ud800")]
)
def test_a_resource_whose_address_is_none_is_refused_and_one_nobody_asks_for_is_passed_over(
    client: Client, publisher: Publisher, tmp_path: Path, address: str, told: str, is_wanted: bool
) -> None:
    context = a_context(client, publisher, tmp_path)
    there = [offer.url for offer in london_datastore.list_editions(context)]
    wanted = getattr(RECENT.location, "file_name", "")
    named = {"name": wanted if is_wanted else "Another file", "url": address}
    listing = {"result": {"resources": [{"name": wanted, "url": there[0]}, named]}}
    publisher.misbehave("replace_body", path_contains="package_show", body=json.dumps(listing).encode())
    if not is_wanted:
        assert [offer.url for offer in london_datastore.list_editions(context)] == there[:1]
        return
    with refused_with("ADDRESS_REFUSED", kind=BodyRefused) as refused:
        london_datastore.list_editions(context)
    assert told in str(refused.value)
    assert str(refused.value).encode()


def test_a_redirect_to_another_host_is_refused(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    publisher.misbehave("redirect_elsewhere", path_contains=FILE)
    with refused_with("ADDRESS_REFUSED", kind=BodyRefused):
        fetch_all(client, publisher, tmp_path)


def test_a_body_larger_than_declared_is_refused(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    offer = london_datastore.list_editions(a_context(client, publisher, tmp_path))[-1]
    with refused_with("FILE_TOO_LARGE", match="1,000 bytes", kind=BodyRefused):
        client.fetch(offer.url, tmp_path, max_bytes=1000)


def test_a_title_that_is_no_longer_offered_is_refused_with_what_is(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    location = RECENT.location.model_copy(update={"file_name": "MPS Borough Crime.csv"})
    renamed = RECENT.model_copy(update={"location": location})
    source = MPS.model_copy(update={"datasets": {"borough_recent": renamed}})
    context = dataclasses.replace(a_context(client, publisher, tmp_path), source=source)
    with refused_with(
        "NO_LONGER_OFFERED",
        match="'MPS Borough Crime.csv'; .*MPS Borough Level Crime",
        kind=BodyRefused,
    ):
        london_datastore.list_editions(context)


def test_synthetic_data_are_refused_where_real_data_were_asked_for(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    context = a_context(client, publisher, tmp_path, is_stand_in=False)
    offer = london_datastore.list_editions(context)[-1]
    with refused_with("KINDS_MIXED", kind=BodyRefused):
        london_datastore.fetch(context, offer)
    assert bodies(tmp_path) == []


def test_a_full_disk_under_landing_is_a_sentence_and_leaves_nothing_half(
    client: Client, publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ingest.landing.files.os.fsync", full)
    with refused_with("DISK_FULL"):
        fetch_all(client, publisher, tmp_path)
    assert bodies(tmp_path) == []


def test_a_full_disk_of_ours_is_no_fault_of_the_publisher(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    context = a_context(client, publisher, tmp_path)
    with refused_with("DISK_FULL") as refused, refuse_unforeseen(context):
        raise OSError(28, "No space left on device")
    assert not isinstance(refused.value, BodyRefused)
    assert "make room" in refused.value.next_step


def test_who_we_are_is_said_in_every_request(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    fetch_all(client, publisher, tmp_path)
    assert {r.headers["user-agent"].split("/")[0] for r in publisher.requests} == {"vru-warehouse"}


def test_a_publisher_that_is_away_is_asked_for_ten_minutes_of_a_night_and_less_long_each_further_time(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[float | None] = []

    class Noting(Client):
        def __init__(self, *hosts: Any, deadline: float | None = None, **how: Any) -> None:
            asked_for.append(deadline)
            super().__init__(*hosts, deadline=0.1, **how)

    monkeypatch.setattr(step, "settings", lambda: warehouse)
    monkeypatch.setattr(fetching, "Client", Noting)
    nobody = json.dumps({"mps": "http://127.0.0.1:1"})
    steps.begin("night", ["mps"], nobody)
    for dataset in ("borough_recent", "borough_historical"):
        with refused_with("PUBLISHER_DOWN", kind=PublisherUnavailable):
            steps.fetch("night", "mps", dataset, nobody)
    assert asked_for == [None, fetching.IMPATIENT]
    monkeypatch.setattr(fetching, "FETCHING", dt.timedelta(0))
    with refused_with("PUBLISHER_DOWN") as over:
        steps.fetch("night", "mps", "borough_recent", nobody)
    assert not isinstance(over.value, PublisherUnavailable)
