"""What a stand-in publisher is asked and what it answers, free of sockets."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Protocol


@dataclass(frozen=True)
class Request:
    """One request as a publisher sees it.

    `target` is what the client wrote on the request line, `path` the same percent-decoded and without the query,
    `base_url` where this server is reached (no trailing slash). Header names are lower case.
    """

    method: str
    target: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    base_url: str


@dataclass(frozen=True)
class Response:
    """One answer. `headers` leave out Content-Length: the server adds it from `body`.

    `sent_bytes` is how much of the body goes out before the connection is dropped; None sends all of it. Dropped it is in
    order, or, where `is_reset`, with a reset. Without `has_length` the body's end is the end of the connection.
    `seconds_a_byte` is how long the server waits before each byte.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent_bytes: int | None = None
    is_reset: bool = False
    has_length: bool = True
    seconds_a_byte: float = 0.0


class Site(Protocol):
    """One publisher's corner of the server; implemented once per folder under sandbox/."""

    def answer(self, request: Request) -> Response | None:
        """The answer to a GET (the server derives HEAD and 304 from it), or None when the path is another site's."""
        ...


def etag_of(body: bytes) -> str:
    """A strong entity tag: equal bytes, equal tag, whichever process made them."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def http_date(moment: datetime) -> str:
    """An aware datetime in the form of the Last-Modified header."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def is_unchanged(request: Request, response: Response) -> bool:
    """Whether the client's If-None-Match already names the entity of a 200 answer (RFC 9110, weak comparison)."""
    etag = response.headers.get("ETag")
    offered = request.headers.get("if-none-match")
    if response.status != 200 or etag is None or offered is None:
        return False
    return offered.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in offered.split(",")}


def not_modified(response: Response) -> Response:
    """The 304 that stands for a 200 the client already holds: validators only, no body."""
    kept = {name: value for name, value in response.headers.items() if name in {"ETag", "Last-Modified"}}
    return replace(response, status=304, headers=kept, body=b"")
