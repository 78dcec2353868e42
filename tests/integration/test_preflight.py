"""`vru sources check`: what differs between a publisher and what we declare, said before a night finds out."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import sandbox
from ingest import http
from ingest.declaration import read_sources
from sandbox.server import Publisher
from warehouse import nightly
from warehouse.settings import read_settings

TODAY = dt.date(2026, 11, 22)
VRU = str(Path(sys.executable).with_name("vru"))
FILE = "b4r/MPS Borough Level Crime (most recent 24 months).csv"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with sandbox.serve(today=TODAY, seed=1) as serving:
        yield serving


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own for what runs in this process, and little patience."""
    chosen = read_settings({"VRU_HOME": str(tmp_path), "VRU_TODAY": TODAY.isoformat()})
    monkeypatch.setattr(nightly, "settings", lambda: chosen)
    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)


def asked(publisher: Publisher) -> list[str]:
    found = nightly.check("mps", "borough_recent", json.dumps({"mps": publisher.base_url}))
    return [f"{one.asked}: {one.differs}" for one in found]


def vru(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VRU_HOME": str(home), "VRU_TODAY": TODAY.isoformat(), **more}
    return subprocess.run([VRU, *arguments], env=environment, capture_output=True, text=True, check=False)


def test_every_source_of_ours_is_as_declared_at_its_stand_in(tmp_path: Path) -> None:
    # Fingertips withdraws indicators, and so does its stand-in.
    done = vru(tmp_path, "sources", "check", *(name for name in read_sources() if name != "fingertips"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "everything is as declared"
    assert "mps borough_recent: as declared" in done.stdout


def test_what_differs_is_named_and_the_status_says_so(publisher: Publisher, tmp_path: Path) -> None:
    publisher.misbehave("renamed_column", path_contains=FILE)
    base_urls = json.dumps({"mps": publisher.base_url})
    done = vru(tmp_path, "sources", "check", "mps", "--json", VRU_BASE_URLS=base_urls)
    assert done.returncode == 1
    rows = json.loads(done.stdout)
    assert {(row["source"], row["dataset"], row["asked"]) for row in rows} == {
        ("mps", "borough_recent", "file MPS Borough Level Crime (most recent 24 months).csv")
    }
    assert "has no column for major_text" in " ".join(row["differs"] for row in rows)


def test_nothing_is_landed_and_no_database_is_needed(publisher: Publisher, tmp_path: Path) -> None:
    done = vru(tmp_path, "sources", "check", "mps", VRU_BASE_URLS=json.dumps({"mps": publisher.base_url}))
    assert done.returncode == 0, done.stdout
    assert not (tmp_path / "landing").exists()
    assert not (tmp_path / "postgres").exists()


def test_files_that_wait_in_an_inbox_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = read_settings({"VRU_HOME": str(tmp_path), "VRU_TODAY": TODAY.isoformat()})
    monkeypatch.setattr(nightly, "settings", lambda: chosen)
    assert nightly.check("safestats", "btp_crime") == []
    folder = tmp_path / "inbox" / "safestats" / "btp_crime"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "btp.csv").write_text("Borough,Nonsense\nBarnet,1\n", encoding="utf-8")
    found = nightly.check("safestats", "btp_crime")
    assert {one.asked for one in found} == {"file btp.csv"}
    assert any("has no column for" in one.differs for one in found)


def test_an_unknown_source_is_a_sentence(tmp_path: Path) -> None:
    done = vru(tmp_path, "sources", "check", "met")
    assert done.returncode == 1
    assert done.stderr.startswith("vru: no source 'met' is declared")


@pytest.mark.usefixtures("home")
def test_an_honest_publisher_differs_in_nothing(publisher: Publisher) -> None:
    assert asked(publisher) == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("fault", "path", "options", "says"),
    [
        ("status", "package_show", {"code": 404}, "package exy3m, .*answered with status 404"),
        ("html_with_200", "package_show", {}, "the answer is not JSON"),
        ("json_error_with_200", "package_show", {}, "not the description of a dataset"),
        ("status", FILE, {"code": 410}, "file MPS Borough .*answered with status 410"),
        ("html_with_200", FILE, {}, "the file is an HTML or XML page"),
        ("missing_column", FILE, {}, "has no column for major_text"),
        ("new_column", FILE, {}, "'New Column' is not known"),
        ("excel_serial_dates", FILE, {}, "'45[0-9]{3}' is not known"),
        ("utf_16", FILE, {}, "is UTF-16"),
        ("redirect_elsewhere", FILE, {}, "not among the hosts"),
        ("too_many_requests", FILE, {"retry_after": 86400}, "status 429"),
    ],
)
def test_what_a_publisher_has_changed_is_said(
    publisher: Publisher, fault: str, path: str, options: dict[str, object], says: str
) -> None:
    publisher.misbehave(fault, path_contains=path, **options)
    found = asked(publisher)
    assert found
    assert re.search(says, found[0])


@pytest.mark.usefixtures("home")
def test_a_file_under_another_name_is_said_with_the_names_there_are(publisher: Publisher) -> None:
    address = f"{publisher.base_url}/api/action/package_show?id=exy3m"
    listed = requests.get(address, timeout=10).text.replace("most recent", "last").replace("most%20recent", "last")
    publisher.misbehave("replace_body", path_contains="package_show", body=listed.encode())
    (found,) = asked(publisher)
    assert "the dataset offers no file 'MPS Borough Level Crime (most recent 24 months).csv'" in found
    assert "MPS Borough Level Crime (last 24 months)" in found


@pytest.mark.usefixtures("home")
def test_only_the_beginning_of_a_file_is_taken(publisher: Publisher) -> None:
    asked(publisher)
    files = [request for request in publisher.requests if "/files/" in request.path]
    assert len(files) == 1  # of the two copies on offer, the newest
