"""The inbox: whole files, each once, of the kind that was asked for; and an export behind a key, off unless agreed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import fsspec
import pytest

from ingest.connectors import inbox, inbox_folder
from ingest.connectors.fetch_context import FetchContext, Fetched, LastFetch, Offer
from ingest.declaration import Dataset, Inbox, Source, find_source
from ingest.errors import BodyRefused, Refusal
from ingest.http import Client
from ingest.landing import kind_held
from sandbox.exchange import Request, Response
from sandbox.safestats.inbox import fill
from sandbox.server import Publisher, serve_sites
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.steps import step

SAFESTATS = find_source("safestats")
NOW = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)
BODY = b"Report ID,Incident Date,Incident Category,Borough\r\n1,01/10/2026,Traffic,Camden\r\n"
SHA256 = hashlib.sha256(BODY).hexdigest()
NAME = "tfl-2026-10.csv"


@pytest.fixture
def context(tmp_path: Path) -> FetchContext:
    return FetchContext(
        client=Client(("127.0.0.1",)),
        source=SAFESTATS,
        name="tfl_driver_incidents",
        base_url="https://www.safestats.org.uk",
        landing=tmp_path / "landing",
        inbox=tmp_path / "inbox",
        now=NOW,
    )


def put(context: FetchContext, name: str = NAME, body: bytes = BODY, *, age: float = 60) -> Path:
    """A file in the inbox, last written so many seconds ago."""
    file = context.inbox / "safestats" / context.name / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    os.utime(file, (time.time() - age,) * 2)
    return file


def manifest(context: FetchContext, **files: dict[str, object]) -> None:
    put(context, inbox_folder.MANIFEST, json.dumps({"files": files}).encode())


def names(context: FetchContext) -> list[str]:
    return [offer.file_name for offer in inbox.list_editions(context)]


def take(context: FetchContext) -> list[Fetched]:
    return [inbox.fetch(context, offer) for offer in inbox.list_editions(context)]


def after(context: FetchContext, done: list[Fetched]) -> FetchContext:
    """The next night's fetch."""
    return dataclasses.replace(
        context, last_fetches=tuple(LastFetch(d.offer.url, d.etag, d.last_modified, d.sha256) for d in done)
    )


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


def bad_entry(folder: Path, kind: str) -> None:
    """What is no file, in the dataset's folder."""
    if kind == "link":
        (folder / "bad-2026-09.csv").symlink_to(folder / NAME)
    if kind == "link that leads nowhere":
        (folder / "bad-2026-09.csv").symlink_to(folder / "nowhere.csv")
    if kind in ("folder", "folder named as a manifest"):
        inner = folder / ("bad-2026-09" if kind == "folder" else inbox_folder.MANIFEST)
        inner.mkdir()
        (inner / "x-2026-09.csv").write_bytes(BODY)
    if kind == "pipe":
        os.mkfifo(folder / "bad-2026-09.csv")
    if kind == "name":
        (folder / os.fsdecode(b"bad-\xff-2026-09.csv")).write_bytes(BODY)
    if kind == "name of two lines":
        (folder / "bad\n\t2026-09.csv").write_bytes(BODY)


BAD_ENTRIES = {
    "link": "file 1 of 2 by name: is a link, and links are not followed",
    "link that leads nowhere": "file 1 of 2 by name: is a link",
    "folder": "file 1 of 2 by name: is a folder, and nothing in it is read",
    "folder named as a manifest": "file 1 of 2 by name: is a folder, and nothing in it is read",
    "pipe": "file 1 of 2 by name: is a pipe, a socket or a device, not a file",
    "name": "file 1 of 2 by name: has a name that is not plain text",
    "name of two lines": "file 1 of 2 by name: has a name that is not plain text",
}


