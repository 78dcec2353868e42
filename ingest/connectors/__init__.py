"""The ways in which data arrive, by the `kind` of a dataset's declared location."""

from __future__ import annotations

from typing import cast

from ingest.connectors import file_at_url, fingertips, inbox, london_datastore, nomis, police_uk_archive
from ingest.connectors.look import Connector, Finding, Look
from ingest.declaration import Dataset
from ingest.errors import BodyRefused, PublisherUnavailable

_CONNECTORS = {
    "inbox": inbox,
    "file_at_url": file_at_url,
    "london_datastore": london_datastore,
    "fingertips": fingertips,
    "nomis": nomis,
    "police_uk_archive": police_uk_archive,
}


def connector(dataset: Dataset) -> Connector:
    """The connector of a dataset."""
    return cast(Connector, _CONNECTORS[dataset.location.kind])


def check(look: Look) -> list[Finding]:
    """What differs between a publisher and what is declared of a dataset; a connector that cannot say is asked for its list."""
    way = connector(look.dataset)
    if hasattr(way, "check"):
        return way.check(look)
    try:
        way.list_releases(look)
    except (BodyRefused, PublisherUnavailable) as refused:
        return [Finding(look.name, refused.problem)]
    return []
