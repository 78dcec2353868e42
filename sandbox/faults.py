"""The ways a publisher goes wrong, each by name, for tests of what the warehouse does about it.

To add one: write a frozen dataclass with `spoil` and list it in `FAULTS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Protocol

from sandbox.exchange import Request, Response, etag_of, is_unchanged

_BLOCK_PAGE = b"""<!DOCTYPE html>
<html lang="en"><head><title>Please wait</title></head>
<body><h1>Checking your browser</h1><p>A page with status 200 in place of the file you asked for.</p></body>
</html>
"""


class Fault(Protocol):
    """One kind of misbehaviour."""

    def spoil(self, request: Request, response: Response) -> Response | None:
        """The spoilt answer, or None where the fault could not show (it is then kept for a later request)."""
        ...


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
        # A HEAD, a redirect and a 304 carry no body to cut: the fault waits for a request that shows it.
        if request.method != "GET" or response.status != 200 or is_unchanged(request, response):
            return None
        keep = len(response.body) // 2 if self.keep is None else self.keep
        return replace(response, sent_bytes=keep) if keep < len(response.body) else None


@dataclass(frozen=True)
class Status:
    """An error status, such as 503 or 404, in place of the answer."""

    code: int

    def spoil(self, request: Request, response: Response) -> Response:
        sentence = f"{self.code} {HTTPStatus(self.code).phrase}\n"
        return Response(self.code, {"Content-Type": "text/plain; charset=utf-8"}, sentence.encode())


@dataclass(frozen=True)
class ReplaceBody:
    """Serves `body` in place of a file, with an ETag of its own, as a publisher who re-uploads in place does."""

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


FAULTS: Mapping[str, Callable[..., Fault]] = MappingProxyType(
    {
        "html_with_200": HtmlWith200,
        "empty_with_200": EmptyWith200,
        "truncated_body": TruncatedBody,
        "status": Status,
        "replace_body": ReplaceBody,
        "redirect_elsewhere": RedirectElsewhere,
    }
)


def fault_named(name: str, **options: object) -> Fault:
    """The fault of that name.

    Raises:
        ValueError: no such fault, or an option it does not take; the sentence lists what there is.
    """
    if name not in FAULTS:
        raise ValueError(f"no fault is called {name!r}; there are: {', '.join(FAULTS)}")
    try:
        return FAULTS[name](**options)
    except TypeError as error:
        raise ValueError(f"fault {name!r} cannot be made from {sorted(options)}: {error}") from error
