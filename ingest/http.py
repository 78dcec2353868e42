"""The one HTTP client: polite, bounded, and believing nothing before it is checked."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime as dt
import email.utils
import fcntl
import hashlib
import json
import random
import re
import socket
import ssl
import tempfile
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, urljoin, urlsplit

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from ingest.addresses import NotPublic, checked, is_loopback
from ingest.errors import BodyRefused, PublisherUnavailable
from ingest.scratch import scratch_folder

USER_AGENT = "vru-warehouse/0.1 (London violence-reduction data warehouse; nightly pull of published files)"
CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 60.0  # seconds without a byte
LONGEST_JSON = (
    16 * 1024 * 1024
)  # bytes: real answers have 0.2 million; what is read of one takes up to 25 times as many
DEADLINE = 300.0  # seconds one fetch may take in all, retries included
PAUSE = 0.5  # seconds between two requests to one host
FIRST_WAIT, LONGEST_WAIT = (
    2.0,
    30.0,
)  # seconds before an answer is asked for again: doubled each time, up to the longest
ATTEMPTS = 4
REDIRECTS = 5
BLOCK = 256 * 1024
SYNTHETIC_HEADER = "X-Synthetic-Data"
STANDS = "nothing was fetched; the last good data stand"
ASK = "the next run asks again; if it stays so, tell the publisher"

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Body:
    """What an address answered: a temporary file with its bytes, and its provenance. None of it where nothing changed (304)."""

    url: str
    status: int
    headers: dict[str, str]
    file: Path | None
    sha256: str
    bytes: int
    is_synthetic: bool


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of what is at an address: its bytes, which byte is the first, how many there are in all, and of which version."""

    body: bytes
    first: int
    total: int
    version: str | None
    is_synthetic: bool


class RangeNotSupported(Exception):
    """The server answers a request for a part of a file with the whole of it."""


