"""The Fingertips API as it really behaves, from its stand-in on loopback."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox
from ingest.connectors import check
from ingest.connectors.fetch_context import FetchContext, Fetched, Offer
from ingest.declaration import find_source
from ingest.errors import BodyRefused
from ingest.http import Client
from sandbox.server import Publisher
from tests.asking import NOW, context_at, fetch, offers
from tests.refused import refused_with

FINGERTIPS = find_source("fingertips")
DATA = "/all_data/csv/by_indicator_id"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with sandbox.serve(today=NOW.date(), seed=1) as serving:
        yield serving


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(("127.0.0.1",), sleep=lambda _: None) as one:
        yield one


@pytest.fixture
def context(client: Client, publisher: Publisher, tmp_path: Path) -> FetchContext:
    return context_at(client, publisher, FINGERTIPS, "data", tmp_path)


def the_offer(context: FetchContext, indicator: int) -> Offer:
    return next(offer for offer in offers(context) if f"indicator_ids={indicator}&" in offer.url)


def data_requests(publisher: Publisher) -> list[str]:
    return [request.path for request in publisher.requests if DATA in request.path]


def all_of(context: FetchContext) -> list[Fetched]:
    found = []
    for offer in offers(context):
        try:
            found.append(fetch(context, offer))
        except BodyRefused:
            assert offer.stands_alone
    return found


def test_what_is_there_is_asked_first_and_then_one_indicator_a_request(
    context: FetchContext, publisher: Publisher
) -> None:
    found = all_of(context)
    paths = [request.path.split("?")[0] for request in publisher.requests]
    assert paths[:2] == ["/api/indicator_metadata/by_indicator_id", "/api/available_data"]
    asked = data_requests(publisher)
    assert len(asked) == len(found) == len(set(asked)) == 34
    assert all("," not in path.split("indicator_ids=")[1].split("&")[0] for path in asked)


def test_an_unchanged_indicator_costs_no_data_request_and_a_new_upload_costs_one(
    context: FetchContext, client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    found = all_of(context)
    publisher.forget_requests()
    again = context_at(client, publisher, FINGERTIPS, "data", tmp_path, found)
    assert [f.landed for f in all_of(again)] == [None] * 34
    assert data_requests(publisher) == []
    # On 5 December the indicators whose month it is are uploaded anew: 11 is their number's remainder.
    publisher.advance_to(NOW.date().replace(month=12, day=6))
    changed = [f.offer.url for f in all_of(again) if f.landed]
    assert 0 < len(changed) < 8
    assert len(data_requests(publisher)) == len(changed)


def test_an_older_vintage_is_asked_only_where_the_current_one_has_nothing(context: FetchContext) -> None:
    urls = [offer.url for offer in offers(context) if DATA in offer.url]
    old = [url for url in urls if "child_area_type_id=402" in url]
    assert len(old) == 2
    assert all("child_area_type_id=502" in url for url in urls if url not in old)


@pytest.mark.parametrize(
    ("fault", "code"),
    [("empty_with_200", "NO_ROWS"), ("html_with_200", "NOT_THE_FILE")],
)
def test_nothing_and_a_web_page_with_status_200_are_refused_by_name_and_kept(
    context: FetchContext, publisher: Publisher, fault: str, code: str
) -> None:
    offer = the_offer(context, 11201)
    publisher.misbehave(fault, path_contains=DATA)
    with refused_with(code, kind=BodyRefused) as refusal:
        fetch(context, offer)
    assert "indicator_ids=11201" in str(refusal.value)
    assert len(list(context.landing.glob("fingertips/data/*.papers.json"))) == 1


def test_a_header_without_rows_is_refused_where_the_publisher_says_that_there_are_some(
    context: FetchContext, publisher: Publisher
) -> None:
    offer = the_offer(context, 11201)
    body = fetch(context, offer).landed
    assert body is not None
    publisher.misbehave("replace_body", path_contains=DATA, body=body.path.read_bytes().split(b"\r\n")[0] + b"\r\n")
    with refused_with("NO_ROWS", kind=BodyRefused):
        fetch(context, offer)


def test_the_body_of_another_indicator_is_refused(context: FetchContext, publisher: Publisher) -> None:
    other = fetch(context, the_offer(context, 11202)).landed
    assert other is not None
    publisher.misbehave("replace_body", path_contains=DATA, body=other.path.read_bytes())
    with refused_with("ANSWER_NOT_AS_AGREED", match="11202, and 11201", kind=BodyRefused):
        fetch(context, the_offer(context, 11201))


def test_a_sentence_in_place_of_a_table_is_refused(context: FetchContext, publisher: Publisher) -> None:
    publisher.misbehave(
        "replace_body", path_contains=DATA, body=b"Object reference not set to an instance of an object."
    )
    with refused_with("COLUMN_MISSING", match="Object reference not set", kind=BodyRefused):
        fetch(context, the_offer(context, 11201))


def test_an_indicator_that_is_gone_is_named_and_the_others_do_not_wait(
    context: FetchContext, publisher: Publisher
) -> None:
    listing = b'[{"IndicatorId": 11202, "AreaTypeId": 502}]'
    publisher.misbehave("replace_body", path_contains="/available_data", body=listing)
    *others, gone = offers(context)
    assert [offer.file_name for offer in others] == ["indicator_11202_area_type_502.csv"]
    assert gone.stands_alone
    with refused_with("NO_LONGER_OFFERED", match="10301, 10401, 11001, 11201,", kind=BodyRefused):
        fetch(context, gone)


def test_an_indicator_from_memory_is_pulled_only_under_the_expected_name(
    context: FetchContext, publisher: Publisher
) -> None:
    assert the_offer(context, 11203)
    answer = b'{"11203": {"Descriptive": {"Name": "Hip fractures"}, "DataChange": null}}'
    publisher.misbehave("replace_body", path_contains="/indicator_metadata/", body=answer)
    assert not [offer for offer in offers(context) if "indicator_ids=11203" in offer.url]


def test_metadata_that_is_no_metadata_is_refused(context: FetchContext, publisher: Publisher) -> None:
    publisher.misbehave("replace_body", path_contains="/indicator_metadata/", body=b'["an error"]')
    with refused_with("ANSWER_NOT_AS_AGREED", kind=BodyRefused):
        offers(context)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/indicator_metadata/",
            b'{"10401": {"DataChange": {"LastUploadedAt": 5}, "Descriptive": {"Name": "Violence"}}}',
        ),
        ("/available_data", b'[{"IndicatorId": 1e999, "AreaTypeId": 502}]'),
    ],
)
def test_a_field_of_another_kind_is_refused_in_words(
    context: FetchContext, publisher: Publisher, path: str, body: bytes
) -> None:
    publisher.misbehave("replace_body", path_contains=path, body=body)
    with refused_with("ANSWER_NOT_AS_AGREED", kind=BodyRefused):
        offers(context)


def test_definitions_come_for_all_indicators_in_one_file_once_a_week(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    context = context_at(client, publisher, FINGERTIPS, "metadata", tmp_path)
    (offer,) = offers(context)
    found = fetch(context, offer)
    assert found.landed is not None
    header, *rows = list(csv.reader(io.StringIO(found.landed.path.read_text(encoding="utf-8-sig"), newline="")))
    assert (len(header), len(rows)) == (32, 34)
    again = context_at(client, publisher, FINGERTIPS, "metadata", tmp_path, [found])
    assert fetch(again, offers(again)[0]).landed is None


@pytest.mark.parametrize("indicator", [11201, 92863, 90402, 90813])
def test_the_stand_in_speaks_the_publishers_form(context: FetchContext, indicator: int) -> None:
    found = fetch(context, the_offer(context, indicator)).landed
    assert found is not None
    body = found.path.read_bytes()
    header, *rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
    assert header[:2] == ["Indicator ID", "Indicator Name"]
    assert header[22] == "Compared to Regions (statistical) value or percentiles"
    # One cached body is older than its header.
    assert (len(header), {len(row) for row in rows}) == ((26, {25}) if indicator == 90402 else (27, {27}))
    assert any("\n" in row[1] for row in rows) == (indicator == 90813)


def test_the_preflight_names_what_differs(context: FetchContext, publisher: Publisher) -> None:
    differs = {finding.asked: finding.differs for finding in check(context)}
    # What the stand-in lacks on purpose: discontinued, or at the older vintage alone.
    assert differs["indicator 10101"] == "is not there"
    assert differs["indicator 11501"] == "has no values at area type 502; it has: 401, 402"
    assert "indicator 11201" not in differs
    publisher.misbehave(
        "replace_body",
        path_contains="/indicator_metadata/",
        body=b'{"11201": {"Descriptive": {"Name": "Hip  fractures"}}}',
    )
    renamed = {finding.asked: finding.differs for finding in check(context)}
    assert (
        renamed["indicator 11201"] == "is named 'Hip fractures', which does not hold 'hospital admissions for violence'"
    )
    assert renamed["indicator 11202"] == "is not there"
