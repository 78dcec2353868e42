"""Looks at a stand-in publisher as a night takes them, without a warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from ingest.connectors import connector
from ingest.connectors.look import Fetched, Look, Offer, Seen
from ingest.declaration import Source
from ingest.http import Client
from sandbox.server import Publisher

NOW = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)


def look_at(
    client: Client,
    publisher: Publisher,
    source: Source,
    dataset: str,
    landing: Path,
    seen: Iterable[Fetched] = (),
    key: str | None = None,
) -> Look:
    """A look that remembers what was fetched before."""
    return Look(
        client=client,
        source=source,
        name=dataset,
        base_url=publisher.base_url,
        landing=landing,
        inbox=landing,
        now=NOW,
        seen=tuple(Seen(f.offer.url, f.etag, f.last_modified, f.sha256) for f in seen),
        must_be_synthetic=True,
        key=key,
    )


def offers(look: Look) -> list[Offer]:
    """What the publisher offers."""
    return connector(look.dataset).list_releases(look)


def fetch(look: Look, offer: Offer) -> Fetched:
    """One offer, fetched."""
    return connector(look.dataset).fetch(look, offer)
