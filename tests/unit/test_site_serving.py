"""The site is shown on loopback alone, to pages of its own name, and leads nowhere else."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.site import serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, int]]:
    (tmp_path / "site" / "data").mkdir(parents=True)
    (tmp_path / "site" / "index.html").write_text("the site", encoding="utf-8")
    (tmp_path / "secret").write_text("not of the site", encoding="utf-8")
    server = serving.server(tmp_path / "site", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[0], server.server_address[1]  # type: ignore[misc] # of an IPv4 server: host and port
    server.shutdown()
    thread.join()
    server.server_close()


def asked(served: tuple[str, int], path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(*served, timeout=10)
    connection.request(method, path, headers=headers)
    return connection.getresponse()


def test_a_page_comes_with_headers_that_let_nothing_in(served: tuple[str, int]) -> None:
    assert served[0] == "127.0.0.1"
    page = asked(served, "/index.html")
    assert (page.status, page.read()) == (200, b"the site")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert page.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/data/"])
def test_what_is_not_of_the_site_is_not_there(served: tuple[str, int], path: str) -> None:
    assert asked(served, path).status == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("LOCALHOST:8321", 200), ("127.0.0.1", 200), ("evil.example:80", 421), ("[", 421)],
)
def test_a_page_of_another_name_may_not_lead_here(served: tuple[str, int], method: str, host: str, status: int) -> None:
    assert asked(served, "/index.html", method, Host=host).status == status
