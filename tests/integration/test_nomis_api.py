"""The NOMIS API as it really behaves, from its stand-in on loopback."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sandbox
from ingest import landing
from ingest.connectors import check
from ingest.connectors.fetch_context import FetchContext, Fetched
from ingest.declaration import Source, find_source
from ingest.errors import BodyRefused, PublisherUnavailable
from ingest.http import Client
from ingest.sources.nomis.queries import QUERIES
from sandbox.server import Publisher
from tests.asking import NOW, context_at, fetch, offers
from tests.refused import refused_with

NOMIS = find_source("nomis")
JOBS = "NM_57_1.data.csv"
KEY = "0xSECRET+key/of=ours"


@pytest.fixture
def in_pages_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Source]:
    """Asks for jobs density in pages of so many records; gives the source."""

    def narrow(records: int) -> Source:
        monkeypatch.setitem(QUERIES, "jobs_density", dataclasses.replace(QUERIES["jobs_density"], page_records=records))
        return NOMIS

    return narrow


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with sandbox.serve(today=NOW.date(), seed=1) as serving:
        yield serving


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(("127.0.0.1",), sleep=lambda _: None) as one:
        yield one


@pytest.fixture
def context(client: Client, publisher: Publisher, tmp_path: Path, in_pages_of: Callable[[int], Source]) -> FetchContext:
    return context_at(client, publisher, in_pages_of(100), "jobs_density", tmp_path)


def the_only(context: FetchContext) -> Fetched:
    (offer,) = offers(context)
    return fetch(context, offer)


def pages_of(found: Fetched) -> list[bytes]:
    assert found.landed is not None
    with zipfile.ZipFile(found.landed.path) as archive:
        return [archive.read(name) for name in archive.namelist()]


def test_a_delivery_of_several_pages_lands_as_one_file_that_names_each_page(
    context: FetchContext, publisher: Publisher, client: Client
) -> None:
    found = the_only(context)
    assert found.landed is not None
    assert found.landed.path.suffix == ".zip"
    # 33 areas, London and England, two items, three years.
    assert [page.count(b"\n") - 1 for page in pages_of(found)] == [100, 100, 10]
    addresses = found.landed.provenance.pages
    assert [address.rpartition("RecordOffset=")[2] for address in addresses] == ["0", "100", "200"]
    for address, page in zip(addresses, pages_of(found), strict=True):
        body = client.fetch(address, context.landing, max_bytes=10**9)
        assert body.file is not None
        assert body.file.read_bytes() == page
    assert (
        landing.find(context.landing, found.landed.path.relative_to(context.landing).as_posix()).provenance.pages
        == addresses
    )


def test_the_same_pages_make_the_same_file(
    client: Client, publisher: Publisher, tmp_path: Path, in_pages_of: Callable[[int], Source]
) -> None:
    made = {
        the_only(context_at(client, publisher, in_pages_of(100), "jobs_density", tmp_path / name)).sha256
        for name in "ab"
    }
    assert len(made) == 1


def test_one_page_lands_as_it_came(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    found = the_only(context_at(client, publisher, NOMIS, "jobs_density", tmp_path))
    assert found.landed is not None
    assert found.landed.path.suffix == ".csv"
    assert found.landed.path.read_bytes().startswith(b'"DATE","DATE_NAME"')
    assert len(found.landed.provenance.pages) == 1


def test_a_number_of_records_that_is_whole_pages_needs_no_empty_page(
    client: Client, publisher: Publisher, tmp_path: Path, in_pages_of: Callable[[int], Source]
) -> None:
    found = the_only(context_at(client, publisher, in_pages_of(70), "jobs_density", tmp_path))
    assert [page.count(b"\n") - 1 for page in pages_of(found)] == [70, 70, 70]


def test_areas_are_asked_for_by_their_gss_codes(context: FetchContext, publisher: Publisher) -> None:
    the_only(context)
    asked = [request.path for request in publisher.requests if JOBS in request.path]
    assert all("geography=E09000001...E09000033,E12000007,E92000001&" in path for path in asked)
    assert all("RecordLimit=100&" in path for path in asked)


def test_an_unchanged_night_asks_for_the_periods_and_nothing_else(
    context: FetchContext, client: Client, publisher: Publisher
) -> None:
    found = the_only(context)
    publisher.forget_requests()
    again = context_at(client, publisher, context.source, "jobs_density", context.landing, [found])
    assert the_only(again).landed is None
    assert [request.path for request in publisher.requests] == ["/api/v01/dataset/NM_57_1/time.def.sdmx.json"]


def test_a_release_brings_the_months_it_revised_and_no_population(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    for dataset, comes_again in (("claimant_count", True), ("population", False)):
        found = the_only(context_at(client, publisher, NOMIS, dataset, tmp_path))
        with sandbox.serve(today=NOW.date().replace(month=12, day=16), seed=1) as later:
            # The same publisher a month later: its address is another here, so what was seen is put under it.
            seen = dataclasses.replace(
                found,
                offer=dataclasses.replace(found.offer, url=found.offer.url.replace(publisher.base_url, later.base_url)),
            )
            now = context_at(client, later, NOMIS, dataset, tmp_path, [seen])
            now = dataclasses.replace(now, now=NOW.replace(month=12, day=16))
            assert (the_only(now).landed is not None) == comes_again


def test_a_scheduled_period_is_not_asked_for(context: FetchContext, publisher: Publisher) -> None:
    # One code in place of a list, one annotation in place of a list, numbers in place of text: SDMX as JSON does all this.
    annotation = {"annotationtitle": "CurrentRevisionReleased", "annotationtext": "2027-03-20 07:00:0"}
    listing = {
        "structure": {
            "codelists": {
                "codelist": {
                    "code": [
                        {"value": 2026, "annotations": {"annotation": annotation}},
                        {
                            "value": 2025,
                            "annotations": {"annotation": {**annotation, "annotationtext": "2026-03-20 07:00:00"}},
                        },
                    ]
                }
            }
        }
    }
    publisher.misbehave("replace_body", path_contains="time.def", body=json.dumps(listing).encode())
    (offer,) = offers(context)
    assert "date=2025&" in offer.url
    assert offer.mark == "2026-03-20 07:00:00"


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (b'{"error": "Query is incomplete"}', "NOT_THE_FILE", '\'{"error": "Query is incomplete"}\''),
        (b"", "NO_ROWS", ""),
        (b"Unknown query parameter c_sex", "NOT_THE_FILE", "'Unknown query parameter c_sex'"),
        (b"<!DOCTYPE html><html></html>", "NOT_THE_FILE", ""),
        (b'"DATE","DATE_NAME","RECORD_OFFSET","RECORD_COUNT"\n', "NO_ROWS", ""),
        (b'"DATE","RECORD_OFFSET","RECORD_COUNT"\n2025,0,"many"\n', "ROWS_FEWER_THAN_STATED", "1 of many "),
        ('"DATE","RECORD_OFFSET","RECORD_COUNT"\n2025,0,"²"\n'.encode(), "ROWS_FEWER_THAN_STATED", "1 of ² "),
        (
            b'"DATE","RECORD_OFFSET","RECORD_COUNT"\n2025,0,' + b"9" * 5000 + b"\n",
            "ROWS_FEWER_THAN_STATED",
            f"1 of {'9' * 20} ",
        ),
    ],
)
def test_what_is_no_table_is_refused_by_name_and_kept(
    context: FetchContext, publisher: Publisher, body: bytes, code: str, named: str
) -> None:
    publisher.misbehave("replace_body", path_contains=JOBS, body=body)
    (offer,) = offers(context)
    with refused_with(code, match=named, kind=BodyRefused):
        fetch(context, offer)
    assert [file.read_bytes() for file in context.landing.glob("nomis/jobs_density/*.csv")] == [body]


def spoilt(page: bytes, **changes: str) -> bytes:
    """A page with the last columns of its records changed."""
    header, *lines = page.decode().splitlines()
    out = [header]
    for line in lines:
        *before, offset, count = line.split(",")
        out.append(",".join([*before, changes.get("offset", offset), changes.get("count", count)]))
    return ("\n".join(out) + "\n").encode()


def test_annotations_of_another_form_are_refused_in_words(context: FetchContext, publisher: Publisher) -> None:
    listing = {"structure": {"codelists": {"codelist": {"code": [{"value": 2025, "annotations": ["x"]}]}}}}
    publisher.misbehave("replace_body", path_contains="time.def", body=json.dumps(listing).encode())
    with refused_with("ANSWER_NOT_AS_AGREED", kind=BodyRefused):
        offers(context)


def test_a_repeated_page_is_refused(context: FetchContext, publisher: Publisher) -> None:
    first = pages_of(the_only(context))[0]
    publisher.misbehave("replace_body", path_contains="RecordOffset=100", body=first)
    with refused_with("ROW_REPEATED", match="100 records", kind=BodyRefused):
        the_only(context)


def test_a_total_that_changes_while_paging_is_refused(context: FetchContext, publisher: Publisher) -> None:
    second = pages_of(the_only(context))[1]
    publisher.misbehave("replace_body", path_contains="RecordOffset=100", body=spoilt(second, count="211"))
    with refused_with("CHANGED_WHILE_READ", match="210 and 211", kind=BodyRefused):
        the_only(context)


def test_a_page_short_by_one_is_asked_for_again_from_where_it_stopped(
    context: FetchContext, publisher: Publisher
) -> None:
    whole = pages_of(the_only(context))
    short = b"\n".join(whole[2].splitlines()[:-1]) + b"\n"
    publisher.misbehave("replace_body", path_contains="RecordOffset=200", body=short)
    pages = pages_of(the_only(context))
    assert [page.count(b"\n") - 1 for page in pages] == [100, 100, 9, 1]
    assert sorted(line for page in pages for line in page.splitlines()[1:]) == sorted(
        line for page in whole for line in page.splitlines()[1:]
    )


def test_a_page_with_a_hole_is_refused(context: FetchContext, publisher: Publisher) -> None:
    lines = pages_of(the_only(context))[0].splitlines(keepends=True)
    publisher.misbehave("replace_body", path_contains="RecordOffset=0", body=b"".join(lines[:40] + lines[41:]))
    with refused_with("ROW_REPEATED", kind=BodyRefused):
        the_only(context)


def without(page: bytes, area: bytes) -> bytes:
    """A page whose records are those of all other areas, counted and numbered as if there had been no more."""
    header, *lines = page.splitlines(keepends=True)
    left = [line for line in lines if area not in line]
    numbered = (line.rsplit(b",", 2)[0] + f",{number},{len(left)}\n".encode() for number, line in enumerate(left))
    return header + b"".join(numbered)


@pytest.mark.parametrize(
    ("dataset", "area", "is_whole"),
    [
        ("jobs_density", "E09000008", False), ("jobs_density", "E09000001", False), ("jobs_density", "E12000007", False),
        ("annual_population_survey", "E09000008", False),
        # Too few people live in the City for a survey.
        ("annual_population_survey", "E09000001", True),
    ],
)  # fmt: skip
def test_an_answer_without_an_area_that_was_asked_for_is_refused_though_it_counts_what_it_has(
    client: Client, publisher: Publisher, tmp_path: Path, dataset: str, area: str, is_whole: bool
) -> None:
    asking = context_at(client, publisher, NOMIS, dataset, tmp_path)
    (offer,) = offers(asking)[-1:]
    whole = fetch(asking, offer)
    assert whole.landed is not None
    left = without(whole.landed.path.read_bytes(), area.encode())
    publisher.misbehave("replace_body", path_contains=".data.csv", body=left)
    if is_whole:
        found = fetch(asking, offer)
        assert found.landed is not None
        assert found.landed.path.read_bytes() == left
        return
    with refused_with("ANSWER_NOT_AS_AGREED", match=area, kind=BodyRefused):
        fetch(asking, offer)


def test_wards_are_asked_for_as_all_of_their_type_within_london(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    found = the_only(context_at(client, publisher, NOMIS, "census_ward_residents", tmp_path))
    assert found.landed is not None
    header, *lines = found.landed.path.read_bytes().splitlines()
    # Two a borough, and none of the City.
    assert len(lines) == 64
    assert header.startswith(b'"DATE","DATE_NAME","GEOGRAPHY_NAME","GEOGRAPHY_CODE"')
    assert {line.split(b",")[3][:7] for line in lines} == {b'"E05999'}
    (asked,) = (request for request in publisher.requests if ".data.csv" in request.path)
    assert "geography=2013265927TYPE153" in asked.path


def test_the_key_goes_to_the_publisher_and_nowhere_else(
    client: Client,
    publisher: Publisher,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    in_pages_of: Callable[[int], Source],
) -> None:
    caplog.set_level("INFO")
    context = context_at(client, publisher, in_pages_of(100), "jobs_density", tmp_path, key=KEY)
    found = the_only(context)
    assert all("uid=0xSECRET%2Bkey%2Fof%3Dours" in request.path for request in publisher.requests)
    kept = [file.read_text("latin-1") for file in tmp_path.glob("nomis/**/*") if file.is_file()]
    assert kept
    publisher.misbehave("status", path_contains=JOBS, code=404)
    with refused_with("STATUS_REFUSED", kind=BodyRefused) as refused:
        fetch(dataclasses.replace(context, last_fetches=()), found.offer)
    publisher.behave()
    publisher.misbehave("status", path_contains=JOBS, code=503)
    with refused_with("PUBLISHER_DOWN", kind=PublisherUnavailable) as away:
        fetch(dataclasses.replace(context, last_fetches=()), found.offer)
    publisher.behave()
    publisher.misbehave(
        "redirect_elsewhere", path_contains=JOBS, to="http://elsewhere.invalid/?uid=0xSECRET%2Bkey%2Fof%3Dours"
    )
    with refused_with("ADDRESS_REFUSED", kind=BodyRefused) as moved:
        fetch(dataclasses.replace(context, last_fetches=()), found.offer)
    told = [str(refused.value), str(away.value), str(moved.value), repr(found), caplog.text, *kept]
    assert not [text for text in told if "SECRET" in text]


def test_a_dataset_that_is_gone_is_refused_by_name(context: FetchContext, publisher: Publisher) -> None:
    publisher.misbehave("replace_body", path_contains="time.def", body=b'{"error": "Dataset does not exist"}')
    with refused_with("ANSWER_NOT_AS_AGREED", match="Dataset does not exist", kind=BodyRefused):
        offers(context)


@pytest.mark.parametrize("dataset", NOMIS.datasets)
def test_the_preflight_finds_nothing_where_all_is_there(
    client: Client, publisher: Publisher, tmp_path: Path, dataset: str
) -> None:
    assert check(context_at(client, publisher, NOMIS, dataset, tmp_path)) == []


def test_the_preflight_names_a_code_and_a_dimension_that_are_gone(context: FetchContext, publisher: Publisher) -> None:
    gone = b'{"structure": {"codelists": {"codelist": {"code": {"value": 1}}}}}'
    publisher.misbehave("replace_body", path_contains="/item.def", body=gone)
    publisher.misbehave("replace_body", path_contains="/measures.def", body=b'{"structure": {"codelists": null}}')
    assert [(finding.asked, finding.differs) for finding in check(context)] == [
        ("NM_57_1, dimension item", "has no code 3"),
        ("NM_57_1, dimension measures", "the answer is not the list of a dimension's codes"),
    ]
