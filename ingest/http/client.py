"""The one HTTP client: polite, bounded, and believing nothing before it is checked."""

from __future__ import annotations

import contextlib
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from ingest.addresses import NotPublic, is_loopback
from ingest.errors import BodyRefused, PublisherUnavailable
from ingest.http.answers import KEPT, Body, Part, RangeNotSupported, Retryable, header, retry_after
from ingest.http.body import save, unpacked
from ingest.http.connections import Adapter, Session
from ingest.http.destinations import check_destination, redacted, redirect_target
from ingest.http.pacing import PAUSE, Deadline, next_turn
from ingest.scratch import scratch_folder

USER_AGENT = "vru-warehouse/0.1 (London violence-reduction data warehouse; nightly pull of published files)"
CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 60.0  # seconds without a byte
# Bytes: real answers have 0.2 million; what is read of one takes up to 25 times as many.
LONGEST_JSON = 16 * 1024 * 1024
DEADLINE = 300.0  # seconds one fetch may take in all, retries included
# Seconds before an answer is asked for again: doubled each time, up to the longest.
FIRST_WAIT, LONGEST_WAIT = 2.0, 30.0
ATTEMPTS = 4
REDIRECTS = 5
SYNTHETIC_HEADER = "X-Synthetic-Data"
KEPT_HEADERS = frozenset(
    {
        "etag", "last-modified", "content-length", "content-type", "content-disposition", "content-md5", "content-range", "date",
    }
)  # fmt: skip

T = TypeVar("T")


