"""Files of events of SafeStats for tests, and how they are landed and loaded."""

from __future__ import annotations

from pathlib import Path

from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.load import Loaded
from warehouse import steps
from warehouse.platform.settings import Settings

SAFESTATS = find_source("safestats")
EVENTS = [name for name, dataset in SAFESTATS.datasets.items() if dataset.part_pattern]
AMBULANCE = "Incident ID,Dispatch Date,Dispatch Time,Illness Code,Age,Gender,Borough,Crew Notes\n"
ISTV = "Site Code,Assault Date,Assault Time,Assault Method,Assault Location Type,Borough\n"


def land(warehouse: Settings, folder: Path, dataset: str, text: str, name: str = "feed-2026-10.csv") -> Loaded:
    """Land and load text as a file of SafeStats."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    landed = file_drop.take(warehouse.landing, SAFESTATS, dataset, file, warehouse.now())
    return steps.load_one(warehouse, SAFESTATS, dataset, landed)


def ambulance(*special: str, ordinary: int = 40) -> str:
    """A feed of ordinary assaults in Camden, and these lines among them."""
    return (
        AMBULANCE
        + "".join(f"{n},12/10/2026,21:15,Assault,20,M,Camden,a name\n" for n in range(ordinary))
        + "".join(f"{line}\n" for line in special)
    )
