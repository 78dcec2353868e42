"""Faults by name, apart from any server."""

import pytest

from sandbox.exchange import Request, Response
from sandbox.faults import FAULTS, fault_named
from sandbox.spoilt_tables import read, written
from tests.fault_cases import CASES, NOT_IN_THE_TABLE

FILE = Response(200, {"Content-Type": "text/csv", "ETag": '"a"'}, b"0123456789")


def asked(method: str = "GET", **headers: str) -> Request:
    return Request(method, "/x", "/x", {}, headers, "http://127.0.0.1:1")


def test_every_fault_is_in_the_table_that_the_test_run_prints() -> None:
    gone_through = {case.fault for case in CASES} | set(NOT_IN_THE_TABLE)
    assert set(FAULTS) == gone_through


def test_an_unknown_fault_is_refused_with_the_list_of_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'sulk'; .*html_with_200, empty_with_200"):
        fault_named("sulk")


def test_an_option_a_fault_does_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'html_with_200' .*\['code'\]"):
        fault_named("html_with_200", code=503)


def test_truncation_sends_half_unless_told_how_much() -> None:
    assert fault_named("truncated_body").spoil(asked(), FILE) == Response(200, FILE.headers, FILE.body, sent_bytes=5)
    assert fault_named("truncated_body", keep=9).spoil(asked(), FILE) == Response(200, FILE.headers, FILE.body, 9)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (asked("HEAD"), FILE),
        (asked(), Response(302, {"Location": "/y"})),
        (asked(**{"if-none-match": '"a"'}), FILE),
        (asked(), Response(200)),
    ],
    ids=["head", "redirect", "unchanged", "empty"],
)
def test_truncation_waits_for_an_answer_that_has_a_body_to_cut(request_: Request, response: Response) -> None:
    assert fault_named("truncated_body").spoil(request_, response) is None


def test_a_replaced_body_has_an_etag_of_its_own_and_leaves_redirects_alone() -> None:
    fault = fault_named("replace_body", body=b"other")

    replaced = fault.spoil(asked(), FILE)
    assert replaced == Response(
        200, {"Content-Type": "text/csv", "ETag": '"795f3202b17cb6bc3d4b771d8c6c9eaf"'}, b"other"
    )
    assert fault.spoil(asked(), Response(302, {"Location": "/y"})) is None


def page(number: int, total: int = 6) -> Response:
    """A page of a paged interface, two rows of six."""
    rows = [["CODE", "RECORD_COUNT"], *([str(n), str(total)] for n in (number * 2, number * 2 + 1))]
    return Response(200, {"Content-Type": "text/csv"}, written(rows, b""))


def pages(fault: str, **options: object) -> list[list[list[str]]]:
    """The data rows of three pages, spoilt where the fault can show."""
    one = fault_named(fault, **options)
    return [read((one.spoil(asked(), page(number)) or page(number)).body)[1:] for number in range(3)]


def test_a_repeated_page_is_the_first_again_and_again() -> None:
    assert pages("repeated_page") == [[["0", "6"], ["1", "6"]]] * 3


def test_a_total_that_changes_grows_from_page_to_page() -> None:
    assert [rows[0][1] for rows in pages("changing_total")] == ["6", "7", "8"]


def test_a_short_page_lacks_its_last_row() -> None:
    assert [len(rows) for rows in pages("short_page")] == [1, 1, 1]


TABLE = b"Borough,Month,Incidents\r\nKingston upon Thames,2026-10-01,5\r\nBarnet,2026-09-01,7\r\n"


@pytest.mark.parametrize(
    ("fault", "options", "spoilt"),
    [
        ("renamed_column", {"column": 1}, TABLE.replace(b"Month", b"Renamed")),
        ("duplicated_column", {}, b"Borough,Month,Incidents,Incidents\r\nKingston upon Thames,2026-10-01,5,5\r\nBarnet,2026-09-01,7,7\r\n"),
        ("missing_column", {"column": 1}, b"Borough,Incidents\r\nKingston upon Thames,5\r\nBarnet,7\r\n"),
        ("quoted_newline", {}, TABLE.replace(b"Kingston upon Thames", b'"Kingston\nupon Thames"')),
        ("backslash_dot_line", {}, TABLE.replace(b"Barnet", b"\\.\r\nBarnet")),
        ("open_quote", {}, TABLE.replace(b"Kingston", b'"Kingston')),
        ("cr_line_ends", {}, TABLE.replace(b"\r\n", b"\r")),
        ("cp1252", {"row": 2}, TABLE.replace(b"Barnet", b"Barnet\x92")),
        ("totals_row", {}, TABLE + b"Total,Total,12\r\n"),
        ("thousands_separators", {}, TABLE.replace(b",5", b',"1,005"')),
        ("suppressed_cell", {"by": "<5"}, TABLE.replace(b",5", b",<5")),
        ("excel_serial_dates", {}, TABLE.replace(b"2026-10-01", b"46296").replace(b"2026-09-01", b"46266")),
        ("us_dates", {}, TABLE.replace(b"2026-10-01", b"10/01/2026").replace(b"2026-09-01", b"09/01/2026")),
        ("header_only", {}, b"Borough,Month,Incidents\r\n"),
    ],
)  # fmt: skip
def test_a_spoilt_table_differs_from_the_honest_one_in_that_alone(
    fault: str, options: dict[str, object], spoilt: bytes
) -> None:
    answer = fault_named(fault, **options).spoil(asked(), Response(200, {}, TABLE))
    assert answer is not None
    assert answer.body == spoilt
