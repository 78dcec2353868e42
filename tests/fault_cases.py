"""The ways a publisher goes wrong, each with its end: what tests/integration/test_faults.py goes through."""

from __future__ import annotations

import dataclasses

# Of the client: what it alone decides, tried at one publisher. Of transport: how a connector ends what the client refuses, tried at each.
# Of body: what came instead of the file. Of text: what the reader of delimited text decides, tried where its rows are refused as a file, row
# by row, and out of an archive. Of a table: what a dataset's declaration decides.
CLIENT, TRANSPORT, BODY, TEXT = "client", "transport", "body", "text"
TABLE, ARCHIVE, PAGES = "table", "archive", "pages"
EVERY = frozenset({CLIENT, TRANSPORT, BODY, TEXT, TABLE, ARCHIVE})
HANDLED, QUARANTINED, REFUSED = "handled", "row quarantined", "refused"
WORKBOOKS = "a formula in a workbook", "a hidden sheet", "merged cells in a header", "a cell at the end of a sheet"
ARCHIVES = "a zip bomb", "an archive in an archive", "a member ../ of an archive", "an encrypted archive"
BAD_ROWS = (
    "code page 1252", "a NUL byte", "a line \\.", "a row with a field less", "a row with a field more", "a footer",
    "a row of totals", "an asterisk for a number", "two dots for a number", "a dash for a number",
    "an x for a number", "<5 for a number", "NaN", "infinity",
)  # fmt: skip
NUMBERS = (
    "thousands separators", "an asterisk for a number", "two dots for a number", "a dash for a number",
    "an x for a number", "<5 for a number", "NaN", "infinity",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Case:
    """One fault: its kind, the stand-in's name for it, its end, and the code of a refusal: several with | where publishers differ."""

    name: str
    kind: str
    fault: str
    end: str
    codes: str = ""
    options: dict[str, object] = dataclasses.field(default_factory=dict)
    times: int | None = None
    bytes_come: bool = True


def away(name: str, fault: str, codes: str, times: int | None = None, kind: str = CLIENT, **options: object) -> Case:
    """A fault after which no file has come, or which is over after so many answers."""
    return Case(name, kind, fault, HANDLED if times else REFUSED, codes, options, times, bytes_come=False)


NO_NUMBER = "VALUE_NOT_A_NUMBER|VALUE_MALFORMED"
# Where months are columns, a month that is written otherwise is a header that nobody knows.
NO_DATE = "VALUE_MALFORMED|TIME_INVALID|HEADER_UNKNOWN"

CASES = [
    away("429, then the file", "too_many_requests", "", times=2),
    away("429 with Retry-After in seconds, then the file", "too_many_requests", "", times=1, retry_after=1),
    away("429 with Retry-After as a date, then the file", "too_many_requests", "", times=1, retry_after=1, as_date=True),
    away("429 for good", "too_many_requests", "PUBLISHER_DOWN", kind=TRANSPORT),
    away("429 until tomorrow", "too_many_requests", "PUBLISHER_DOWN", retry_after=86400),
    away("500, then the file", "status", "", times=2, code=500),
    away("502, then the file", "status", "", times=2, code=502),
    away("503, then the file", "status", "", times=2, code=503),
    away("503 for good", "status", "PUBLISHER_DOWN", code=503, kind=TRANSPORT),
    away("401", "status", "STATUS_REFUSED", code=401),
    away("404", "status", "STATUS_REFUSED", code=404, kind=TRANSPORT),
    away("410", "status", "STATUS_REFUSED", code=410),
    away("no connection", "connect_timeout", "PUBLISHER_DOWN"),
    away("a slow drip", "slow_drip", "PUBLISHER_DOWN"),
    away("a reset in the body", "reset_mid_body", "PUBLISHER_DOWN"),
    away("a reset in the body, then the file", "reset_mid_body", "", times=1, kind=TRANSPORT),
    away("a body shorter than announced", "truncated_body", "PUBLISHER_DOWN", kind=TRANSPORT),
    away("a body shorter than announced, then the file", "truncated_body", "", times=1),
    away("a gzip stream cut short", "cut_gzip", "PUBLISHER_DOWN"),
    away("another body's MD5", "wrong_md5", "PUBLISHER_DOWN", kind=TRANSPORT),
    away("a redirect in a circle", "redirect_loop", "ADDRESS_REFUSED"),
    away("a redirect to another host", "redirect_elsewhere", "ADDRESS_REFUSED", kind=TRANSPORT),
    away("a redirect to a metadata service", "redirect_elsewhere", "ADDRESS_REFUSED", to="http://169.254.169.254/latest"),
    Case("a body cut short, no length announced", BODY, "truncated_without_length", REFUSED, "FILE_CUT_SHORT|ARCHIVE_DAMAGED|ROWS_FEWER_THAN_STATED"),
    Case("a web page with status 200", BODY, "html_with_200", REFUSED, "NOT_THE_FILE"),
    Case("nothing with status 200", BODY, "empty_with_200", REFUSED, "NO_ROWS"),
    Case("an error in JSON with status 200", BODY, "json_error_with_200", REFUSED, "NOT_THE_FILE"),
    Case("the right body as another content type", BODY, "wrong_content_type", HANDLED),
    Case("a copy older than yesterday's", BODY, "older_copy", HANDLED, "OLDER_COPY"),
    Case("yesterday's copy", BODY, "older_copy", HANDLED),
    Case("a byte order mark", TEXT, "byte_order_mark", HANDLED),
    Case("UTF-16", TEXT, "utf_16", HANDLED),
    Case("code page 1252", TEXT, "cp1252", REFUSED, "ENCODING_UNKNOWN"),
    Case("a NUL byte", TEXT, "nul_byte", REFUSED, "ENCODING_UNKNOWN"),
    Case("lines ending with CR", TEXT, "cr_line_ends", HANDLED),
    Case(r"a line \.", TEXT, "backslash_dot_line", REFUSED, "ROW_WIDTH_DIFFERS"),
    Case("an open quotation mark", TEXT, "open_quote", REFUSED, "FILE_DAMAGED"),
    Case("a row with a field less", TEXT, "ragged_rows", REFUSED, "ROW_WIDTH_DIFFERS"),
    Case("a body cut where a line ends", TEXT, "cut_at_a_line", REFUSED, "CATEGORY_LIST_UNKNOWN|LESS_THAN_BEFORE|AREAS_MISSING"),
    Case("a line end within quotation marks", TABLE, "quoted_newline", HANDLED),
    Case("a row with a field more", TABLE, "ragged_rows", REFUSED, "ROW_WIDTH_DIFFERS", {"by": 1}),
    Case("a column twice", TABLE, "duplicated_column", REFUSED, "COLUMN_REPEATED"),
    Case("a column renamed", TABLE, "renamed_column", REFUSED, "HEADER_UNKNOWN"),
    Case("columns in another order", TABLE, "reordered_columns", HANDLED),
    Case("new column", TABLE, "new_column", HANDLED),
    Case("a column missing", TABLE, "missing_column", REFUSED, "COLUMN_MISSING"),
    Case("a header only", TABLE, "header_only", REFUSED, "NO_ROWS"),
    Case("a footer", TABLE, "footer", REFUSED, "ROW_WIDTH_DIFFERS|VALUE_BLANK"),
    Case("a row of totals", TABLE, "totals_row", REFUSED, "LABEL_UNKNOWN|VALUE_MALFORMED|VALUE_NOT_A_NUMBER"),
    Case("thousands separators", TABLE, "thousands_separators", REFUSED, NO_NUMBER),
    Case("an asterisk for a number", TABLE, "suppressed_cell", REFUSED, NO_NUMBER, {"by": "*"}),
    Case("two dots for a number", TABLE, "suppressed_cell", REFUSED, NO_NUMBER, {"by": ".."}),
    Case("a dash for a number", TABLE, "suppressed_cell", REFUSED, NO_NUMBER, {"by": "-"}),
    Case("an x for a number", TABLE, "suppressed_cell", REFUSED, NO_NUMBER, {"by": "x"}),
    Case("<5 for a number", TABLE, "suppressed_cell", REFUSED, NO_NUMBER, {"by": "<5"}),
    Case("NaN", TABLE, "not_a_number", REFUSED, NO_NUMBER),
    Case("infinity", TABLE, "infinity", REFUSED, NO_NUMBER),
    Case("Excel's serial dates", TABLE, "excel_serial_dates", REFUSED, NO_DATE),
    Case("dates in American order", TABLE, "us_dates", REFUSED, NO_DATE),
    Case("a megabyte in a cell", TABLE, "megabyte_cell", REFUSED, "FILE_DAMAGED|LABEL_UNKNOWN"),
    Case("a zip bomb", ARCHIVE, "zip_bomb", REFUSED, "NOT_THE_FILE|ARCHIVE_UNSAFE"),
    Case("an archive in an archive", ARCHIVE, "nested_zip", REFUSED, "NOT_THE_FILE|NO_LONGER_OFFERED"),
    Case("a member ../ of an archive", ARCHIVE, "path_out_of_archive", REFUSED, "NOT_THE_FILE|ARCHIVE_UNSAFE"),
    Case("an encrypted archive", ARCHIVE, "encrypted_zip", REFUSED, "NOT_THE_FILE|ARCHIVE_UNSAFE"),
    Case("a formula in a workbook", ARCHIVE, "workbook_formula", REFUSED, "NOT_THE_FILE|CELLS_NOT_DATA"),
    Case("a hidden sheet", ARCHIVE, "workbook_hidden_sheet", REFUSED, "NOT_THE_FILE|CELLS_NOT_DATA"),
    Case("merged cells in a header", ARCHIVE, "workbook_merged_header", REFUSED, "NOT_THE_FILE|CELLS_NOT_DATA"),
    Case("a cell at the end of a sheet", ARCHIVE, "workbook_far_cell", REFUSED, "NOT_THE_FILE|ARCHIVE_UNSAFE"),
    Case("a workbook elsewhere in its archive", ARCHIVE, "workbook_elsewhere", REFUSED, "NOT_THE_FILE|ARCHIVE_DAMAGED"),
    Case("a page that comes again", PAGES, "repeated_page", REFUSED, "ROW_REPEATED"),
    Case("a total that changes from page to page", PAGES, "changing_total", REFUSED, "CHANGED_WHILE_READ"),
    Case("a page short by one", PAGES, "short_page", REFUSED, "NO_ROWS|ROWS_FEWER_THAN_STATED"),
]  # fmt: skip

# It is how a test serves what it likes.
NOT_IN_THE_TABLE = ("replace_body",)
