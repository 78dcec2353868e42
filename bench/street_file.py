"""A file in the police.uk street form, generated: the same for the same number of rows."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from ingest.delivery import borough_names, seed

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context\n"
)
TYPES = (
    "Anti-social behaviour", "Bicycle theft", "Burglary", "Criminal damage and arson", "Drugs", "Other theft", "Public order",
    "Robbery", "Shoplifting", "Theft from the person", "Vehicle crime", "Violence and sexual offences",
)  # fmt: skip
OUTCOMES = ("Under investigation", "Investigation complete; no suspect identified", "Unable to prosecute suspect")
PLACES = (
    "On or near High Road",
    '"On or near High Road, Ickenham"',
    "On or near Supermarket",
    "On or near Station Approach",
)


def write(file: Path, rows: int, number: int = 1, month: str | None = None) -> None:
    """Write a file of so many rows (about 240 bytes each), of one month (YYYY-MM) or of six, unless it is there."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    lsoas = _lsoas()
    draw = random.Random(number)  # noqa: S311 - invented data
    with file.with_suffix(".part").open("w", encoding="utf-8", newline="") as handle:
        handle.write(HEADER)
        for row in range(rows):
            kind = draw.choice(TYPES)
            is_asb = kind == "Anti-social behaviour"
            identity = "" if is_asb else hashlib.sha256(f"{number}/{row}".encode()).hexdigest()
            code, name = draw.choice(lsoas)
            handle.write(
                f"{identity},{month or f'2026-{row * 6 // rows + 1:02d}'},Metropolitan Police Service,Metropolitan Police Service,"
                f"{draw.uniform(-0.5, 0.3):.6f},{draw.uniform(51.3, 51.7):.6f},{draw.choice(PLACES)},"
                f"{code},{name},{kind},"
                f"{'' if is_asb else draw.choice(OUTCOMES)},\n"
            )
    file.with_suffix(".part").rename(file)


def _lsoas() -> list[tuple[str, str]]:
    """Code and name of each LSOA of the Census 2021 in the 32 boroughs. A name is the borough's, a number of three digits, a letter."""
    names, found = borough_names(), []
    places = dict.fromkeys(names, 0)
    for row in seed("lsoa_borough"):
        if row["is_lsoa_2021"] == "true" and row["area_code"] in names:
            place = places[row["area_code"]]
            places[row["area_code"]] += 1
            found.append((row["lsoa_code"], f"{names[row['area_code']]} {place // 6 + 1:03d}{'ABCDEF'[place % 6]}"))
    return found
