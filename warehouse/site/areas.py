"""Which areas have a pack, and what a person meant who names one that has not."""

from __future__ import annotations

import difflib
import re

import psycopg

from ingest.errors import Refusal
from warehouse.platform.connection import ANALYST, OPEN
from warehouse.site.model import LONDON, Area

EDITIONS = {"open": OPEN, "partner": ANALYST}
NEAREST = 3


def slug(name: str) -> str:
    """The name as a folder's: lower case, hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def boroughs(connection: psycopg.Connection, edition: str) -> list[Area]:
    """The 32 boroughs by name, as the edition's role can read them."""
    if edition == "open":
        rows = connection.execute(
            r"select distinct area_code, area_name from marts_open.measure where area_code ~ '^E09' and area_code <> 'E09000001' "
            "and measure_code = 'mps_homicide' order by area_name"
        )
    else:
        rows = connection.execute("select borough_code, borough_name from marts.dim_borough order by borough_name")
    return [Area(code, name, slug(name)) for code, name in rows]


def find_area(asked: str, known: list[Area]) -> Area:
    """The area that is asked for, by code, name or folder.

    Raises:
        Refusal: there is none; the nearest names are given.
    """
    there = [*known, LONDON]
    for area in there:
        if asked.strip().lower() in (area.code.lower(), area.name.lower(), area.slug):
            return area
    names = {area.name.lower(): area.name for area in there}
    close = difflib.get_close_matches(asked.strip().lower(), names, n=NEAREST, cutoff=0.5)
    close += [low for low in names if asked.strip().lower() in low and low not in close][: NEAREST - len(close)]
    nearest = ", ".join(names[low] for low in close)
    raise Refusal(
        "AREA_UNKNOWN",
        f"there is no pack of {asked!r}",
        kept="no file was written",
        next_step=f"choose of the nearest: {nearest}"
        if nearest
        else f"packs are of London and of {', '.join(area.name for area in known)}",
    )
