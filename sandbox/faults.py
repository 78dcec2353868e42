"""The ways a publisher goes wrong, each by name, for tests of what the warehouse does about it.

To add one: write a frozen dataclass with `spoil` and list it in `FAULTS`; where it only changes a file's bytes, a function in
`spoilt_tables` or `spoilt_archives` is enough.
"""

import base64
import gzip
import hashlib
import inspect
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Protocol

from sandbox import spoilt_archives, spoilt_tables
from sandbox.exchange import Request, Response, etag_of, http_date, is_unchanged

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


@dataclass(frozen=True)
class RepeatedPage:
    """Answers every page of a paged table with the first page that was asked for."""

    _first: dict[str, Response] = field(default_factory=dict)

    def spoil(self, request: Request, response: Response) -> Response | None:
        if response.status != 200:
            return None
        return self._first.setdefault(request.path, response)


@dataclass(frozen=True)
class ChangingTotal:
    """Counts up, from page to page, the column that says how many rows the whole paged table has."""

    column: str = "RECORD_COUNT"
    _pages: dict[str, int] = field(default_factory=dict)

    def spoil(self, request: Request, response: Response) -> Response | None:
        rows = spoilt_tables.read(response.body) if response.status == 200 else []
        if not rows or self.column not in rows[0]:
            return None
        more = self._pages[request.path] = self._pages.get(request.path, -1) + 1
        at = rows[0].index(self.column)
        for row in rows[1:]:
            row[at] = str(int(row[at]) + more)
        return replace(response, body=spoilt_tables.written(rows, response.body))


@dataclass(frozen=True)
class ShortPage:
    """Leaves the last `by` rows of a page out."""

    by: int = 1

    def spoil(self, request: Request, response: Response) -> Response | None:
        rows = spoilt_tables.read(response.body) if response.status == 200 else []
        if len(rows) <= self.by:
            return None
        return replace(response, body=spoilt_tables.written(rows[: -self.by], response.body))


@dataclass(frozen=True)
class Rewritten:
    """Serves what a function makes of the file, with an ETag of its own."""

    rewrite: Callable[[bytes], bytes]

    def spoil(self, request: Request, response: Response) -> Response | None:
        if request.method != "GET" or response.status != 200 or not response.body:
            return None
        body = self.rewrite(response.body)
        return replace(response, headers={**response.headers, "ETag": etag_of(body)}, body=body)


def _rewriting(function: Callable[..., bytes], **fixed: object) -> Callable[..., Fault]:
    def make(**options: object) -> Fault:
        inspect.signature(function).bind(b"", **fixed, **options)
        return Rewritten(lambda body: function(body, **fixed, **options))

    return make


FAULTS: Mapping[str, Callable[..., Fault]] = MappingProxyType(
    {
        "html_with_200": HtmlWith200,
        "empty_with_200": EmptyWith200,
        "json_error_with_200": JsonErrorWith200,
        "wrong_content_type": WrongContentType,
        "wrong_md5": WrongMd5,
        "truncated_body": TruncatedBody,
        "truncated_without_length": TruncatedWithoutLength,
        "reset_mid_body": ResetMidBody,
        "slow_drip": SlowDrip,
        "cut_gzip": CutGzip,
        "connect_timeout": ConnectTimeout,
        "status": Status,
        "too_many_requests": TooManyRequests,
        "replace_body": ReplaceBody,
        "older_copy": ReplaceBody,
        "redirect_elsewhere": RedirectElsewhere,
        "redirect_loop": RedirectLoop,
        "repeated_page": RepeatedPage,
        "changing_total": ChangingTotal,
        "short_page": ShortPage,
        "suppressed_cell": _rewriting(spoilt_tables.cell_replaced),
        "not_a_number": _rewriting(spoilt_tables.cell_replaced, by="NaN"),
        "infinity": _rewriting(spoilt_tables.cell_replaced, by="Infinity"),
        **{
            function.__name__: _rewriting(function)
            for function in (
                spoilt_tables.renamed_column,
                spoilt_tables.duplicated_column,
                spoilt_tables.reordered_columns,
                spoilt_tables.new_column,
                spoilt_tables.missing_column,
                spoilt_tables.byte_order_mark,
                spoilt_tables.utf_16,
                spoilt_tables.cp1252,
                spoilt_tables.nul_byte,
                spoilt_tables.cr_line_ends,
                spoilt_tables.quoted_newline,
                spoilt_tables.backslash_dot_line,
                spoilt_tables.open_quote,
                spoilt_tables.ragged_rows,
                spoilt_tables.header_only,
                spoilt_tables.cut_at_a_line,
                spoilt_tables.footer,
                spoilt_tables.totals_row,
                spoilt_tables.thousands_separators,
                spoilt_tables.excel_serial_dates,
                spoilt_tables.us_dates,
                spoilt_tables.megabyte_cell,
                spoilt_archives.zip_bomb,
                spoilt_archives.nested_zip,
                spoilt_archives.path_out_of_archive,
                spoilt_archives.encrypted_zip,
                spoilt_archives.workbook_formula,
                spoilt_archives.workbook_hidden_sheet,
                spoilt_archives.workbook_merged_header,
                spoilt_archives.workbook_far_cell,
                spoilt_archives.workbook_elsewhere,
            )
        },
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
