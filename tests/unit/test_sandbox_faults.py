"""Faults by name, apart from any server."""

import pytest

from sandbox.exchange import Request, Response
from sandbox.faults import FAULTS, fault_named

FILE = Response(200, {"Content-Type": "text/csv", "ETag": '"a"'}, b"0123456789")


def asked(method: str = "GET", **headers: str) -> Request:
    return Request(method, "/x", "/x", {}, headers, "http://127.0.0.1:1")


def test_the_faults_are_these() -> None:
    assert set(FAULTS) == {
        "html_with_200",
        "empty_with_200",
        "truncated_body",
        "status",
        "replace_body",
        "redirect_elsewhere",
    }


def test_an_unknown_fault_is_refused_with_the_list_of_those_there_are() -> None:
    with pytest.raises(ValueError, match="no fault is called 'sulk'; there are: html_with_200, empty_with_200"):
        fault_named("sulk")


def test_an_option_a_fault_does_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match="fault 'html_with_200' cannot be made from \\['code'\\]"):
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