class Client:
    """Fetches from one publisher, for one thread at a time.

    Args:
        allowed_hosts: hosts it may speak to; a redirect elsewhere is refused. Loopback addresses count only when named.
        ca_bundle: file of certificates to trust besides the usual ones; verification is never off.
        deadline: seconds one fetch may take in all, retries included (default DEADLINE).
        turns: folder in which processes leave word of when a host was last asked, so that all of them together keep to
            one pace; without it this client keeps to it alone.
        sleep: waits so many seconds (tests give their own).
    """

    def __init__(
        self,
        allowed_hosts: tuple[str, ...],
        *,
        ca_bundle: Path | None = None,
        deadline: float | None = None,
        turns: Path | None = None,
        scratch: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._allowed_hosts = frozenset(allowed_hosts)
        self._session = _Session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"})
        self._adapter = _Adapter(ca_bundle)
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)
        self._deadline = DEADLINE if deadline is None else deadline
        self._turns = turns
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
                    kept=STANDS,
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
            found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", _header(body, "Content-Range") or "")
            start, end, size = (int(number) for number in found.groups()) if found else (-1, -1, -1)
            expected = max(0, size + first) if last is None else first
            if start != expected or end - start + 1 != body.bytes or (last is not None and end != last):
                raise BodyRefused(
                    "ANSWER_NOT_AS_AGREED",
                    f"{wanted} was asked for and {_header(body, 'Content-Range')!r} came with {body.bytes:,} bytes",
                    where=url,
                    kept=STANDS,
                    next_step="if it stays so, the server's ranges are of no use: ask the publisher",
                )
            here = _header(body, "ETag") or _header(body, "Last-Modified")
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

        def once(ends: float) -> Body:
            with self._answer(url, dict(validators or {}), dict(secret or {}), ends) as (here, response):
                is_part = "Range" in (validators or {})
                if is_part and response.status_code == 200:
                    raise RangeNotSupported
                return self._read(url, here, response, folder, max_bytes, only_first, ends, 206 if is_part else 200)

        return self._patiently(url, once)

    def _patiently(self, url: str, once: Callable[[float], T]) -> T:
        """What `once` comes to, given the moment by which it must; asked again where the publisher is only busy."""
        ends = time.monotonic() + self._deadline
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return once(ends)
            except _Retryable as busy:
                patience = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
                wait = patience if busy.wait is None else busy.wait
                if attempt == ATTEMPTS or wait > ends - time.monotonic():
                    raise PublisherUnavailable(
                        "PUBLISHER_DOWN",
                        f"the publisher did not answer as it should: {busy} ({attempt} attempt{'s' * (attempt > 1)})",
                        where=url,
                        kept=STANDS,
                        next_step="wait for the next run, or ask again with `vru nightly`; if it lasts, look at the publisher's page",
                    ) from None
                self._sleep(wait)
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _answer(
        self, url: str, headers: dict[str, str], secret: dict[str, str], ends: float
    ) -> Iterator[tuple[str, requests.Response]]:
        """The answer to a request, redirects followed, as long as the block; it is hung up on when the time has come."""
        here = url
        watchdog = threading.Timer(max(0.0, ends - time.monotonic()), self._adapter.hang_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            for _ in range(REDIRECTS + 1):
                self._check_host(here, came_from=url)
                self._wait_for_turn(urlsplit(here).hostname or "")
                left = ends - time.monotonic()
                if left <= 0:
                    raise _Retryable(self._too_late())
                # A redirect names what it wants by itself.
                with self._ask(here, headers, secret if here == url else {}, left) as response:
                    if response.is_redirect:
                        here = _without(secret, _led_to(here, response.headers["Location"]))
                        continue
                    yield here, response
                    return
        finally:
            watchdog.cancel()
        raise BodyRefused(
            "ADDRESS_REFUSED",
            f"more than {REDIRECTS} redirects",
            where=url,
            kept=STANDS,
            next_step="open the address in a browser; where it has moved, change source.yml",
        )

    def _ask(self, here: str, headers: dict[str, str], secret: dict[str, str], left: float) -> requests.Response:
        began = time.monotonic()
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
                f"the publisher's certificate is not trusted ({_without(secret, _first_line(error))})",
                where=here,
                kept="nothing was fetched",
                next_step="if a proxy signs for it, put its certificate in a file and set VRU_CA_BUNDLE",
            ) from None
        except NotPublic as refused:
            raise BodyRefused(
                "ADDRESS_REFUSED",
                f"{urlsplit(here).hostname} is at {refused}, which is not a public address",
                where=here,
                kept=STANDS,
                next_step="see who answers for the name: no publisher is on this network; loopback is for stand-ins alone",
            ) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            is_late = time.monotonic() - began >= left
            raise _Retryable(self._too_late() if is_late else type(error).__name__) from None

    def _read(
        self,
        url: str,
        here: str,
        response: requests.Response,
        folder: Path,
        max_bytes: int,
        only_first: int | None,
        ends: float,
        expected: int,
    ) -> Body:
        status = response.status_code
        headers = {name: value for name, value in response.headers.items() if name.lower() in _KEPT_HEADERS}
        is_synthetic = response.headers.get(SYNTHETIC_HEADER, "").lower() == "true"
        if status == 304:
            return Body(url, status, headers, None, "", 0, is_synthetic)
        if status in (408, 429) or status >= 500:
            raise _Retryable(f"status {status}", _retry_after(response.headers.get("Retry-After")))
        if status != expected:
            raise BodyRefused(
                "STATUS_REFUSED",
                f"the publisher answered with status {status}",
                where=here,
                kept=STANDS,
                next_step="look at the publisher's page; where the address has changed, change source.yml",
            )
        digest, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(dir=folder, prefix="body-", delete=False) as file:
            for block in self._unpacked(here, response, only_first is None, ends):
                size += len(block)
                if size > max_bytes:
                    raise BodyRefused(
                        "FILE_TOO_LARGE",
                        f"the body is larger than the {max_bytes:,} bytes this dataset may have",
                        where=here,
                        kept=STANDS,
                        next_step="if the file has really grown so much, raise max_bytes in source.yml",
                    )
                digest.update(block)
                file.write(block)
                if only_first is not None and size >= only_first:
                    break
        return Body(url, status, headers, Path(file.name), digest.hexdigest(), size, is_synthetic)

    def _unpacked(self, here: str, response: requests.Response, must_be_whole: bool, ends: float) -> Iterator[bytes]:
        """The blocks of a body, unpacked. It is unpacked here because urllib3 takes half a gzip stream for a whole one."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip", ""):
            raise BodyRefused(
                "ANSWER_NOT_AS_AGREED",
                f"the body is packed as {encoding}, which was not asked for",
                where=here,
                kept=STANDS,
            )
        if "gzip" not in encoding:
            yield from self._wire(response, must_be_whole, ends)
            return
        unpacker, is_begun = zlib.decompressobj(wbits=31), False
        for packed in self._wire(response, must_be_whole, ends):
            while packed:
                try:
                    block = unpacker.decompress(packed, BLOCK)
                except zlib.error as error:
                    raise _Retryable(f"the body's gzip stream is damaged ({error})") from None
                is_begun = True
                yield block
                packed = unpacker.unconsumed_tail
                if unpacker.eof and unpacker.unused_data:
                    packed, unpacker = unpacker.unused_data, zlib.decompressobj(wbits=31)
        if must_be_whole and is_begun and not unpacker.eof:
            raise _Retryable("the body's gzip stream breaks off before its end")

    def _wire(self, response: requests.Response, must_be_whole: bool, ends: float) -> Iterator[bytes]:
        """The blocks of a body as they come, seen to be all that was announced, and the bytes whose hash was."""
        size, digest = 0, hashlib.md5(usedforsecurity=False)
        while True:
            try:
                # As much as is there, and no waiting for more: a slow drip must meet the deadline.
                block = response.raw.read1(BLOCK, decode_content=False)
            except (urllib3.exceptions.HTTPError, HTTPException, OSError) as error:
                late = time.monotonic() > ends
                raise _Retryable(
                    self._too_late() if late else f"the body broke off after {size:,} bytes ({type(error).__name__})"
                ) from None
            if time.monotonic() > ends:
                raise _Retryable(self._too_late())
            if not block:
                break
            size += len(block)
            digest.update(block)
            yield block
        if not must_be_whole:
            return
        announced = response.headers.get("Content-Length", "").strip()
        if announced.isdecimal() and int(announced) != size:
            raise _Retryable(f"the body has {size:,} bytes and {int(announced):,} were announced")
        promised = response.headers.get("Content-MD5", "").strip()
        # Of a part, whose hash it is is anybody's guess.
        if (
            response.status_code == 200
            and promised
            and promised not in (base64.b64encode(digest.digest()).decode(), digest.hexdigest())
        ):
            raise _Retryable("the body's MD5 is not the one that came with it (Content-MD5)")

    def _too_late(self) -> str:
        return f"not finished within {self._deadline:g} seconds"

    def _check_host(self, url: str, *, came_from: str) -> None:
        if not is_address(url):
            raise BodyRefused(
                "ADDRESS_REFUSED",
                f"leads to {url[:200]!r}, which is no address",
                where=came_from,
                kept=STANDS,
                next_step=ASK,
            )
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host not in self._allowed_hosts or parts.scheme not in {"http", "https"}:
            raise BodyRefused(
                "ADDRESS_REFUSED",
                f"leads to {parts.scheme}://{host}, which is not among the hosts this source may be fetched from",
                where=came_from,
                kept=STANDS,
                next_step="if the publisher has moved, add the host to allowed_hosts in source.yml after checking it is theirs",
            )
        if parts.scheme == "http" and not is_loopback(host):
            raise BodyRefused("ADDRESS_REFUSED", "is not an https address", where=url, kept=STANDS)

    def _wait_for_turn(self, host: str) -> None:
        """Wait until this host may be asked again; whoever comes next waits for the turn after this one."""
        if is_loopback(host):
            return
        if self._turns is None:
            turn = max(time.time(), self._next_turn.get(host, 0.0))
            self._next_turn[host] = turn + PAUSE
        else:
            turn = _take_turn(self._turns, host)
        wait = turn - time.time()
        if wait > 0:
            self._sleep(wait)


def _take_turn(folder: Path, host: str) -> float:
    """Take the next turn of a host, which all processes share, and put the one after it off."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / re.sub(r"[^A-Za-z0-9.-]", "_", host)).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        now = time.time()
        written = file.read(32)
        # A clock that was set back must not make everybody wait for it.
        turn = max(now, min(float(written or 0), now + 60))
        file.seek(0)
        file.truncate()
        file.write(f"{turn + PAUSE:.3f}".encode())
    return turn


