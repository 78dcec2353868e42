"""The ways in which data arrive, by the `kind` of a dataset's declared location."""

from __future__ import annotations

from typing import cast

from ingest.connectors import london_datastore, police_uk_archive
from ingest.connectors.look import Connector
from ingest.declaration import Dataset

_CONNECTORS = {
    "london_datastore": london_datastore,
    "police_uk_archive": police_uk_archive,
}


def connector(dataset: Dataset) -> Connector:
    """The connector of a dataset."""
    return cast(Connector, _CONNECTORS[dataset.location.kind])
