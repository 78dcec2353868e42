"""The stand-in publishers over real sockets on loopback."""

import csv
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

import sandbox
from tests.sandbox_requests import HISTORICAL, RECENT, months_of, package, url_of


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


def address_of(publisher: sandbox.Publisher) -> tuple[str, int]:
    host, port = publisher.base_url.removeprefix("http://").split(":")
    return host, int(port)


def test_package_show_lists_the_dataset_newest_first_with_its_stale_duplicates_last(
    publisher: sandbox.Publisher, client: requests.Session
) -> None:
    result = package(publisher, client)

    assert {key: result[key] for key in ("id", "name", "title", "license_title")} == {
        "id": "exy3m",
        "name": "mps-recorded-crime-geographic-breakdown-exy3m",
        "title": "MPS Recorded Crime: Geographic Breakdown",
        "license_title": "UK Open Government Licence (OGL v3)",
    }
    assert result["license_url"].startswith("https://www.nationalarchives.gov.uk/doc/open-government-licence/")
    assert "invented" in result["notes"]
    assert [(each["name"], each["last_modified"][:10]) for each in result["resources"]] == [
        (RECENT, "2026-11-06"),
        (HISTORICAL, "2026-11-06"),
        ("MPS Ward Level Crime (most recent 24 months)", "2026-11-06"),
        ("MPS Ward Level Crime (Historical)", "2026-11-06"),
        ("MPS LSOA Level Crime (most recent 24 months)", "2026-11-06"),
        ("MPS LSOA Level Crime (Historical)", "2026-11-06"),
        (RECENT, "2023-08-06"),
        (HISTORICAL, "2023-08-06"),
    ]
    assert [len(each["id"]) for each in result["resources"]] == [3, 3, 3, 3, 3, 3, 36, 36]
    first = result["resources"][0]
    assert (first["format"], first["mimetype"]) == ("csv", "text/csv")
    assert first["url"] == (
        f"{publisher.base_url}/download/exy3m/{first['id']}/"
        "MPS%20Borough%20Level%20Crime%20%28most%20recent%2024%20months%29.csv"
    )


@pytest.mark.parametrize("path", ["/api/action/package_show", "/api/3/action/package_show"])
@pytest.mark.parametrize("name", ["exy3m", "mps-recorded-crime-geographic-breakdown-exy3m"])
def test_both_api_paths_know_the_dataset_by_id_and_by_page_name(
    publisher: sandbox.Publisher, client: requests.Session, path: str, name: str
) -> None:
    answer = client.get(publisher.base_url + path, params={"id": name}, timeout=10)

    assert (answer.status_code, answer.json()["success"], answer.json()["result"]["id"]) == (200, True, "exy3m")
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ({"id": "nope1"}, 404, {"message": "Not found", "__type": "Not Found Error"}),
        ({}, 409, {"id": ["Missing value"], "__type": "Validation Error"}),
    ],
)
def test_a_dataset_that_is_not_there_is_told_as_ckan_tells_it(
    publisher: sandbox.Publisher, client: requests.Session, query: dict[str, str], status: int, error: dict[str, Any]
) -> None:
    answer = client.get(f"{publisher.base_url}/api/action/package_show", params=query, timeout=10)

    assert (answer.status_code, answer.json()) == (status, {"success": False, "error": error})


def test_every_resource_downloads_at_the_size_it_declares_and_holds_a_row_per_line(
    publisher: sandbox.Publisher, client: requests.Session
) -> None:
    resources = package(publisher, client)["resources"]

    assert len(resources) == 8
    for resource in resources:
        body = client.get(resource["url"], timeout=10).content
        assert len(body) == resource["size"], resource["name"]
        rows = list(csv.reader(body.decode("ascii").splitlines()))
        assert len(rows) > 4, resource["name"]
        assert {len(row) for row in rows} == {len(rows[0])}, resource["name"]


