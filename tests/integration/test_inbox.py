"""The inbox: whole files, each once, of the kind that was asked for; and an export behind a key, off unless agreed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import threading
import time
from pathlib import Path

import fsspec
import pytest

from ingest.connectors import inbox_folder
from ingest.connectors.fetch_context import FetchContext
from ingest.errors import BodyRefused
from ingest.landing import kind_held
from sandbox.safestats.inbox import fill
from tests.inbox_files import (
    BODY,
    NAME,
    SHA256,
    after,
    context_in,
    manifest,
    names,
    put,
    take,
    with_dataset,
)
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.steps import step


@pytest.fixture
def context(tmp_path: Path) -> FetchContext:
    return context_in(tmp_path)


def test_an_inbox_that_is_not_there_or_empty_offers_nothing(context: FetchContext) -> None:
    assert names(context) == []
    put(context).unlink()
    assert names(context) == []


def test_a_file_is_landed_as_it_is_and_stays_where_it_was(context: FetchContext, tmp_path: Path) -> None:
    file = put(context)
    (done,) = take(context)
    assert done.landed is not None
    assert done.landed.path.read_bytes() == file.read_bytes() == BODY
    provenance = done.landed.provenance
    assert (provenance.url, provenance.file_name, provenance.release_date, provenance.is_synthetic) == (
        f"inbox:safestats/tfl_driver_incidents/{NAME}", NAME, None, False,
    )  # fmt: skip
    assert str(tmp_path) not in json.dumps(dataclasses.asdict(provenance), default=str)


def test_a_file_is_landed_once_and_again_when_it_has_changed(context: FetchContext) -> None:
    put(context)
    first = take(context)
    (again,) = take(after(context, first))
    assert again.landed is None
    assert again.bytes == 0
    put(context, body=BODY + b"2,02/10/2026,Traffic,Camden\r\n", age=30)
    (changed,) = take(after(context, first))
    assert changed.landed is not None
    assert changed.sha256 != first[0].sha256


@pytest.mark.parametrize(
    "name", ["x-2026-10.csv.part", ".x-2026-10.csv", "x.filepart", "~$x.xlsx", "X-2026-10.CSV.PARTIAL"]
)
def test_what_a_sender_has_not_finished_is_left_alone(context: FetchContext, name: str) -> None:
    put(context, name)
    put(context)
    assert names(context) == [NAME]


def test_a_file_that_is_still_growing_is_left_alone_until_it_is_whole(context: FetchContext) -> None:
    file = put(context, "big-2026-10.csv", age=0)
    put(context)
    stop = threading.Event()

    def grow() -> None:
        while not stop.wait(0.1):
            with file.open("ab") as handle:
                handle.write(b"2,02/10/2026,Traffic,Camden\r\n")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert names(context) == [NAME]
    finally:
        stop.set()
        writer.join()
    assert names(context) == ["big-2026-10.csv", NAME]


def test_a_manifest_says_when_a_file_was_released_and_whether_it_is_invented(context: FetchContext) -> None:
    put(context)
    manifest(context, **{NAME: {"sha256": SHA256, "release_date": "2026-11-05", "is_synthetic": True}})
    (done,) = take(dataclasses.replace(context, must_be_synthetic=True))
    assert done.landed is not None
    assert (done.landed.provenance.release_date, done.landed.provenance.is_synthetic) == (dt.date(2026, 11, 5), True)
    assert kind_held(context.landing) == "synthetic"


@pytest.mark.parametrize("is_synthetic", [True, False])
def test_a_file_of_the_other_kind_is_not_landed(context: FetchContext, is_synthetic: bool) -> None:
    put(context)
    manifest(context, **{NAME: {"is_synthetic": is_synthetic}})
    with refused_with("KINDS_MIXED", kind=BodyRefused):
        take(dataclasses.replace(context, must_be_synthetic=not is_synthetic))
    assert not context.landing.exists()


def test_a_file_that_is_not_what_its_manifest_says_is_not_landed(context: FetchContext) -> None:
    put(context)
    manifest(context, **{NAME: {"sha256": "0" * 64}})
    with refused_with("HASH_DIFFERS", match="0000", kind=BodyRefused):
        take(context)
    assert not context.landing.exists()
    manifest(context, **{NAME: {"sha256": SHA256}})
    assert take(context)[0].landed is not None


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"files": {"a": {"is_sinthetic": true}}}'])
def test_a_manifest_that_cannot_be_read_lands_nothing(context: FetchContext, body: bytes) -> None:
    put(context)
    put(context, inbox_folder.MANIFEST, body)
    with refused_with("MANIFEST_INVALID", kind=BodyRefused):
        names(context)


@pytest.mark.parametrize(("body", "code"), [(b"", "NO_ROWS"), (b"<html>log in", "NOT_THE_FILE")])
def test_what_is_no_file_of_the_kind_is_refused_and_kept(context: FetchContext, body: bytes, code: str) -> None:
    put(context, body=body)
    with refused_with(code, kind=BodyRefused):
        take(context)
    assert [path.read_bytes() for path in context.landing.rglob("*.csv")] == [body]


def test_a_file_that_is_too_large_is_refused_before_it_is_read(context: FetchContext) -> None:
    put(context)
    small = context.dataset.model_copy(update={"max_bytes": 10})
    with refused_with("FILE_TOO_LARGE", match=r"\b10\b", kind=BodyRefused):
        take(with_dataset(context, small))


def test_an_object_store_takes_the_folders_place(context: FetchContext) -> None:
    store = fsspec.filesystem("memory")
    store.pipe_file(f"/vru/safestats/tfl_driver_incidents/{NAME}", BODY)
    there = dataclasses.replace(context, inbox_url="memory://vru")
    (done,) = take(there)
    assert done.sha256 == SHA256
    assert take(after(there, [done]))[0].landed is None
    assert names(dataclasses.replace(there, must_be_synthetic=True)) == []


def test_a_store_that_cannot_be_reached_is_said_without_its_address(context: FetchContext) -> None:
    with refused_with("INBOX_AWAY", kind=BodyRefused) as refusal:
        names(dataclasses.replace(context, inbox_url="nosuch://key:secret@bucket"))
    assert "secret" not in str(refusal.value)


def test_the_stand_in_delivers_whole_files_that_their_manifests_call_invented(tmp_path: Path) -> None:
    assert fill(tmp_path, today=dt.date(2026, 11, 22)) == 22
    for folder in (tmp_path / "safestats").iterdir():
        told = json.loads((folder / inbox_folder.MANIFEST).read_text())["files"]
        found = {file.name for file in folder.iterdir()} - {inbox_folder.MANIFEST}
        assert found == told.keys()
        for name, entry in told.items():
            assert entry["is_synthetic"] is True
            assert entry["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert fill(tmp_path, today=dt.date(2026, 11, 22)) == 0
    assert fill(tmp_path, today=dt.date(2026, 12, 5)) == 8  # the next month of seven feeds, and the workbook


def test_the_stand_in_leaves_a_folder_with_somebody_elses_files_alone(tmp_path: Path) -> None:
    real = tmp_path / "safestats" / "btp_crime" / "real-2026-10.csv"
    real.parent.mkdir(parents=True)
    real.write_bytes(b"real")
    fill(tmp_path, today=dt.date(2026, 11, 22))
    assert list(real.parent.iterdir()) == [real]


def test_a_file_that_is_refused_does_not_keep_the_others_back(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    folder = warehouse.inbox / "safestats" / "tfl_driver_incidents"
    folder.mkdir(parents=True)
    page = b"<html>please sign in</html>"
    for month, body in (("08", BODY), ("09", page), ("10", BODY.replace(b"Camden", b"Barnet"))):
        (folder / f"tfl-2026-{month}.csv").write_bytes(body.replace(b"/10/", f"/{month}/".encode()))
        os.utime(folder / f"tfl-2026-{month}.csv", (time.time() - 60,) * 2)
    landed = steps.fetch("night", "safestats", "tfl_driver_incidents")
    loaded = steps.load("night", "safestats", "tfl_driver_incidents", landed)
    assert loaded == {"files": 2, "rows": 2, "editions": [warehouse.london_date().isoformat()]}
    steps.notify("night")
    with connect(warehouse, ADMIN) as connection:
        loaded = connection.execute("select part from ops.load where state = 'loaded' order by part").fetchall()
        ((alert,),) = connection.execute("select body from ops.alert").fetchall()
    assert loaded == [("2026-08",), ("2026-10",)]
    assert "tfl_driver_incidents, file 2 of 3 by name: what came is an HTML or XML page" in alert
