"""Files of an invented source with a row per row of raw, for tests."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest.connectors import file_drop
from ingest.declaration import Source
from ingest.load import Loaded
from ingest.raw import create_table
from tests.publishers_served import PARKS
from warehouse import steps
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings

Land = Callable[..., Loaded]
HEADER = "Borough,Month,Park type,Incidents\n"


def rows_of(month: str, count: int, borough: str = "Barnet", each: int = 1) -> str:
    """So many rows of a month, of as many kinds of park."""
    return "".join(f"{borough},{month}-01,Park {chr(97 + n // 26)}{chr(97 + n % 26)},{each}\n" for n in range(count))


def declared(**changes: Any) -> Source:
    """The parks, with some of the declaration of `incidents` (and its layout) changed."""
    source = copy.deepcopy(PARKS.model_dump())
    dataset = source["datasets"]["incidents"]
    dataset["layout"].update(changes.pop("layout", {}))
    dataset.update(changes)
    return Source.model_validate(source)


def landing_in(warehouse: Settings, folder: Path) -> Land:
    """Lands and loads text as a file of the parks."""
    made: set[str] = set()

    def now(
        text: str | bytes, source: Source = PARKS, name: str = "a.csv", dataset: str = "incidents", **how: Any
    ) -> Loaded:
        if dataset not in made:
            made.add(dataset)
            with connect(warehouse, ADMIN) as connection:
                create_table(connection, source, dataset, source.dataset(dataset))
                connection.execute(f"grant select, insert, delete on raw.parks__{dataset} to vru_loader".encode())
                connection.execute(b"grant usage, select, update on all sequences in schema raw to vru_loader")
        file = folder / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        landed = file_drop.take(warehouse.landing, source, dataset, file, warehouse.now(), **how)
        return steps.load_one(warehouse, source, dataset, landed)

    return now