class _Retryable(Exception):
    """An answer worth asking for again, after `wait` seconds where the publisher says."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


class _Session(requests.Session):
    """A session that leaves redirects alone: requests looks where one leads even when told not to follow, and fails where it is nowhere."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Adapter(HTTPAdapter):
    """What requests connects by: it looks at the address behind a name before a byte is sent, and can hang up."""

    def __init__(self, ca_bundle: Path | None) -> None:
        self._trusted = ssl.create_default_context(cafile=certifi.where())
        if ca_bundle is not None:
            self._trusted.load_verify_locations(cafile=str(ca_bundle))
        self._open: weakref.WeakSet[HTTPConnection] = weakref.WeakSet()
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, ssl_context=self._trusted)
        adapter = self

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                adapter._open.add(self)
                return checked(self.host, self.port, super()._new_conn)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                adapter._open.add(self)
                return checked(self.host, self.port, super()._new_conn)

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Secure

        # A proxy's own connections are not ours to judge: the operator named it, and it may well be on this network.
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=self._trusted)

    def hang_up(self) -> None:
        """End every connection that is being made, or whose answer has not begun: whoever waits for it gets an error."""
        for connection in list(self._open):
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    # Not the method of a TLS socket, which would first take the encryption off.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


_KEPT_HEADERS = frozenset(
    {
        "etag",
        "last-modified",
        "content-length",
        "content-type",
        "content-disposition",
        "content-md5",
        "content-range",
        "date",
    }
)


def _header(body: Body, name: str) -> str | None:
    """A header of an answer, however its name is written."""
    return next((value.strip() for known, value in body.headers.items() if known.lower() == name.lower()), None)


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait from a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=dt.UTC)
        return max(0.0, (when - dt.datetime.now(dt.UTC)).total_seconds())
    except (ValueError, OverflowError):  # the latter of a time zone years away
        return None


def is_address(url: str) -> bool:
    """Whether an address that a publisher names can be asked for at all."""
    try:
        return urlsplit(url).port != 0 and bool(url.encode())
    except ValueError:  # a bracket without its pair, a port that is none, half a pair of UTF-16
        return False


def _led_to(here: str, location: str) -> str:
    """Where a redirect leads, as it stands where it is no address."""
    try:
        return urljoin(here, location)
    except ValueError:
        return location


def _without(secret: Mapping[str, str], text: str) -> str:
    """A text with the values of secret parameters taken out, as they are and as an address writes them."""
    for value in secret.values():
        for form in (value, quote(value, safe=""), quote_plus(value)):
            text = text.replace(form, "...")
    return text


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
