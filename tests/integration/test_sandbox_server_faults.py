"""The stand-in publishers misbehaving over real sockets on loopback."""

import http.client
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlsplit

import pytest
import requests

import sandbox
from tests.sandbox_requests import HISTORICAL, RECENT, months_of, url_of


@pytest.fixture
def publisher() -> Iterator[sandbox.Publisher]:
    with sandbox.serve(today=date(2026, 11, 22), seed=1) as running:
        yield running


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        # An HTTP proxy in the environment must not see requests for this machine.
        session.trust_env = False
        yield session


def test_html_with_200_stands_in_place_of_the_file(publisher: sandbox.Publisher, client: requests.Session) -> None:
    url = url_of(publisher, client, RECENT)
    publisher.misbehave("html_with_200", path_contains="/files/", times=1)

    spoilt = client.get(url, timeout=10)
    assert (spoilt.status_code, spoilt.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert spoilt.content.startswith(b"<!DOCTYPE html>")
    assert client.get(url, timeout=10).headers["Content-Type"] == "text/csv"


def test_empty_with_200_has_the_expected_type_and_no_bytes(
    publisher: sandbox.Publisher, client: requests.Session
) -> None:
    url = url_of(publisher, client, RECENT)
    publisher.misbehave("empty_with_200", path_contains=RECENT)

    for _ in range(2):
        spoilt = client.get(url, timeout=10)
        assert (spoilt.status_code, spoilt.headers["Content-Length"], spoilt.content) == (200, "0", b"")
        assert spoilt.headers["Content-Type"] == "text/csv"


def test_a_truncated_body_announces_more_than_it_sends(publisher: sandbox.Publisher, client: requests.Session) -> None:
    url = url_of(publisher, client, RECENT)
    whole = client.get(url, timeout=10)
    publisher.misbehave("truncated_body", path_contains=RECENT, times=1, keep=1000)
    assert client.head(url, allow_redirects=True, timeout=10).status_code == 200

    connection = http.client.HTTPConnection(publisher.base_url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", urlsplit(whole.url).path)
        answer = connection.getresponse()
        assert answer.getheader("Content-Length") == str(len(whole.content))
        with pytest.raises(http.client.IncompleteRead) as cut:
            answer.read()
    finally:
        connection.close()
    assert cut.value.partial == whole.content[:1000]
    assert client.get(url, timeout=10).content == whole.content


def test_a_status_fault_ends_after_its_times(publisher: sandbox.Publisher, client: requests.Session) -> None:
    address = f"{publisher.base_url}/api/action/package_show?id=exy3m"
    publisher.misbehave("status", code=503, path_contains="package_show", times=2)
    publisher.misbehave("status", code=404, path_contains="/download/")

    assert [client.get(address, timeout=10).status_code for _ in range(3)] == [503, 503, 200]
    url = url_of(publisher, client, RECENT)
    assert [client.get(url, timeout=10).status_code for _ in range(3)] == [404, 404, 404]
    publisher.behave()
    assert client.get(url, timeout=10).status_code == 200


@pytest.mark.parametrize("written", [f"/{HISTORICAL}.csv", "%28Historical%29.csv"])
def test_a_fault_finds_its_path_as_read_and_as_addressed(
    publisher: sandbox.Publisher, client: requests.Session, written: str
) -> None:
    recent, historical = url_of(publisher, client, RECENT), url_of(publisher, client, HISTORICAL)
    publisher.misbehave("status", code=503, path_contains=written)

    assert client.get(historical, timeout=10).status_code == 503
    assert client.get(recent, timeout=10).status_code == 200


def test_a_replaced_body_is_served_through_the_redirect_with_validators_of_its_own(
    publisher: sandbox.Publisher, client: requests.Session
) -> None:
    url = url_of(publisher, client, RECENT)
    true_etag = client.get(url, timeout=10).headers["ETag"]
    publisher.misbehave("replace_body", path_contains=RECENT, body=b"a,b\r\n1,2\r\n")

    replaced = client.get(url, headers={"If-None-Match": true_etag}, timeout=10)
    assert (replaced.status_code, replaced.content) == (200, b"a,b\r\n1,2\r\n")
    assert replaced.headers["Content-Type"] == "text/csv"
    again = client.get(url, headers={"If-None-Match": replaced.headers["ETag"]}, timeout=10)
    assert again.status_code == 304
    assert months_of(client.get(url_of(publisher, client, HISTORICAL), timeout=10).content)[0] == "201004"


def test_redirect_elsewhere_points_off_this_host(publisher: sandbox.Publisher, client: requests.Session) -> None:
    url = url_of(publisher, client, RECENT)
    publisher.misbehave("redirect_elsewhere", path_contains="/download/", times=1)
    publisher.misbehave("redirect_elsewhere", path_contains="/download/", times=1, to="http://127.0.0.2:9/x")

    hops = [client.get(url, allow_redirects=False, timeout=10) for _ in range(3)]
    assert [each.status_code for each in hops] == [302, 302, 302]
    assert [each.headers["Location"] for each in hops[:2]] == ["http://elsewhere.invalid/", "http://127.0.0.2:9/x"]
    assert hops[2].headers["Location"].startswith(publisher.base_url)


def test_misbehaving_nought_times_is_refused(publisher: sandbox.Publisher) -> None:
    with pytest.raises(ValueError, match="times"):
        publisher.misbehave("status", code=503, times=0)
