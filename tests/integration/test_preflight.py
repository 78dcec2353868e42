"""`vru sources check`: what differs between a publisher and what we declare, said before a night finds out."""

from __future__ import annotations

import datetime as dt
import hashlib
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
from ingest.declaration import read_sources
from ingest.http import client as http
from sandbox.exchange import Request, Response
from sandbox.police_uk import figures
from sandbox.police_uk.archive import index_page, packed, served
from sandbox.safestats import feeds
from sandbox.server import Publisher, serve_sites
from warehouse import steps
from warehouse.platform.settings import read_settings
from warehouse.steps import step

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
    monkeypatch.setattr(step, "settings", lambda: chosen)
    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)


def asked(publisher: Publisher) -> list[str]:
    found = steps.check("mps", "borough_recent", json.dumps({"mps": publisher.base_url}))
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
    monkeypatch.setattr(step, "settings", lambda: chosen)
    assert steps.check("safestats", "btp_crime") == []
    folder = tmp_path / "inbox" / "safestats" / "btp_crime"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "btp.csv").write_text("Borough,Nonsense\nBarnet,1\n", encoding="utf-8")
    found = steps.check("safestats", "btp_crime")
    assert {one.asked for one in found} == {"inbox:safestats/btp_crime, file 1 of 1 by name"}
    assert any("has no column for" in one.differs for one in found)


def test_a_folder_that_nobody_reads_and_a_name_without_its_month_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = read_settings({"VRU_HOME": str(tmp_path), "VRU_TODAY": TODAY.isoformat()})
    monkeypatch.setattr(step, "settings", lambda: chosen)
    for folder in ("ambulance", "btp_crime"):
        (tmp_path / "inbox" / "safestats" / folder).mkdir(parents=True)
    (file,) = (f for f in feeds.files(TODAY, 1) if f.name == "btp_crime-2026-10.csv")
    (tmp_path / "inbox" / "safestats" / "btp_crime" / "crime.csv").write_bytes(file.body)
    manifest = {"files": {"btp_crime-2026-10.csv": {"is_synthetic": True}}}
    (tmp_path / "inbox" / "safestats" / "btp_crime" / "manifest.json").write_text(
        json.dumps(manifest), encoding="utf-8"
    )
    found = [steps.check("safestats", name) for name in ("ambulance_borough", "btp_crime", "fire_incidents")]
    assert [[f"{one.asked}: {one.differs}" for one in its] for its in found] == [
        ["inbox:safestats, file 1 of 2 by name: is a folder that no dataset is read from"],
        [
            "manifest.json of inbox:safestats/btp_crime: names 1 that are not there",
            r"inbox:safestats/btp_crime, file 1 of 1 by name: has a name that does not say what it is about: (?i)(?!.*sample).*?(?<!\d)(20\d{2}-(?:0[1-9]|1[0-2]))(?!\d).*",
        ],
        [],
    ]


class NewArchive:
    """data.police.uk with an archive of three months, some of it as nobody declared."""

    def __init__(self) -> None:
        self.sent = 0
        texts = dict(text for n in range(3) for text in figures.member_texts(1, f"2026-0{7 + n}", 2 - n))
        del texts["2026-08/2026-08-btp-street.csv"]
        texts = {name: text for name, text in texts.items() if "city-of-london-street" not in name}
        name = "2026-09/2026-09-metropolitan-street.csv"
        texts[name] = texts[name].replace("Crime type", "Offence", 1).replace("Context", "Context,Weapon", 1)
        pad = [(f"2026-09/2026-09-{n}-street.csv", hashlib.shake_256(bytes([n])).hexdigest(100_000)) for n in range(40)]
        self.body = packed([*pad[:20], *texts.items(), *pad[20:]])

    def answer(self, request: Request) -> Response | None:
        if request.path == "/data/archive/":
            return Response(200, {}, index_page([("2026-09", self.body)]).encode())
        if request.path != "/data/archive/2026-09.zip":
            return None
        response = served(request, self.body)
        self.sent += len(response.body)
        return response


@pytest.mark.usefixtures("home")
def test_what_an_archive_lacks_and_what_begins_otherwise_is_said_without_taking_it() -> None:
    site = NewArchive()
    with serve_sites(lambda _: [site]) as publisher:
        found = steps.check("police_uk", "street", json.dumps({"police_uk": publisher.base_url}))
        outcomes = steps.check("police_uk", "outcomes", json.dumps({"police_uk": publisher.base_url}))
    header = "Crime ID, Month, Reported by, Falls within, Longitude, Latitude, Location, LSOA code, LSOA name, Offence"
    assert [f"{one.asked}: {one.differs}" for one in found] == [
        "archive 2026-09, btp: lacks 2026-08",
        "archive 2026-09, city_of_london: lacks 3 months from 2026-07 to 2026-09",
        "file 2026-09-metropolitan-street.csv: header 'Offence' is not known (column 10)",
        "file 2026-09-metropolitan-street.csv: header 'Weapon' is not known (column 13)",
        "file 2026-09-metropolitan-street.csv: header has no column for crime_type (any of: Crime type); "
        f"it has {header}, Last outcome category, Context and 1 more",
    ]
    assert outcomes == []  # British Transport Police is known to publish none
    assert len(site.body) > 2_500_000
    assert site.sent < 1_500_000  # of both: the ends, with the directory, and the beginning of a file a force


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("fault", "path", "options", "says"),
    [
        ("html_with_200", "/data/archive/", {}, "the page lists no archive"),
        ("status", "/archive/2026-09.zip", {"code": 404}, "answered with status 404"),
        ("wrong_content_type", "/archive/2026-09.zip", {}, ""),
        ("html_with_200", "/archive/2026-09.zip", {}, "is not served in parts"),
    ],
)
def test_what_police_uk_has_changed_is_said(
    publisher: Publisher, fault: str, path: str, options: dict[str, object], says: str
) -> None:
    publisher.misbehave(fault, path_contains=path, **options)
    found = steps.check("police_uk", "stop_and_search", json.dumps({"police_uk": publisher.base_url}))
    assert bool(found) == bool(says)
    assert all(re.search(says, one.differs) for one in found), found


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
        ("new_column", FILE, {}, "has a column that is not declared: New Column"),
        ("excel_serial_dates", FILE, {}, "'45[0-9]{3}' is not known"),
        ("cp1252", FILE, {}, "is not UTF-8"),
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
