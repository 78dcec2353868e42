"""The inbox: what is no plain file, changes while it is read or takes another's place is refused by its place, and holds no other back."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import time
from pathlib import Path
from typing import BinaryIO

import fsspec
import pytest

from ingest.connectors import inbox, inbox_folder
from ingest.connectors.fetch_context import FetchContext, Fetched, Offer
from ingest.errors import BodyRefused
from tests.inbox_files import BODY, NAME, after, context_in, manifest, names, put, take
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.steps import step


@pytest.fixture
def context(tmp_path: Path) -> FetchContext:
    return context_in(tmp_path)


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
    "link": ("INBOX_ENTRY_NOT_A_FILE", "file 1 of 1 by name: .*link"),
    "pipe": ("INBOX_ENTRY_NOT_A_FILE", "file 1 of 1 by name: .*pipe"),
    "nothing": ("INBOX_ENTRY_NOT_A_FILE", "file 1 of 1 by name"),
    "another file": ("CHANGED_WHILE_READ", "file 1 of 1 by name"),
    "a link to a folder": ("INBOX_ENTRY_NOT_A_FILE", "folder tfl_driver_incidents is a link"),
    "a link above the folder": ("INBOX_ENTRY_NOT_A_FILE", "folder safestats is a link"),
}
FOLDERS = ("a link to a folder", "a link above the folder")  # by how far above the file


@pytest.mark.parametrize(("kind", "code", "named"), [(kind, *ends) for kind, ends in SWAPS.items()])
def test_what_takes_a_files_place_after_it_was_looked_at_is_not_read(
    context: FetchContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, code: str, named: str
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
    with refused_with(code, match=named, kind=BodyRefused):
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
    assert "(ZeroDivisionError, test_inbox_entries.py line" in alert
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