@pytest.mark.parametrize(("kind", "told"), BAD_ENTRIES.items())
def test_what_is_no_file_is_refused_by_its_place_and_holds_no_other_back(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, context: FetchContext, kind: str, told: str
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    monkeypatch.setattr(inbox_folder, "PAUSE", 0.05)  # nothing here is still being written
    context = dataclasses.replace(context, inbox=warehouse.inbox)
    put(context)
    bad_entry(warehouse.inbox / "safestats" / context.name, kind)
    (landed,) = steps.fetch("night", "safestats", context.name)
    assert (warehouse.landing / landed).read_bytes() == BODY
    steps.notify("night")
    with connect(warehouse, ADMIN) as connection:
        ((alert,),) = connection.execute("select body from ops.alert").fetchall()
    assert told in alert
    assert "2026-09" not in alert
    assert "Kept: nothing of it was landed" in alert
    found = [finding for finding in inbox.check(context) if told.partition(": ")[2] in finding.differs]
    assert found
    assert all(finding.asked.isprintable() for finding in found)


SWAPS = {
    "link": "is a link, and links are not followed",
    "pipe": "is a pipe, a socket or a device, not a file",
    "nothing": "is no longer there",
    "another file": "was being written while it was read",
    "a link to a folder": "its folder tfl_driver_incidents is a link, and links are not followed",
    "a link above the folder": "its folder safestats is a link, and links are not followed",
}
FOLDERS = ("a link to a folder", "a link above the folder")  # by how far above the file


@pytest.mark.parametrize(("kind", "told"), SWAPS.items())
def test_what_takes_a_files_place_after_it_was_looked_at_is_not_read(
    context: FetchContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, told: str
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(BODY)
    file = put(context)
    first = tmp_path / "first.csv"
    first.hardlink_to(file)
    (offer,) = inbox.list_editions(context)
    as_ever = inbox.check_kind

    def swap(context: FetchContext, offer: Offer, *, is_synthetic: bool) -> None:
        """What comes between the look and the opening."""
        as_ever(context, offer, is_synthetic=is_synthetic)
        file.unlink()
        if kind == "link":
            file.symlink_to(secret)
        if kind == "pipe":
            os.mkfifo(file)
        if kind == "another file":
            file.write_bytes(BODY)
        if kind in FOLDERS:
            file.hardlink_to(first)  # the very file that was looked at: what is above it alone is another
            folder = file.parents[FOLDERS.index(kind)]
            folder.rename(tmp_path / "elsewhere")
            folder.symlink_to(tmp_path / "elsewhere")

    monkeypatch.setattr(inbox, "check_kind", swap)
    with pytest.raises(BodyRefused, match=told):
        inbox.fetch(context, offer)
    assert not context.landing.exists()


def test_an_empty_folder_beside_the_files_is_nobodys_concern(context: FetchContext) -> None:
    (put(context).parent / "done").mkdir()
    assert names(context) == [NAME]


def test_a_manifest_that_is_a_link_lands_nothing(context: FetchContext, tmp_path: Path) -> None:
    (tmp_path / "told.json").write_text("{}")
    (put(context).parent / inbox_folder.MANIFEST).symlink_to(tmp_path / "told.json")
    with refused_with("MANIFEST_INVALID", kind=BodyRefused):
        names(context)


def test_a_manifest_that_becomes_a_link_after_it_was_looked_at_is_not_read(
    context: FetchContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(context)
    manifest(context)
    as_ever = inbox_folder.info_of

    def swap(store: fsspec.AbstractFileSystem, path: str) -> dict[str, object]:
        info = as_ever(store, path)
        if path.endswith(inbox_folder.MANIFEST):
            Path(path).rename(tmp_path / "told.json")
            Path(path).symlink_to(tmp_path / "told.json")
        return info

    monkeypatch.setattr(inbox_folder, "info_of", swap)
    with refused_with("INBOX_ENTRY_NOT_A_FILE", where="manifest.json", kind=BodyRefused):
        names(context)


def test_a_folder_that_is_a_link_is_refused_once(context: FetchContext, tmp_path: Path) -> None:
    folder = put(context).parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with refused_with(
        "INBOX_ENTRY_NOT_A_FILE",
        where="tfl_driver_incidents",
        kind=BodyRefused,
    ):
        names(context)


def test_a_file_rewritten_in_place_while_it_is_read_is_not_landed_though_it_gets_its_time_back(
    context: FetchContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(context)
    (offer,) = inbox.list_editions(context)
    time.sleep(0.02)  # the clock of files ticks every few milliseconds

    def half_and_half(origin: BinaryIO, target: BinaryIO, length: int) -> None:
        target.write(origin.read(40))
        times = file.stat().st_mtime_ns
        with file.open("r+b") as handle:
            handle.write(BODY.replace(b"Camden", b"Barnet"))
        os.utime(file, ns=(times, times))
        target.write(file.read_bytes()[40:])

    monkeypatch.setattr("shutil.copyfileobj", half_and_half)
    with refused_with("CHANGED_WHILE_READ", kind=BodyRefused):
        inbox.fetch(context, offer)
    assert not context.landing.exists()


def test_a_file_replaced_with_the_same_size_and_time_is_landed_again(context: FetchContext) -> None:
    file = put(context)
    first = take(context)
    times = file.stat().st_mtime_ns
    file.write_bytes(BODY.replace(b"Camden", b"Barnet"))
    os.utime(file, ns=(times, times))
    (changed,) = take(after(context, first))
    assert changed.landed is not None
    assert changed.landed.path.read_bytes() == file.read_bytes()


def test_what_no_connector_foresaw_is_told_in_words_and_holds_no_other_file_back(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, context: FetchContext
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    context = dataclasses.replace(context, inbox=warehouse.inbox)
    put(context, "tfl-2026-09.csv")
    put(context)
    as_ever = inbox.fetch

    def fails_once(context: FetchContext, offer: Offer) -> Fetched:
        if "09" in offer.file_name:
            raise ZeroDivisionError("Camden, aged 17")
        return as_ever(context, offer)

    monkeypatch.setattr(inbox, "fetch", fails_once)
    assert len(steps.fetch("night", "safestats", context.name)) == 1
    steps.notify("night")
    with connect(warehouse, ADMIN) as connection:
        ((alert,),) = connection.execute("select body from ops.alert").fetchall()
    assert "tfl_driver_incidents, file 1 of 2 by name: what came could not be read" in alert
    assert "(ZeroDivisionError, test_inbox.py line" in alert
    assert "Kept: nothing of it was loaded; the last good data stand." in alert
    assert "Camden" not in alert


def test_an_alert_names_every_refused_file_by_its_hash_where_a_name_may_be_of_a_person(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, context: FetchContext
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    context = dataclasses.replace(context, inbox=warehouse.inbox)
    for month in range(1, 8):
        put(context, f"tfl-2026-{month:02d}.csv", BODY.replace(b"Borough", b"Town%d" % month))
    put(context)
    landed = steps.fetch("night", "safestats", context.name)
    with refused_with("HEADER_UNKNOWN"):
        steps.load("night", "safestats", context.name, landed)
    steps.notify("night")
    with connect(warehouse, ADMIN) as connection:
        ((alert,),) = connection.execute("select body from ops.alert").fetchall()
        assert connection.execute("select count(*) from ops.load where state = 'loaded'").fetchall() == [(1,)]
    for month in range(1, 8):
        sha256 = hashlib.sha256(BODY.replace(b"Borough", b"Town%d" % month)).hexdigest()
        assert f"safestats tfl_driver_incidents, file {sha256[:12]}" in alert
    assert "tfl-2026" not in alert
    assert alert.count("Kept: its bytes are in landing") == 5
    assert "And 2 more were refused: safestats tfl_driver_incidents, file " in alert


@pytest.mark.parametrize(("body", "code"), [(b"", "NO_ROWS"), (b"<html>log in", "NOT_THE_FILE")])
def test_what_is_no_file_of_the_kind_is_refused_and_kept(context: FetchContext, body: bytes, code: str) -> None:
    put(context, body=body)
    with refused_with(code, kind=BodyRefused):
        take(context)
    assert [path.read_bytes() for path in context.landing.rglob("*.csv")] == [body]


def test_a_file_that_is_too_large_is_refused_before_it_is_read(context: FetchContext) -> None:
    put(context)
    small = context.dataset.model_copy(update={"max_bytes": 10})
    with refused_with("FILE_TOO_LARGE", match="may have 10", kind=BodyRefused):
        take(_with(context, small))


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


# ---- the export behind a key

KEY = "s3cr3t-token"


class _Export:
    """An export that asks for a key."""

    def answer(self, request: Request) -> Response | None:
        if request.path == "/moved/tfl-2026-10.csv":
            return Response(302, {"Location": "http://elsewhere.invalid/tfl-2026-10.csv"})
        if request.path != "/export/tfl-2026-10.csv":
            return None
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Response(401)
        return Response(200, {"Content-Type": "text/csv", "ETag": '"1"'}, BODY)


@pytest.fixture
def export() -> Iterator[Publisher]:
    with serve_sites(lambda clock: [_Export()]) as publisher:
        yield publisher


def _with(context: FetchContext, dataset: Dataset) -> FetchContext:
    source = Source.model_validate({**context.source.model_dump(), "datasets": {context.name: dataset.model_dump()}})
    return dataclasses.replace(context, source=source)


def _exporting(
    context: FetchContext, publisher: Publisher, path: str = "/export/tfl-2026-10.csv", key: str | None = KEY
) -> FetchContext:
    location = Inbox(kind="inbox", download=path)
    there = _with(context, context.dataset.model_copy(update={"location": location}))
    return dataclasses.replace(there, base_url=publisher.base_url, key=key, must_be_synthetic=True)


def test_the_export_is_off_unless_declared_and_this_home_has_its_key(context: FetchContext, export: Publisher) -> None:
    assert all(
        isinstance(dataset.location, Inbox) and dataset.location.download is None
        for dataset in SAFESTATS.datasets.values()
    )
    assert names(dataclasses.replace(context, key=KEY, base_url=export.base_url)) == []
    assert names(_exporting(context, export, key=None)) == []
    assert export.requests == ()


def test_the_export_is_fetched_with_the_key_which_stands_in_no_paper(context: FetchContext, export: Publisher) -> None:
    (done,) = take(_exporting(context, export))
    assert done.sha256 == SHA256
    assert take(after(_exporting(context, export), [done]))[0].landed is None
    assert [request.status for request in export.requests] == [200, 304]
    assert all(KEY not in path.read_text(errors="replace") for path in context.landing.rglob("*") if path.is_file())
    assert KEY not in repr(export.requests)


def test_a_wrong_key_and_a_redirect_elsewhere_are_refused_without_telling_it(
    context: FetchContext, export: Publisher
) -> None:
    for there, told in (
        (_exporting(context, export, key="wr0ng-token"), "status 401"),
        (_exporting(context, export, path="/moved/tfl-2026-10.csv"), "elsewhere.invalid"),
    ):
        with pytest.raises(Refusal, match=told) as refusal:
            take(there)
        assert KEY not in str(refusal.value)
        assert "wr0ng" not in str(refusal.value)


# ---- the stand-in's deliveries


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
