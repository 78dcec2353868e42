"""The ways a publisher goes wrong, each by name, for tests of what the warehouse does about it.

To add one: write a frozen dataclass with `spoil` (in `spoilt_answers`, or here if it spoils a paged table) and list it in `FAULTS`; where it
only changes a file's bytes, a function in `spoilt_tables` or `spoilt_archives` is enough.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

from sandbox import spoilt_archives, spoilt_tables
from sandbox.exchange import Request, Response, etag_of
from sandbox.spoilt_answers import (
    ConnectTimeout,
    CutGzip,
    EmptyWith200,
    HtmlWith200,
    JsonErrorWith200,
    RedirectElsewhere,
    RedirectLoop,
    ReplaceBody,
    ResetMidBody,
    SlowDrip,
    Status,
    TooManyRequests,
    TruncatedBody,
    TruncatedWithoutLength,
    WrongContentType,
    WrongMd5,
)


class Fault(Protocol):
    """One kind of misbehaviour."""

    def spoil(self, request: Request, response: Response) -> Response | None:
        """The spoilt answer, or None where the fault could not show (it is then kept for a later request)."""
        ...


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