def test_a_download_redirects_on_the_same_host_to_a_file_with_its_validators(
    publisher: sandbox.Publisher, client: requests.Session
) -> None:
    url = url_of(publisher, client, RECENT)

    hop = client.get(url, allow_redirects=False, timeout=10)
    assert (hop.status_code, hop.content) == (302, b"")
    assert hop.headers["Location"].startswith(
        f"{publisher.base_url}/files/london/dataset/mps-recorded-crime-geographic-breakdown-exy3m/2026-11-06/"
    )
    answer = client.get(url, timeout=10)
    assert [each.status_code for each in answer.history] == [302]
    assert months_of(answer.content)[::23] == ["202411", "202610"]
    assert answer.headers["Content-Type"] == "text/csv"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["Last-Modified"] == "Fri, 06 Nov 2026 09:00:00 GMT"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{RECENT}.csv"'
    assert answer.headers["ETag"].startswith('"')


def test_the_stale_duplicates_serve_a_frozen_window_that_the_current_historical_file_covers(
    publisher: sandbox.Publisher, client: requests.Session
) -> None:
    windows = [
        (months_of(body)[0], months_of(body)[-1])
        for resource in package(publisher, client)["resources"]
        if resource["name"] in (RECENT, HISTORICAL)
        for body in [client.get(resource["url"], timeout=10).content]
    ]

    assert windows == [("202411", "202610"), ("201004", "202410"), ("202108", "202307"), ("201004", "202107")]


def test_if_none_match_gets_304_without_a_body_through_the_redirect(
    publisher: sandbox.Publisher, client: requests.Session
) -> None:
    url = url_of(publisher, client, HISTORICAL)
    etag = client.get(url, timeout=10).headers["ETag"]

    unchanged = client.get(url, headers={"If-None-Match": etag}, timeout=10)
    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", etag)
    assert "Content-Length" not in unchanged.headers
    listed = client.get(url, headers={"If-None-Match": f'"other", W/{etag}'}, timeout=10)
    assert listed.status_code == 304
    changed = client.get(url, headers={"If-None-Match": '"other"'}, timeout=10)
    assert changed.status_code == 200


def test_head_tells_what_get_would_send(publisher: sandbox.Publisher, client: requests.Session) -> None:
    url = url_of(publisher, client, RECENT)

    head = client.head(url, allow_redirects=True, timeout=10)
    got = client.get(url, timeout=10)
    assert (head.status_code, head.content) == (200, b"")
    for header in ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Content-Disposition"):
        assert head.headers[header] == got.headers[header]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/action/package_list",
        "/download/exy3m/zzz/none.csv",
        "/download/exy3m/b4r/none.csv",
        "/download/zzzzz/b4r/none.csv",
        "/files/london/dataset/exy3m/2001-01-06/b4r/none.csv",
        "/files/london/dataset/exy3m/not-a-day/b4r/none.csv",
        # A release that is still to come is not there yet.
        "/files/london/dataset/exy3m/2026-12-06/b4h/MPS%20Borough%20Level%20Crime%20%28Historical%29.csv",
        "/../../etc/passwd",
    ],
)
def test_what_is_not_published_is_404(publisher: sandbox.Publisher, client: requests.Session, path: str) -> None:
    assert client.get(publisher.base_url + path, timeout=10).status_code == 404


def test_every_answer_says_it_is_synthetic_even_to_nonsense(
    publisher: sandbox.Publisher, client: requests.Session
) -> None:
    url = url_of(publisher, client, RECENT)
    etag = client.get(url, timeout=10).headers["ETag"]
    answers = [
        client.get(f"{publisher.base_url}/api/action/package_show", params={"id": "exy3m"}, timeout=10),
        client.get(url, allow_redirects=False, timeout=10),
        client.get(url, timeout=10),
        client.head(url, timeout=10),
        client.get(url, headers={"If-None-Match": etag}, timeout=10),
        client.get(f"{publisher.base_url}/nowhere", timeout=10),
        client.post(f"{publisher.base_url}/api/action/package_show", data="id=exy3m", timeout=10),
    ]
    publisher.misbehave("html_with_200", times=1)
    answers.append(client.get(url, timeout=10))

    assert [each.status_code for each in answers] == [200, 302, 200, 302, 304, 404, 405, 200]
    assert {each.headers.get("X-Synthetic-Data") for each in answers} == {"true"}
    with socket.create_connection(address_of(publisher), timeout=10) as nonsense:
        nonsense.sendall(b"BOO\x00\r\n\r\n")
        said = b"".join(iter(lambda: nonsense.recv(4096), b""))
    assert b"400" in said
    assert b"X-Synthetic-Data: true" in said


