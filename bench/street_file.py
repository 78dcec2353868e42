"""A file in the police.uk street form, generated: the same for the same number of rows."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

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
BOROUGHS = (
    "Barking and Dagenham", "Barnet", "Bexley", "Brent", "Bromley", "Camden", "Croydon", "Ealing", "Enfield", "Greenwich", "Hackney",
    "Hammersmith and Fulham", "Haringey", "Harrow", "Havering", "Hillingdon", "Hounslow", "Islington", "Kensington and Chelsea",
    "Kingston upon Thames", "Lambeth", "Lewisham", "Merton", "Newham", "Redbridge", "Richmond upon Thames", "Southwark", "Sutton",
    "Tower Hamlets", "Waltham Forest", "Wandsworth", "Westminster",
)  # fmt: skip
LSOAS = 4994  # as many as London has


def write(file: Path, rows: int, seed: int = 1, month: str | None = None) -> None:
    """Write a file of so many rows (about 240 bytes each), of one month (YYYY-MM) or of six, unless it is there."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)  # noqa: S311 - invented data
    with file.with_suffix(".part").open("w", encoding="utf-8", newline="") as handle:
        handle.write(HEADER)
        for number in range(rows):
            kind = draw.choice(TYPES)
            is_asb = kind == "Anti-social behaviour"
            identity = "" if is_asb else hashlib.sha256(f"{seed}/{number}".encode()).hexdigest()
            lsoa = draw.randrange(LSOAS)
            handle.write(
                f"{identity},{month or f'2026-{number * 6 // rows + 1:02d}'},Metropolitan Police Service,Metropolitan Police Service,"
                f"{draw.uniform(-0.5, 0.3):.6f},{draw.uniform(51.3, 51.7):.6f},{draw.choice(PLACES)},"
                f"E0100{lsoa:04d},{_name(lsoa)},{kind},"
                f"{'' if is_asb else draw.choice(OUTCOMES)},\n"
            )
    file.with_suffix(".part").rename(file)


def _name(lsoa: int) -> str:
    """An LSOA has one name: its borough's, a number of three digits, a letter."""
    borough, place = divmod(lsoa, -(-LSOAS // len(BOROUGHS)))
    return f"{BOROUGHS[borough]} {place // 6 + 1:03d}{'ABCDEF'[place % 6]}"
