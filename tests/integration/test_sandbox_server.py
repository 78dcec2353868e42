"""The stand-in publishers over real sockets on loopback."""

import csv
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

import sandbox

ROOT = Path(__file__).resolve().parents[2]
RECENT = "MPS Borough Level Crime (most recent 24 months)"
HISTORICAL = "MPS Borough Level Crime (Historical)"


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


def package(publisher: sandbox.Publisher, client: requests.Session, path: str = "/api/action/package_show") -> Any:
    answer = client.get(publisher.base_url + path, params={"id": "exy3m"}, timeout=10)
    assert answer.status_code == 200
    return answer.json()["result"]


def url_of(publisher: sandbox.Publisher, client: requests.Session, name: str) -> str:
    url = next(each["url"] for each in package(publisher, client)["resources"] if each["name"] == name)
    assert isinstance(url, str)
    return url


def address_of(publisher: sandbox.Publisher) -> tuple[str, int]:
    host, port = publisher.base_url.removeprefix("http://").split(":")
    return host, int(port)


def months_of(body: bytes) -> list[str]:
    return next(csv.reader([body.split(b"\r\n", 1)[0].decode()]))[3:]


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
    with pytest.raises(ValueError, match="the publishers are at 2026-11-22, which is after 2026-11-21"):
        publisher.advance_to(date(2026, 11, 21))


def test_two_publishers_of_one_seed_and_day_serve_the_same_bytes(client: requests.Session) -> None:
    bodies = []
    for seed in (3, 3, 4):
        with sandbox.serve(today=date(2026, 11, 22), seed=seed) as each:
            bodies.append(client.get(url_of(each, client, RECENT), timeout=10).content)

    assert bodies[0] == bodies[1]
    assert bodies[0] != bodies[2]


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
    with pytest.raises(ValueError, match="times must be 1 or more"):
        publisher.misbehave("status", code=503, times=0)


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
    with pytest.raises(ValueError, match="must be an IPv4 loopback address"), sandbox.serve(host=host):
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


def run_sandbox(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_its_address_serves_the_same_bytes_and_ends_on_a_signal(
    ending: signal.Signals, publisher: sandbox.Publisher, client: requests.Session
) -> None:
    process = run_sandbox("--port", "0", "--today", "2026-11-22", "--seed", "1")
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert {key: ready[key] for key in ("today", "seed")} == {"today": "2026-11-22", "seed": 1}
        answer = client.get(
            f"{ready['base_url']}/download/exy3m/b4r/MPS%20Borough%20Level%20Crime%20%28most%20recent%2024%20months%29.csv",
            timeout=10,
        )
        assert answer.content == client.get(url_of(publisher, client, RECENT), timeout=10).content
        process.send_signal(ending)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--host", "192.0.2.1"), "must be an IPv4 loopback address such as 127.0.0.1, not '192.0.2.1'"),
        (("--today", "2012-05-05"), "publishes from 2012-05-06 on; it is 2012-05-05"),
    ],
)
def test_the_command_says_in_a_sentence_why_it_did_not_start(arguments: tuple[str, ...], sentence: str) -> None:
    out, err = run_sandbox(*arguments).communicate(timeout=10)

    assert out == ""
    assert err.startswith("The stand-in publishers did not start: ")
    assert sentence in err
    assert "Traceback" not in err
