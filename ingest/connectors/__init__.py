"""The ways in which data arrive, by the `kind` of a dataset's declared location."""

from __future__ import annotations

from typing import cast

from ingest.connectors import inbox, london_datastore
from ingest.connectors.look import Connector
from ingest.declaration import Dataset

_CONNECTORS = {
    "inbox": inbox,
    "london_datastore": london_datastore,
}


def connector(dataset: Dataset) -> Connector:
    """The connector of a dataset."""
    return cast(Connector, _CONNECTORS[dataset.location.kind])