class Client:
    """Fetches from one publisher, for one thread at a time.

    Args:
        allowed_hosts: hosts it may speak to; a redirect elsewhere is refused. Loopback addresses count only when named.
        ca_bundle: file of certificates to trust besides the usual ones; verification is never off.
        deadline: seconds one fetch may take in all, retries included (default DEADLINE).
        pacing: folder in which processes note when a host may be asked next, so that all of them together keep to one
            pace; without it this client keeps to it alone.
        scratch: the landing folder, beside which bodies under way are kept; the system's temporary folder unless given.
        sleep: waits so many seconds (tests give their own).
    """

    def __init__(
        self,
        allowed_hosts: tuple[str, ...],
        *,
        ca_bundle: Path | None = None,
        deadline: float | None = None,
        pacing: Path | None = None,
        scratch: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._allowed_hosts = frozenset(allowed_hosts)
        self._session = Session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"})
        self._adapter = Adapter(ca_bundle)
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)
        self._deadline = DEADLINE if deadline is None else deadline
        self._pacing = pacing
        self._scratch = scratch
        self._sleep = sleep
        self._next_turn: dict[str, float] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def json(
        self, url: str, *, max_bytes: int = LONGEST_JSON, secret: Mapping[str, str] | None = None
    ) -> tuple[Any, bool]:
        """The JSON at an address, and whether the answer is marked synthetic.

        Args:
            secret: as fetch.

        Raises:
            PublisherUnavailable, BodyRefused: as fetch.
        """
        with scratch_folder(self._scratch) as folder:
            body = self.fetch(url, folder, max_bytes=max_bytes, secret=secret)
            assert body.file is not None  # noqa: S101 - no validators were sent, so there is no 304
            try:
                return json.loads(body.file.read_bytes()), body.is_synthetic
            except (ValueError, RecursionError):  # the latter of a list in a list in a list ...
                raise BodyRefused(
                    "ANSWER_NOT_AS_AGREED",
                    "the answer is not JSON",
                    where=url,
                    kept=KEPT,
                    next_step="open the address in a browser; if the publisher has moved its interface, change source.yml",
                ) from None

    def text(self, url: str, *, max_bytes: int = 16 * 1024 * 1024) -> tuple[str, bool]:
        """The page at an address, and whether the answer is marked synthetic.

        Raises:
            PublisherUnavailable, BodyRefused: as fetch.
        """
        with scratch_folder(self._scratch) as folder:
            body = self.fetch(url, folder, max_bytes=max_bytes)
            assert body.file is not None  # noqa: S101 - no validators were sent, so there is no 304
            return body.file.read_bytes().decode("utf-8", errors="replace"), body.is_synthetic

    def fetch_range(
        self, url: str, first: int, last: int | None = None, *, version: str | None = None, total: int | None = None
    ) -> Part:
        """Some bytes of what is at an address (RFC 9110, 14).

        Args:
            url: http or https, on an allowed host.
            first: the first byte; below 0, so many bytes from the end.
            last: the last byte, included; not given where first is below 0.
            version, total: what an earlier part of the same file said.

        Raises:
            RangeNotSupported: the server sends the whole file instead; nothing of it is read.
            PublisherUnavailable: as fetch; and when the file is another one than that earlier part was of.
            BodyRefused: as fetch; and when another part comes than was asked for.
        """
        wanted = f"bytes={first}" if last is None else f"bytes={first}-{last}"
        most = -first if last is None else last - first + 1
        with scratch_folder(self._scratch) as folder:
            headers = {"Range": wanted, "Accept-Encoding": "identity"}
            body = self.fetch(url, folder, max_bytes=most, validators=headers)
            assert body.file is not None  # noqa: S101 - no validators were sent, so there is no 304
            found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", header(body, "Content-Range") or "")
            start, end, size = (int(number) for number in found.groups()) if found else (-1, -1, -1)
            expected = max(0, size + first) if last is None else first
            if start != expected or end - start + 1 != body.bytes or (last is not None and end != last):
                raise BodyRefused(
                    "ANSWER_NOT_AS_AGREED",
                    f"{wanted} was asked for and {header(body, 'Content-Range')!r} came with {body.bytes:,} bytes",
                    where=url,
                    kept=KEPT,
                    next_step="if it stays so, the server's ranges are of no use: ask the publisher",
                )
            here = header(body, "ETag") or header(body, "Last-Modified")
            if (version is not None and here != version) or (total is not None and size != total):
                raise PublisherUnavailable(
                    "CHANGED_WHILE_READ",
                    "the file was replaced by another while it was read",
                    where=url,
                    kept="nothing of the other was fetched; the last good data stand",
                    next_step="wait for the next run, or ask again with `vru nightly`",
                )
            return Part(body.file.read_bytes(), start, size, here, body.is_synthetic)

    def fetch(
        self,
        url: str,
        folder: Path,
        *,
        max_bytes: int,
        validators: Mapping[str, str] | None = None,
        secret: Mapping[str, str] | None = None,
        only_first: int | None = None,
    ) -> Body:
        """The body at an address, in a new file of a folder.

        Args:
            url: http or https, on an allowed host.
            folder: where the temporary file goes; the caller removes it.
            max_bytes: more than this is refused.
            validators: If-None-Match, If-Modified-Since of the last time; or the Range of what is wanted.
            secret: query parameters that only the publisher may read (a key): in no provenance, no log and no error.
            only_first: stop after about so many bytes, and do not ask whether there is more.

        Raises:
            PublisherUnavailable: 429, 5xx, a reset or a time-out, after the retries; a body that is not all of what was
                announced.
            BodyRefused: any other status, a redirect elsewhere, too many bytes.
        """

        def attempt(deadline: Deadline) -> Body:
            with self._answer(url, dict(validators or {}), dict(secret or {}), deadline) as (here, response):
                is_part = "Range" in (validators or {})
                if is_part and response.status_code == 200:
                    raise RangeNotSupported
                expected = 206 if is_part else 200
                return self._read(url, here, response, folder, max_bytes, only_first, deadline, expected)

        return self._with_retries(url, attempt)

    def _with_retries(self, url: str, attempt: Callable[[Deadline], T]) -> T:
        """What `attempt` returns; tried again where the publisher is only busy, as long as the deadline allows."""
        deadline = Deadline(self._deadline)
        for number in range(1, ATTEMPTS + 1):
            try:
                return attempt(deadline)
            except Retryable as failed:
                pause = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (number - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
                wait = pause if failed.wait is None else failed.wait
                if number == ATTEMPTS or wait > deadline.left:
                    raise PublisherUnavailable(
                        "PUBLISHER_DOWN",
                        f"the publisher did not answer as it should: {failed} ({number} attempt{'s' * (number > 1)})",
                        where=url,
                        kept=KEPT,
                        next_step="wait for the next run, or ask again with `vru nightly`; if it lasts, look at the publisher's page",
                    ) from None
                self._sleep(wait)
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _answer(
        self, url: str, headers: dict[str, str], secret: dict[str, str], deadline: Deadline
    ) -> Iterator[tuple[str, requests.Response]]:
        """The answer to a request, redirects followed, as long as the block; the connection ends with the deadline."""
        here = url
        watchdog = threading.Timer(max(0.0, deadline.left), self._adapter.hang_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            for _ in range(REDIRECTS + 1):
                check_destination(here, self._allowed_hosts, came_from=url)
                self._wait_for_turn(urlsplit(here).hostname or "")
                if deadline.left <= 0:
                    raise Retryable(deadline.passed)
                # A redirect names what it wants by itself.
                with self._get(here, headers, secret if here == url else {}, deadline) as response:
                    if response.is_redirect:
                        here = redacted(secret, redirect_target(here, response.headers["Location"]))
                        continue
                    yield here, response
                    return
        finally:
            watchdog.cancel()
        raise BodyRefused(
            "ADDRESS_REFUSED",
            f"more than {REDIRECTS} redirects",
            where=url,
            kept=KEPT,
            next_step="open the address in a browser; where it has moved, change source.yml",
        )

    def _get(self, here: str, headers: dict[str, str], secret: dict[str, str], deadline: Deadline) -> requests.Response:
        left = deadline.left
        try:
            return self._session.get(
                here,
                params=secret,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_TIMEOUT, left), min(READ_TIMEOUT, left)),
            )
        except requests.exceptions.SSLError as error:
            raise BodyRefused(
                "CERTIFICATE_NOT_TRUSTED",
                f"the publisher's certificate is not trusted ({redacted(secret, _first_line(error))})",
                where=here,
                kept="nothing was fetched",
                next_step="if a proxy signs for it, put its certificate in a file and set VRU_CA_BUNDLE",
            ) from None
        except NotPublic as refused:
            raise BodyRefused(
                "ADDRESS_REFUSED",
                f"{urlsplit(here).hostname} is at {refused}, which is not a public address",
                where=here,
                kept=KEPT,
                next_step="see who answers for the name: no publisher is on this network; loopback is for stand-ins alone",
            ) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise Retryable(deadline.passed if deadline.left <= 0 else type(error).__name__) from None

    def _read(
        self,
        url: str,
        here: str,
        response: requests.Response,
        folder: Path,
        max_bytes: int,
        only_first: int | None,
        deadline: Deadline,
        expected: int,
    ) -> Body:
        status = response.status_code
        headers = {name: value for name, value in response.headers.items() if name.lower() in KEPT_HEADERS}
        is_synthetic = response.headers.get(SYNTHETIC_HEADER, "").lower() == "true"
        if status == 304:
            return Body(url, status, headers, None, "", 0, is_synthetic)
        if status in (408, 429) or status >= 500:
            raise Retryable(f"status {status}", retry_after(response.headers.get("Retry-After")))
        if status != expected:
            raise BodyRefused(
                "STATUS_REFUSED",
                f"the publisher answered with status {status}",
                where=here,
                kept=KEPT,
                next_step="look at the publisher's page; where the address has changed, change source.yml",
            )
        blocks = unpacked(here, response, deadline, must_be_whole=only_first is None)
        file, sha256, size = save(blocks, folder, here, max_bytes=max_bytes, only_first=only_first)
        return Body(url, status, headers, file, sha256, size, is_synthetic)

    def _wait_for_turn(self, host: str) -> None:
        """Wait until this host may be asked again; whoever comes next waits for the turn after this one."""
        if is_loopback(host):
            return
        if self._pacing is None:
            turn = max(time.time(), self._next_turn.get(host, 0.0))
            self._next_turn[host] = turn + PAUSE
        else:
            turn = next_turn(self._pacing, host)
        wait = turn - time.time()
        if wait > 0:
            self._sleep(wait)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
