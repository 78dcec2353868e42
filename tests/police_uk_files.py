"""Files of police.uk for tests: a month of crimes row by row, and how bytes are landed and loaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.load import Loaded
from ingest.sources.police_uk.checks import ALWAYS
from warehouse import steps
from warehouse.platform.settings import Settings

POLICE = find_source("police_uk")
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context\n"
)
MET, CITY, BTP = "Metropolitan Police Service", "City of London Police", "British Transport Police"
Land = Callable[..., Loaded]


def crime(
    force: str = MET,
    *,
    month: str = "2024-01",
    crime_id: str = "a" * 64,
    lsoa: tuple[str, str] = ("E01000938", "Camden 024B"),
    kind: str = "Robbery",
    outcome: str = "Under investigation",
    location: str = "On or near High Road",
) -> str:
    """A row of a file of crimes."""
    place = ["-0.120961", "51.530607"] if lsoa[0] else ["", ""]
    row = [crime_id, month, force, force, *place, location, *lsoa, kind, outcome, ""]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()


def street(*rows: str) -> bytes:
    """A month of a force: these rows, and a crime of each kind that a whole month is never without."""
    first = next(csv.reader(rows))
    force = {MET: "metropolitan", CITY: "city-of-london", BTP: "btp"}[first[2]]
    whole = [
        crime(first[2], month=first[1], crime_id="b" * 64, kind=kind)
        for kind in ALWAYS[force]
        if kind not in {row[9] for row in csv.reader(rows)}
    ]
    return (HEADER + "".join([*rows, *whole])).encode()


def landing_in(settings: Settings, folder: Path) -> Land:
    """Lands and loads bytes, or a file, as a file of police.uk."""

    def now(dataset: str, body: bytes | Path, name: str = "2024-01-metropolitan-street.csv", **how: object) -> Loaded:
        file = body if isinstance(body, Path) else folder / name
        if isinstance(body, bytes):
            file.write_bytes(body)
        landed = file_drop.take(settings.landing, POLICE, dataset, file, settings.now(), **how)  # type: ignore[arg-type]
        return steps.load_one(settings, POLICE, dataset, landed)

    return now
