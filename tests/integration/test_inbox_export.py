"""The export behind a key: off unless agreed, and the key is told to nobody."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.connectors.fetch_context import FetchContext
from ingest.declaration import Inbox
from sandbox.exchange import Request, Response
from sandbox.server import Publisher, serve_sites
from tests.inbox_files import BODY, SAFESTATS, SHA256, after, context_in, names, take, with_dataset
from tests.refused import refused_with


@pytest.fixture
def context(tmp_path: Path) -> FetchContext:
    return context_in(tmp_path)


KEY = "s3cr3t-token"


class _Export:
    """An export that asks for a key."""

    def answer(self, request: Request) -> Response | None:
        if request.path == "/moved/tfl-2026-10.csv":
            return Response(302, {"Location": "http://elsewhere.invalid/tfl-2026-10.csv"})
        if request.path != "/export/tfl-2026-10.csv":
            return None
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Response(401)
        return Response(200, {"Content-Type": "text/csv", "ETag": '"1"'}, BODY)


@pytest.fixture
def export() -> Iterator[Publisher]:
    with serve_sites(lambda clock: [_Export()]) as publisher:
        yield publisher


def _exporting(
    context: FetchContext, publisher: Publisher, path: str = "/export/tfl-2026-10.csv", key: str | None = KEY
) -> FetchContext:
    location = Inbox(kind="inbox", download=path)
    there = with_dataset(context, context.dataset.model_copy(update={"location": location}))
    return dataclasses.replace(there, base_url=publisher.base_url, key=key, must_be_synthetic=True)


def test_the_export_is_off_unless_declared_and_this_home_has_its_key(context: FetchContext, export: Publisher) -> None:
    assert all(
        isinstance(dataset.location, Inbox) and dataset.location.download is None
        for dataset in SAFESTATS.datasets.values()
    )
    assert names(dataclasses.replace(context, key=KEY, base_url=export.base_url)) == []
    assert names(_exporting(context, export, key=None)) == []
    assert export.requests == ()


def test_the_export_is_fetched_with_the_key_which_stands_in_no_paper(context: FetchContext, export: Publisher) -> None:
    (done,) = take(_exporting(context, export))
    assert done.sha256 == SHA256
    assert take(after(_exporting(context, export), [done]))[0].landed is None
    assert [request.status for request in export.requests] == [200, 304]
    assert all(KEY not in path.read_text(errors="replace") for path in context.landing.rglob("*") if path.is_file())
    assert KEY not in repr(export.requests)


def test_a_wrong_key_and_a_redirect_elsewhere_are_refused_without_telling_it(
    context: FetchContext, export: Publisher
) -> None:
    for there, code, named in (
        (_exporting(context, export, key="wr0ng-token"), "STATUS_REFUSED", "401"),
        (_exporting(context, export, path="/moved/tfl-2026-10.csv"), "ADDRESS_REFUSED", "elsewhere.invalid"),
    ):
        with refused_with(code, match=named) as refusal:
            take(there)
        assert KEY not in str(refusal.value)
        assert "wr0ng" not in str(refusal.value)
