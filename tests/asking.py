"""Looks at a stand-in publisher as a night takes them, without a warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from ingest.connectors import connector_of
from ingest.connectors.fetch_context import FetchContext, Fetched, LastFetch, Offer
from ingest.declaration import Source
from ingest.http import Client
from sandbox.server import Publisher

NOW = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)


def context_at(
    client: Client,
    publisher: Publisher,
    source: Source,
    dataset: str,
    landing: Path,
    seen: Iterable[Fetched] = (),
    key: str | None = None,
) -> FetchContext:
    """A look that remembers what was fetched before."""
    return FetchContext(
        client=client,
        source=source,
        name=dataset,
        base_url=publisher.base_url,
        landing=landing,
        inbox=landing,
        now=NOW,
        last_fetches=tuple(LastFetch(f.offer.url, f.etag, f.last_modified, f.sha256) for f in seen),
        must_be_synthetic=True,
        key=key,
    )


def offers(context: FetchContext) -> list[Offer]:
    """What the publisher offers."""
    return connector_of(context.source, context.dataset).list_editions(context)


def fetch(context: FetchContext, offer: Offer) -> Fetched:
    """One offer, fetched."""
    return connector_of(context.source, context.dataset).fetch(context, offer)
