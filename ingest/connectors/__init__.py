"""The ways in which data arrive, by the `kind` of a dataset's declared location."""

from __future__ import annotations

from typing import cast

from ingest.connectors import fingertips, london_datastore, nomis
from ingest.connectors.look import Connector
from ingest.declaration import Dataset

_CONNECTORS = {
    "london_datastore": london_datastore,
    "fingertips": fingertips,
    "nomis": nomis,
}


def connector(dataset: Dataset) -> Connector:
    """The connector of a dataset."""
    return cast(Connector, _CONNECTORS[dataset.location.kind])
