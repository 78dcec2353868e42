"""The one HTTP client: polite, bounded, and believing nothing before it is checked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import email.utils
import hashlib
import ipaddress
import json
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urljoin, urlsplit

import requests

from ingest.errors import BodyRefused, PublisherUnavailable

USER_AGENT = "vru-warehouse/0.1 (London violence-reduction data warehouse; nightly pull of published files)"
CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 60.0  # seconds without a byte
RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})
ATTEMPTS = 4
REDIRECTS = 5
BLOCK = 1024 * 1024
SYNTHETIC_HEADER = "X-Synthetic-Data"


@dataclasses.dataclass(frozen=True)
class Body:
    """What an address answered: a temporary file with its bytes, and its papers. None of it where nothing changed (304)."""

    url: str
    status: int
    headers: dict[str, str]
    file: Path | None
    sha256: str
    bytes: int
    is_synthetic: bool


class Client:
    """Fetches from one publisher.

    Args:
        allowed_hosts: hosts it may speak to; a redirect elsewhere is refused. Loopback addresses count only when named.
        ca_bundle: file of certificates to trust besides the usual ones; verification is never off.
        deadline: seconds one fetch may take in all, retries included.
        pause: seconds between two requests to the publisher.
        sleep: waits so many seconds (tests give their own).
    """

    def __init__(
        self,
        allowed_hosts: tuple[str, ...],
        *,
        ca_bundle: Path | None = None,
        deadline: float = 300.0,
        pause: float = 0.5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._allowed_hosts = frozenset(allowed_hosts)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        self._verify: bool | str = str(ca_bundle) if ca_bundle else True
        self._deadline = deadline
        self._pause = 0.0 if all(is_loopback(host) for host in allowed_hosts) else pause
        self._sleep = sleep
        self._last_request = 0.0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def json(
        self, url: str, *, max_bytes: int = 64 * 1024 * 1024, secret: Mapping[str, str] | None = None
    ) -> tuple[Any, bool]:
        """The JSON at an address, and whether the answer is marked synthetic.

        Args:
            secret: as fetch.

        Raises:
            PublisherUnavailable, BodyRefused: as fetch.
        """
        with tempfile.TemporaryDirectory(prefix="vru-fetch-") as folder:
            body = self.fetch(url, Path(folder), max_bytes=max_bytes, secret=secret)
            assert body.file is not None  # noqa: S101 - no validators were sent, so there is no 304
            try:
                return json.loads(body.file.read_bytes()), body.is_synthetic
            except ValueError:
                raise BodyRefused(
                    "the answer is not JSON",
                    where=url,
                    kept="nothing was fetched; the last good data stand",
                    next_step="open the address in a browser; if the publisher has moved its interface, change source.yml",
                ) from None

    def fetch(
        self,
        url: str,
        folder: Path,
        *,
        max_bytes: int,
        validators: Mapping[str, str] | None = None,
        secret: Mapping[str, str] | None = None,
    ) -> Body:
        """The body at an address, in a new file of a folder.

        Args:
            url: http or https, on an allowed host.
            folder: where the temporary file goes; the caller removes it.
            max_bytes: more than this is refused.
            validators: If-None-Match, If-Modified-Since of the last time.
            secret: query parameters that only the publisher may read (a key): in no papers, no log and no error.

        Raises:
            PublisherUnavailable: 429, 5xx, a reset or a time-out, after the retries; a body shorter than announced.
            BodyRefused: any other status, a redirect elsewhere, too many bytes.
        """
        started = time.monotonic()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(url, folder, max_bytes, dict(validators or {}), dict(secret or {}), started)
            except _Busy as busy:
                remaining = self._deadline - (time.monotonic() - started)
                wait = busy.wait if busy.wait is not None else min(30.0, 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311
                if attempt == ATTEMPTS or wait > remaining:
                    raise PublisherUnavailable(
                        f"the publisher did not answer as it should: {busy} ({attempt} attempts)",
                        where=url,
                        kept="nothing was fetched; the last good data stand",
                        next_step="wait for the next run, or ask again with `vru nightly`; if it lasts, look at the publisher's page",
                    ) from None
                self._sleep(wait)
        raise AssertionError("unreachable")

    def _once(
        self,
        url: str,
        folder: Path,
        max_bytes: int,
        validators: dict[str, str],
        secret: dict[str, str],
        started: float,
    ) -> Body:
        here = url
        for _ in range(REDIRECTS):
            self._check_host(here, came_from=url)
            self._wait_for_turn()
            try:
                response = self._session.get(
                    here,
                    params=secret if here == url else None,  # a redirect names what it wants by itself
                    headers=validators,
                    stream=True,
                    allow_redirects=False,
                    timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                    verify=self._verify,
                )
            except requests.exceptions.SSLError as error:
                raise BodyRefused(
                    f"the publisher's certificate is not trusted ({_without(secret, _first_line(error))})",
                    where=here,
                    kept="nothing was fetched",
                    next_step="if a proxy signs for it, put its certificate in a file and set VRU_CA_BUNDLE",
                ) from None
            except requests.exceptions.RequestException as error:
                raise _Busy(type(error).__name__) from None
            with response:
                if response.is_redirect:
                    here = _without(secret, urljoin(here, response.headers["Location"]))
                    continue
                return self._read(url, here, response, folder, max_bytes, started)
        raise BodyRefused(f"more than {REDIRECTS} redirects", where=url, kept="nothing was fetched")

    def _read(
        self, url: str, here: str, response: requests.Response, folder: Path, max_bytes: int, started: float
    ) -> Body:
        status = response.status_code
        headers = {name: value for name, value in response.headers.items() if name.lower() in _KEPT_HEADERS}
        is_synthetic = response.headers.get(SYNTHETIC_HEADER, "").lower() == "true"
        if status == 304:
            return Body(url, status, headers, None, "", 0, is_synthetic)
        if status in RETRIED_STATUS:
            raise _Busy(f"status {status}", _retry_after(response.headers.get("Retry-After")))
        if status != 200:
            raise BodyRefused(
                f"the publisher answered with status {status}",
                where=here,
                kept="nothing was fetched; the last good data stand",
                next_step="look at the publisher's page; where the address has changed, change source.yml",
            )
        digest, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(dir=folder, prefix="body-", delete=False) as file:
            try:
                for block in response.iter_content(BLOCK):
                    size += len(block)
                    if size > max_bytes:
                        raise BodyRefused(
                            f"the body is larger than the {max_bytes:,} bytes this dataset may have",
                            where=here,
                            kept="nothing was fetched",
                            next_step="if the file has really grown so much, raise max_bytes in source.yml",
                        )
                    if time.monotonic() - started > self._deadline:
                        raise _Busy(f"not finished within {self._deadline:.0f} seconds")
                    digest.update(block)
                    file.write(block)
            except requests.exceptions.RequestException as error:
                raise _Busy(f"the body broke off after {size:,} bytes ({type(error).__name__})") from None
        announced = response.headers.get("Content-Length")
        if announced is not None and "Content-Encoding" not in response.headers and int(announced) != size:
            raise _Busy(f"the body has {size:,} bytes and {announced} were announced")
        return Body(url, status, headers, Path(file.name), digest.hexdigest(), size, is_synthetic)

    def _check_host(self, url: str, *, came_from: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host not in self._allowed_hosts or parts.scheme not in {"http", "https"}:
            raise BodyRefused(
                f"leads to {parts.scheme}://{host}, which is not among the hosts this source may be fetched from",
                where=came_from,
                kept="nothing was fetched; the last good data stand",
                next_step="if the publisher has moved, add the host to allowed_hosts in source.yml after checking it is theirs",
            )
        if parts.scheme == "http" and not is_loopback(host):
            raise BodyRefused("is not an https address", where=url, kept="nothing was fetched")

    def _wait_for_turn(self) -> None:
        wait = self._last_request + self._pause - time.monotonic()
        if wait > 0:
            self._sleep(wait)
        self._last_request = time.monotonic()


class _Busy(Exception):
    """An answer worth asking for again, after `wait` seconds where the publisher says."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


_KEPT_HEADERS = frozenset(
    {"etag", "last-modified", "content-length", "content-type", "content-disposition", "content-md5", "date"}
)


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait from a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when - dt.datetime.now(dt.UTC)).total_seconds())


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: localhost, 127.0.0.0/8, ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without(secret: Mapping[str, str], text: str) -> str:
    """A text with the values of secret parameters taken out, as they are and as an address writes them."""
    for value in secret.values():
        for form in (value, quote(value, safe=""), quote_plus(value)):
            text = text.replace(form, "...")
    return text


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
