"""The faults of an answer as HTTP carries it: another status, another body, one cut, late, or somewhere else."""

import base64
import gzip
import hashlib
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from sandbox.exchange import Request, Response, etag_of, http_date, is_unchanged

_BLOCK_PAGE = b"""<!DOCTYPE html>
<html lang="en"><head><title>Please wait</title></head>
<body><h1>Checking your browser</h1><p>A page with status 200 in place of the file you asked for.</p></body>
</html>
"""


@dataclass(frozen=True)
class HtmlWith200:
    """A web page where a file or JSON was asked for: what a bot wall or a moved page does."""

    def spoil(self, request: Request, response: Response) -> Response:
        return Response(200, {"Content-Type": "text/html; charset=utf-8"}, _BLOCK_PAGE)


@dataclass(frozen=True)
class EmptyWith200:
    """Success with nothing in it, under the content type that was expected."""

    def spoil(self, request: Request, response: Response) -> Response:
        return Response(200, {"Content-Type": response.headers.get("Content-Type", "text/csv")})


@dataclass(frozen=True)
class TruncatedBody:
    """Announces the whole body, sends the first `keep` bytes (default: half) and drops the connection."""

    keep: int | None = None

    def spoil(self, request: Request, response: Response) -> Response | None:
        if not _carries_a_file(request, response):
            return None
        keep = len(response.body) // 2 if self.keep is None else self.keep
        return replace(response, sent_bytes=keep) if keep < len(response.body) else None


def _carries_a_file(request: Request, response: Response) -> bool:
    # A HEAD, a redirect and a 304 carry no body to spoil: the fault waits for a request that shows it.
    return request.method == "GET" and response.status in (200, 206) and not is_unchanged(request, response)


@dataclass(frozen=True)
class TruncatedWithoutLength:
    """Announces nothing, sends the first `keep` bytes (default: half) and ends the connection as after a whole body."""

    keep: int | None = None

    def spoil(self, request: Request, response: Response) -> Response | None:
        if not _carries_a_file(request, response):
            return None
        keep = len(response.body) // 2 if self.keep is None else self.keep
        return replace(response, body=response.body[:keep], has_length=False)


@dataclass(frozen=True)
class ResetMidBody:
    """Announces the whole body, sends half of it and resets the connection."""

    def spoil(self, request: Request, response: Response) -> Response | None:
        if not _carries_a_file(request, response) or len(response.body) < 2:
            return None
        return replace(response, sent_bytes=len(response.body) // 2, is_reset=True)


@dataclass(frozen=True)
class SlowDrip:
    """Sends the body a byte at a time with `seconds` between them: never idle, never done."""

    seconds: float = 0.05

    def spoil(self, request: Request, response: Response) -> Response | None:
        return replace(response, seconds_a_byte=self.seconds) if _carries_a_file(request, response) else None


@dataclass(frozen=True)
class CutGzip:
    """Packs the body with gzip and sends the first half of that, announced as if it were all."""

    def spoil(self, request: Request, response: Response) -> Response | None:
        if not _carries_a_file(request, response):
            return None
        packed = gzip.compress(response.body, mtime=0)
        headers = {**response.headers, "Content-Encoding": "gzip"}
        return replace(response, headers=headers, body=packed[: len(packed) // 2])


@dataclass(frozen=True)
class WrongContentType:
    """The right body under another content type."""

    content_type: str = "text/html; charset=utf-8"

    def spoil(self, request: Request, response: Response) -> Response | None:
        if not _carries_a_file(request, response):
            return None
        return replace(response, headers={**response.headers, "Content-Type": self.content_type})


@dataclass(frozen=True)
class WrongMd5:
    """The body with another body's Content-MD5."""

    def spoil(self, request: Request, response: Response) -> Response | None:
        if not _carries_a_file(request, response):
            return None
        digest = hashlib.md5(response.body + b" ", usedforsecurity=False).digest()
        return replace(response, headers={**response.headers, "Content-MD5": base64.b64encode(digest).decode()})


@dataclass(frozen=True)
class Status:
    """An error status, such as 503 or 404, in place of the answer."""

    code: int

    def spoil(self, request: Request, response: Response) -> Response:
        sentence = f"{self.code} {HTTPStatus(self.code).phrase}\n"
        return Response(self.code, {"Content-Type": "text/plain; charset=utf-8"}, sentence.encode())


@dataclass(frozen=True)
class TooManyRequests:
    """429; `retry_after` is seconds, or `as_date` the same as a date, or neither."""

    retry_after: int | None = None
    as_date: bool = False

    def spoil(self, request: Request, response: Response) -> Response:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if self.retry_after is not None:
            when = datetime.now(UTC) + timedelta(seconds=self.retry_after)
            headers["Retry-After"] = http_date(when) if self.as_date else str(self.retry_after)
        return Response(429, headers, b"429 Too Many Requests\n")


@dataclass(frozen=True)
class JsonErrorWith200:
    """An error in JSON with status 200, as interfaces answer for which HTTP is a pipe."""

    def spoil(self, request: Request, response: Response) -> Response:
        body = b'{"success": false, "error": {"message": "Service temporarily unavailable"}}'
        return Response(200, {"Content-Type": "application/json;charset=utf-8"}, body)


@dataclass(frozen=True)
class ReplaceBody:
    """Serves `body` in place of a file, with an ETag of its own, as a publisher who re-uploads in place does.

    With the bytes of an earlier release it is `older_copy`: a cache, or a hand, that served what was there before.
    """

    body: bytes

    def spoil(self, request: Request, response: Response) -> Response | None:
        if response.status != 200:
            return None
        return replace(response, headers={**response.headers, "ETag": etag_of(self.body)}, body=self.body)


@dataclass(frozen=True)
class RedirectElsewhere:
    """Sends the client to another host. The default is a reserved name that resolves nowhere (RFC 2606)."""

    to: str = "http://elsewhere.invalid/"

    def spoil(self, request: Request, response: Response) -> Response:
        return Response(302, {"Location": self.to})


@dataclass(frozen=True)
class RedirectLoop:
    """Sends the client to where it is."""

    def spoil(self, request: Request, response: Response) -> Response:
        return Response(302, {"Location": f"{request.base_url}{request.target}"})


class ConnectTimeout:
    """Sends the client to a port of this machine where nobody picks up."""

    def __init__(self) -> None:
        # A queue for one caller, and that one never picked up: the next caller waits in vain. Lives as long as the fault.
        self._deaf = socket.socket()
        self._deaf.bind(("127.0.0.1", 0))
        self._deaf.listen(0)
        self._callers = [socket.socket() for _ in range(2)]
        for caller in self._callers:
            caller.setblocking(False)
            caller.connect_ex(self._deaf.getsockname())

    def spoil(self, request: Request, response: Response) -> Response:
        host, port = self._deaf.getsockname()
        return Response(302, {"Location": f"http://{host}:{port}{request.target}"})

    def __del__(self) -> None:
        for one in (self._deaf, *self._callers):
            one.close()
