"""The local HTTP server behind the stand-in publishers: it carries, logs and spoils answers, and knows no publisher."""

import ipaddress
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

from sandbox.exchange import Request, Response, Site, is_unchanged, not_modified
from sandbox.faults import Fault, fault_named

_LOGGED_HEADERS = ("accept", "accept-encoding", "if-modified-since", "if-none-match", "range", "user-agent")


@dataclass(frozen=True)
class LoggedRequest:
    """One request as it was answered: `path` as written on the request line with its query, `headers` the ones that
    steer an answer (lower-case names), `fault` the name of the misbehaviour that spoilt it, if any."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    fault: str | None = None


@dataclass
class _Misbehaviour:
    name: str
    fault: Fault
    path_contains: str
    times_left: int | None

    def concerns(self, request: Request) -> bool:
        # Both spellings, so that a test may write a file's name or its percent-encoded address.
        return self.path_contains in request.target or self.path_contains in request.path


Clock = Callable[[], date]
MakeSites = Callable[[Clock], Sequence[Site]]


class Publisher:
    """The stand-in publishers while they are served: where they are, what they were asked, what day it is for them."""

    def __init__(self, base_url: str, make_sites: MakeSites, clock: Clock) -> None:
        self.base_url = base_url
        self._clock = clock
        # Not the clock itself: the sites must see the day that `advance_to` sets.
        self._sites = make_sites(lambda: self.today)
        self._requests: list[LoggedRequest] = []
        self._misbehaviours: list[_Misbehaviour] = []
        self._lock = threading.Lock()

    @property
    def today(self) -> date:
        """The day the publishers believe it is."""
        return self._clock()

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """Every request answered so far, in the order they were answered."""
        with self._lock:
            return tuple(self._requests)

    def forget_requests(self) -> None:
        """Empties the request log, so that a test can look at one step alone."""
        with self._lock:
            self._requests.clear()

    def advance_to(self, day: date) -> None:
        """Moves the publishers' day forward; from now on it stands still there.

        Raises:
            ValueError: `day` is before the present one. Publishers do not withdraw what they have published.
        """
        if day < self.today:
            raise ValueError(f"the publishers are at {self.today}, which is after {day}; start it again to go back")
        self._clock = lambda: day

    def misbehave(self, fault: str, *, path_contains: str = "", times: int | None = None, **options: object) -> None:
        """Spoils the next `times` answers (None: all from now on) whose path contains `path_contains`.

        A download is two requests, the redirect at `/download/…` and the file at `/files/…`; both contain the file's
        name. Faults apply in the order they were asked for, one to an answer. `options` are the fault's own: see
        sandbox/faults.py.

        Raises:
            ValueError: an unknown fault or option, or `times` below 1.
        """
        if times is not None and times < 1:
            raise ValueError(f"times must be 1 or more, or None for always; got {times}")
        misbehaviour = _Misbehaviour(fault, fault_named(fault, **options), path_contains, times)
        with self._lock:
            self._misbehaviours.append(misbehaviour)

    def behave(self) -> None:
        """Ends all misbehaviour."""
        with self._lock:
            self._misbehaviours.clear()

    def respond(self, request: Request) -> Response:
        """The answer to a request, faults applied, and a line in the log."""
        response, fault = self._spoilt(request, self._honest(request))
        if is_unchanged(request, response):
            response = not_modified(response)
        headers = {name: request.headers[name] for name in _LOGGED_HEADERS if name in request.headers}
        entry = LoggedRequest(request.method, request.target, response.status, MappingProxyType(headers), fault)
        with self._lock:
            self._requests.append(entry)
        return response

    def _honest(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            return Response(405, {"Allow": "GET, HEAD"})
        for site in self._sites:
            response = site.answer(request)
            if response is not None:
                return response
        return Response(404, {"Content-Type": "text/plain; charset=utf-8"}, b"404 Not Found\n")

    def _spoilt(self, request: Request, response: Response) -> tuple[Response, str | None]:
        with self._lock:
            for misbehaviour in self._misbehaviours:
                spoilt = misbehaviour.fault.spoil(request, response) if misbehaviour.concerns(request) else None
                if spoilt is None:
                    continue
                if misbehaviour.times_left is not None:
                    misbehaviour.times_left -= 1
                    if misbehaviour.times_left == 0:
                        self._misbehaviours.remove(misbehaviour)
                return spoilt, misbehaviour.name
        return response, None


class _Server(ThreadingHTTPServer):
    # Handler threads are joined on close: a test must not leave one behind.
    daemon_threads = False
    request_queue_size = 64
    publisher: Publisher

    def __init__(self, address: tuple[str, int]) -> None:
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own bind asks the resolver for the host's name, which can hang where there is no network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = cast(tuple[str, int], self.server_address)

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: tuple[str, int]
    ) -> None:
        with self._connections_lock:
            self._connections.add(cast(socket.socket, request))
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        with self._connections_lock:
            self._connections.discard(cast(socket.socket, request))
        super().shutdown_request(request)

    def server_close(self) -> None:
        # A client's idle keep-alive connection would otherwise hold its handler thread until it times out.
        with self._connections_lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # the client was faster
                    continue
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A request line that cannot be read is answered with headers too, not as HTTP/0.9 without them.
    default_request_version = "HTTP/1.1"
    timeout = 60
    # Head and body are two writes; with Nagle's algorithm the second waits for the client's delayed acknowledgement.
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        publisher = cast(_Server, self.server).publisher
        address = urlsplit(self.path)
        request = Request(
            method=self.command,
            target=self.path,
            path=unquote(address.path),
            query=dict(parse_qsl(address.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            base_url=publisher.base_url,
        )
        if "content-length" in request.headers or "transfer-encoding" in request.headers:
            # The body is never read, so what follows on this connection cannot be told from it.
            self.close_connection = True
        self._send(publisher.respond(request))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _handle  # noqa: N815 (http.server's names)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 304 and response.has_length:
            self.send_header("Content-Length", str(len(response.body)))
        if not response.has_length:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        body = b"" if self.command == "HEAD" else response.body[: response.sent_bytes]
        if response.seconds_a_byte:
            for index in range(len(body)):
                time.sleep(response.seconds_a_byte)
                self.wfile.write(body[index : index + 1])
        else:
            self.wfile.write(body)
        if response.sent_bytes is not None:
            self.close_connection = True
        if response.is_reset:
            # Closing with nothing to linger for sends a reset instead of an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def end_headers(self) -> None:
        # Here and not in _send: the answers http.server writes itself (a malformed request) pass through here too.
        self.send_header("X-Synthetic-Data", "true")
        super().end_headers()

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            # The client went away mid-answer, as clients of a misbehaving publisher do.
            self.close_connection = True

    def version_string(self) -> str:
        """What the Server header says."""
        return "vru-sandbox"

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the request log is `Publisher.requests`."""


def _checked_loopback(host: str) -> str:
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise ValueError(
            f"the stand-in publishers serve invented data and listen on this machine only: "
            f"host must be an IPv4 loopback address such as 127.0.0.1, not {host!r}"
        )
    return host


def london_today() -> date:
    """The calendar day in London, by the machine's clock."""
    return datetime.now(ZoneInfo("Europe/London")).date()


@contextmanager
def serve_sites(
    make_sites: MakeSites,
    *,
    today: date | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Publisher]:
    """Serves sites from a thread of this process until the block ends; no thread or socket outlives it.

    Args:
        make_sites: called once with the clock the sites shall read, and returns them in the order they are asked.
        today: the publishers' day; None follows London's calendar.
        host: an IPv4 loopback address.
        port: 0 takes a free one.

    Raises:
        ValueError: `host` is not loopback.
        OSError: the port is taken.
    """
    with _Server((_checked_loopback(host), port)) as server:
        clock = london_today if today is None else lambda: today
        server.publisher = publisher = Publisher(f"http://{host}:{server.server_port}", make_sites, clock)
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="sandbox", daemon=True
        )
        thread.start()
        try:
            yield publisher
        finally:
            server.shutdown()
            thread.join()