def test_one_connection_carries_many_requests(publisher: sandbox.Publisher) -> None:
    connection = http.client.HTTPConnection(publisher.base_url.removeprefix("http://"), timeout=10)
    try:
        for _ in range(3):
            connection.request("GET", "/api/action/package_show?id=exy3m")
            answer = connection.getresponse()
            assert (answer.version, answer.status, json.loads(answer.read())["success"]) == (11, 200, True)
            assert connection.sock is not None
            local_port = connection.sock.getsockname()[1]
            connection.request("HEAD", "/nowhere")
            connection.getresponse().read()
            assert connection.sock.getsockname()[1] == local_port
    finally:
        connection.close()


def test_the_log_tells_what_was_asked_in_order(publisher: sandbox.Publisher, client: requests.Session) -> None:
    url = url_of(publisher, client, RECENT)
    publisher.forget_requests()
    publisher.misbehave("status", code=503, times=1)

    client.get(url, headers={"User-Agent": "vru", "If-None-Match": '"x"', "Cookie": "c=1"}, timeout=10)
    client.get(url, timeout=10)

    assert [(each.method, each.path.split("/")[1], each.status, each.fault) for each in publisher.requests] == [
        ("GET", "download", 503, "status"),
        ("GET", "download", 302, None),
        ("GET", "files", 200, None),
    ]
    assert publisher.requests[0].path == urlsplit(url).path
    assert publisher.requests[0].headers["user-agent"] == "vru"
    assert publisher.requests[0].headers["if-none-match"] == '"x"'
    assert "cookie" not in publisher.requests[0].headers


def test_advancing_the_date_publishes_the_next_release_under_the_same_address(
    publisher: sandbox.Publisher, client: requests.Session
) -> None:
    url = url_of(publisher, client, RECENT)
    november = client.get(url, timeout=10)

    publisher.advance_to(date(2026, 12, 5))
    still = client.get(url, headers={"If-None-Match": november.headers["ETag"]}, timeout=10)
    publisher.advance_to(date(2026, 12, 6))
    december = client.get(url, headers={"If-None-Match": november.headers["ETag"]}, timeout=10)

    assert still.status_code == 304
    assert december.status_code == 200
    assert months_of(december.content)[::23] == ["202412", "202611"]
    assert publisher.today == date(2026, 12, 6)
    assert url_of(publisher, client, RECENT) == url
    # A redirect that a client was following when the release changed still ends at the file it promised.
    assert client.get(november.url, timeout=10).content == november.content


def test_the_date_does_not_go_back(publisher: sandbox.Publisher) -> None:
    with pytest.raises(ValueError, match=r"2026-11-22, .* 2026-11-21"):
        publisher.advance_to(date(2026, 11, 21))


def test_two_publishers_of_one_seed_and_day_serve_the_same_bytes(client: requests.Session) -> None:
    bodies = []
    for seed in (3, 3, 4):
        with sandbox.serve(today=date(2026, 11, 22), seed=seed) as each:
            bodies.append(client.get(url_of(each, client, RECENT), timeout=10).content)

    assert bodies[0] == bodies[1]
    assert bodies[0] != bodies[2]


@pytest.mark.parametrize(
    "host",
    [
        "192.0.2.1",
        "0.0.0.0",  # noqa: S104 (refused)
        "::",
        "localhost",
        "",
    ],
)
def test_only_a_loopback_address_is_listened_on(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"), sandbox.serve(host=host):
        pytest.fail(f"served on {host!r}")


def test_nothing_is_left_after_the_block_even_with_a_client_still_connected() -> None:
    threads_before = set(threading.enumerate())
    with sandbox.serve(today=date(2026, 11, 22)) as publisher:
        address = address_of(publisher)
        idle = socket.create_connection(address, timeout=10)
        idle.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 404"
    with idle:
        assert set(threading.enumerate()) == threads_before
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=10)
