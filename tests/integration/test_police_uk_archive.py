"""police.uk's archive: only our members are taken, each once, and an archive that is none is refused by name."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import sandbox
from ingest import landing
from ingest.connectors.fetch_context import FetchContext, Fetched, LastFetch
from ingest.errors import BodyRefused, PublisherUnavailable
from ingest.http import Client
from ingest.sources.police_uk import connector as police_uk_connector
from sandbox.exchange import Request, Response
from sandbox.police_uk.archive import archive, index_page, packed, served
from sandbox.server import Publisher, serve_sites
from tests.police_uk_files import HEADER, POLICE, crime
from tests.refused import refused_with

NOW = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)


class HandMade:
    """data.police.uk with an archive made for one test, its index telling what it is told to."""

    def __init__(self, body: bytes, *, ranges: bool = True, md5: str | None = None) -> None:
        self.body, self.ranges, self.md5 = body, ranges, md5
        self.sent = 0  # bytes of parts

    def answer(self, request: Request) -> Response | None:
        if request.path == "/data/archive/":
            page = index_page([("2026-09", self.body)])
            if self.md5:
                page = page.replace(hashlib.md5(self.body).hexdigest(), self.md5)  # noqa: S324 - the publisher's choice
            return Response(200, {"Content-Type": "text/html"}, page.encode())
        if request.path != "/data/archive/2026-09.zip":
            return None
        response = served(request, self.body) if self.ranges else Response(200, {}, self.body)
        self.sent += len(response.body) if response.status == 206 else 0
        return response


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(("127.0.0.1",), sleep=lambda _: None) as one:
        yield one


def context_for(
    client: Client, base_url: str, folder: Path, seen: Sequence[LastFetch] = (), name: str = "street"
) -> FetchContext:
    return FetchContext(
        client=client, source=POLICE, name=name, base_url=base_url, landing=folder, inbox=folder, now=NOW,
        last_fetches=tuple(seen), must_be_synthetic=True,
    )  # fmt: skip


def fetch_all(one: FetchContext) -> list[Fetched]:
    return [police_uk_connector.fetch(one, offer) for offer in police_uk_connector.list_editions(one)]


def remembered(fetched: list[Fetched]) -> list[LastFetch]:
    return [LastFetch(f.offer.url, f.etag, f.last_modified, f.sha256) for f in fetched]


def bodies(folder: Path) -> list[Path]:
    return sorted(f for f in folder.glob("police_uk/*/*") if f.suffix not in {".json", ".jsonl"})


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with sandbox.serve(today=NOW.date(), seed=1) as serving:
        yield serving


def test_only_our_members_are_taken_each_as_it_was_packed(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    fetched = fetch_all(context_for(client, publisher.base_url, tmp_path))
    body = archive(1, "2026-09")
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        ours = {n: file.read(n) for n in file.namelist() if n.endswith("-street.csv") and "kent" not in n}
    assert {f.offer.url.partition("#")[2]: f.landed.path.read_bytes() for f in fetched if f.landed} == ours
    assert len(ours) == 36 * 3 - 11  # British Transport Police published nothing from February to December 2025
    first = fetched[0].landed
    assert first is not None
    assert (first.provenance.release_date, first.provenance.file_name) == (
        dt.date(2026, 10, 1),
        "2023-10-btp-street.csv",
    )
    assert first.provenance.url == f"{publisher.base_url}/data/archive/2026-09.zip#2023-10/2023-10-btp-street.csv"


def test_an_archive_that_has_not_changed_costs_one_request(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    first = fetch_all(context_for(client, publisher.base_url, tmp_path))
    publisher.forget_requests()
    assert fetch_all(context_for(client, publisher.base_url, tmp_path, remembered(first))) == []
    assert [r.path for r in publisher.requests] == ["/data/archive/"]


def test_a_new_archive_costs_its_new_month_and_what_was_rewritten(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    first = fetch_all(context_for(client, publisher.base_url, tmp_path))
    publisher.advance_to(dt.date(2026, 12, 1))
    publisher.forget_requests()
    again = fetch_all(context_for(client, publisher.base_url, tmp_path, remembered(first)))
    months = sorted({f.offer.file_name[:7] for f in again if f.landed is not None})
    assert months == ["2026-07", "2026-08", "2026-09", "2026-10"]
    assert {f.etag for f in again if f.landed is None} == {f.offer.mark for f in again if f.landed is None}
    assert fetch_all(context_for(client, publisher.base_url, tmp_path, remembered(again))) == []


def test_a_fetch_that_broke_off_goes_on_where_it_was(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    one = context_for(client, publisher.base_url, tmp_path)
    some = [police_uk_connector.fetch(one, offer) for offer in police_uk_connector.list_editions(one)[:5]]
    rest = fetch_all(context_for(client, publisher.base_url, tmp_path, remembered(some)))
    assert [f.landed is None for f in rest[:6]] == [True] * 5 + [False]


def test_what_is_not_ours_is_not_fetched(client: Client, tmp_path: Path) -> None:
    # Text that does not shrink: 200 months of other forces round one of ours.
    pad = [
        (f"2026-09/2026-09-force-{n}-street.csv", hashlib.shake_256(bytes([n])).hexdigest(100_000)) for n in range(200)
    ]
    site = HandMade(packed([*pad[:100], (NAME, TEXT), *pad[100:]]))
    with serve_sites(lambda _: [site]) as publisher:
        fetched = fetch_all(context_for(client, publisher.base_url, tmp_path))
    assert [f.landed.path.read_text(encoding="utf-8") for f in fetched if f.landed] == [TEXT]
    assert len(site.body) > 20_000_000
    assert site.sent < 600_000


def test_british_transport_police_has_no_outcomes(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    offers = police_uk_connector.list_editions(context_for(client, publisher.base_url, tmp_path, name="outcomes"))
    assert {offer.file_name[8:] for offer in offers} == {"metropolitan-outcomes.csv", "city-of-london-outcomes.csv"}


NAME = "2026-09/2026-09-metropolitan-street.csv"
TEXT = HEADER + crime(month="2026-09")


def with_flag(body: bytes) -> bytes:
    """A zip archive whose members say that they are encrypted."""
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = body.find(mark)
        body = body[: start + offset] + b"\x01\x00" + body[start + offset + 2 :]
    return body


def damaged(body: bytes) -> bytes:
    """A zip archive with a wrong byte in its first member."""
    middle = body.find(NAME.encode()) + len(NAME) + 20
    return body[:middle] + bytes([body[middle] ^ 0xFF]) + body[middle + 1 :]


def test_where_the_server_knows_no_ranges_the_whole_is_taken_and_its_md5_checked(
    client: Client, tmp_path: Path
) -> None:
    body = packed([(NAME, TEXT)])
    with serve_sites(lambda _: [HandMade(body, ranges=False)]) as publisher:
        fetched = fetch_all(context_for(client, publisher.base_url, tmp_path))
        assert [f.landed.path.read_text(encoding="utf-8") for f in fetched if f.landed] == [TEXT]
    with (
        serve_sites(lambda _: [HandMade(body, ranges=False, md5="0" * 32)]) as publisher,
        refused_with("HASH_DIFFERS", match="0{32}", kind=BodyRefused),
    ):
        fetch_all(context_for(client, publisher.base_url, tmp_path / "other"))
    assert bodies(tmp_path / "other") == []


@pytest.mark.parametrize("ranges", [True, False], ids=["in parts", "whole"])
@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (packed([(NAME, TEXT), ("../../etc/passwd", "x")]), "ARCHIVE_UNSAFE", "'../../etc/passwd'"),
        (packed([(NAME, TEXT), ("/etc/passwd", "x")]), "ARCHIVE_UNSAFE", "'/etc/passwd'"),
        (packed([(NAME, "0" * 50_000_000)]), "ARCHIVE_UNSAFE", "50,000,000 bytes"),
        (packed([(NAME, "0" * 300_000_000)]), "ARCHIVE_UNSAFE", "300,000,000 .*268,435,456"),
        (with_flag(packed([(NAME, TEXT)])), "ARCHIVE_UNSAFE", ""),
        (packed([("2026-09.zip", "PK")]), "NO_LONGER_OFFERED", "2026-09.zip"),
        (damaged(packed([(NAME, TEXT)])), "ARCHIVE_DAMAGED", "member 2026-09/2026-09-metropolitan"),
        (packed([(NAME, TEXT)])[:-30], "ARCHIVE_DAMAGED", ""),
    ],
    ids=[
        "a name that climbs", "an absolute name", "a bomb", "a member too large", "encrypted", "an archive in the archive",
        "damaged", "cut short",
    ],
)  # fmt: skip
def test_an_archive_that_is_none_of_theirs_is_refused_by_name(
    client: Client, tmp_path: Path, body: bytes, code: str, named: str, ranges: bool
) -> None:
    with (
        serve_sites(lambda _: [HandMade(body, ranges=ranges)]) as publisher,
        refused_with(code, match=named, kind=BodyRefused),
    ):
        fetch_all(context_for(client, publisher.base_url, tmp_path))
    assert bodies(tmp_path) == []


def test_a_page_in_place_of_the_archive_is_refused_and_kept(client: Client, tmp_path: Path) -> None:
    page = b"<html>not today</html>" * 100
    with (
        serve_sites(lambda _: [HandMade(page, ranges=False)]) as publisher,
        refused_with("NOT_THE_FILE", kind=BodyRefused),
    ):
        fetch_all(context_for(client, publisher.base_url, tmp_path))
    assert [body.read_bytes() for body in bodies(tmp_path)] == [page]
    # No later night takes it for a file that was left over.
    assert list(landing.every_file(tmp_path)) == []


def test_a_zip_archive_under_the_name_of_a_file_is_refused_and_kept(client: Client, tmp_path: Path) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as file:
        file.writestr(NAME, packed([(NAME, TEXT)]))
    with (
        serve_sites(lambda _: [HandMade(body.getvalue())]) as publisher,
        refused_with("NOT_THE_FILE", kind=BodyRefused),
    ):
        fetch_all(context_for(client, publisher.base_url, tmp_path))
    assert len(bodies(tmp_path)) == 1


def test_an_index_without_an_archive_is_refused(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    publisher.misbehave("html_with_200", path_contains="/data/archive/")
    with refused_with("ANSWER_NOT_AS_AGREED", kind=BodyRefused):
        fetch_all(context_for(client, publisher.base_url, tmp_path))


def test_an_archive_replaced_while_it_is_read_is_asked_for_another_time(client: Client, tmp_path: Path) -> None:
    # Larger than what is read ahead at the end, so that its first member takes a request of its own.
    pad = hashlib.shake_256(b"pad").hexdigest(1_000_000)
    site = HandMade(
        packed([(NAME, TEXT), ("2026-09/2026-09-kent-street.csv", pad), ("2026-09/2026-09-kent-outcomes.csv", pad)])
    )
    with serve_sites(lambda _: [site]) as publisher:
        one = context_for(client, publisher.base_url, tmp_path)
        offers = police_uk_connector.list_editions(one)
        site.body = site.body + b"\0"
        with refused_with("CHANGED_WHILE_READ", kind=PublisherUnavailable):
            police_uk_connector.fetch(one, offers[0])


def test_another_part_than_was_asked_for_is_refused(client: Client, tmp_path: Path) -> None:
    class Shifted(HandMade):
        def answer(self, request: Request) -> Response | None:
            response = super().answer(request)
            if response is not None and response.status == 206:
                return Response(206, {**response.headers, "Content-Range": "bytes 5-9/1000"}, response.body)
            return response

    with (
        serve_sites(lambda _: [Shifted(packed([(NAME, TEXT)]))]) as publisher,
        refused_with("ANSWER_NOT_AS_AGREED", match="bytes 5-9/1000", kind=BodyRefused),
    ):
        fetch_all(context_for(client, publisher.base_url, tmp_path))


def test_a_part_that_a_busy_server_withholds_is_asked_for_again(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.misbehave("status", path_contains="/archive/2026-09.zip", times=2, code=503)
    assert len(fetch_all(context_for(client, publisher.base_url, tmp_path))) == 97


def test_a_redirect_of_the_archive_to_another_host_is_refused(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.misbehave("redirect_elsewhere", path_contains="/data/archive/2026-09.zip")
    with refused_with("ADDRESS_REFUSED", kind=BodyRefused):
        fetch_all(context_for(client, publisher.base_url, tmp_path))
