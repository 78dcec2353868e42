"""Where each borough stands: in a grid of squares of our own, and by its outline on a map.

The grid keeps neighbours beside one another where it can: the Thames runs between its fourth and its fifth row. The outlines are the project's
seed borough_outlines (ONS, May 2024, ultra generalised, about 500 m at worst), which its licence lets anyone pass on with ATTRIBUTION.
"""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass
from pathlib import Path

CITY = "E09000001"
ATTRIBUTION = (
    "Source: Office for National Statistics licensed under the Open Government Licence v.3.0. "
    "Contains OS data © Crown copyright and database right 2024."
)
SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
_GRID = """
E09000010 4 0 Enf
E09000015 2 1 Hrw
E09000003 3 1 Brn
E09000014 4 1 Hgy
E09000031 5 1 WFo
E09000017 0 2 Hil
E09000009 1 2 Eal
E09000005 2 2 Brt
E09000007 3 2 Cam
E09000019 4 2 Isl
E09000012 5 2 Hck
E09000026 6 2 Rdb
E09000016 7 2 Hav
E09000018 0 3 Hns
E09000013 1 3 H&F
E09000020 2 3 K&C
E09000033 3 3 Wst
E09000001 4 3 City
E09000030 5 3 TwH
E09000025 6 3 Nwm
E09000002 7 3 B&D
E09000027 1 4 Rch
E09000032 2 4 Wns
E09000022 3 4 Lam
E09000028 4 4 Swk
E09000023 5 4 Lew
E09000011 6 4 Grn
E09000004 7 4 Bex
E09000021 1 5 Kng
E09000024 2 5 Mer
E09000029 3 5 Stn
E09000008 4 5 Crd
E09000006 5 5 Brm
"""


@dataclass(frozen=True)
class Tile:
    """A borough's square.

    Attributes:
        column, row: from the left and from the top, from 0.
        short: its name in four letters or fewer.
    """

    code: str
    column: int
    row: int
    short: str


def _tile(line: str) -> Tile:
    code, column, row, short = line.split()
    return Tile(code, int(column), int(row), short)


TILES = tuple(_tile(line) for line in _GRID.strip().splitlines())
COLUMNS, ROWS = max(tile.column for tile in TILES) + 1, max(tile.row for tile in TILES) + 1


@functools.cache
def outlines() -> dict[str, tuple[tuple[tuple[float, float], ...], ...]]:
    """The parts of each borough and the City, as corners (longitude, latitude in degrees, WGS 84). Source: ONS, by the seed."""
    parts: dict[str, list[tuple[tuple[float, float], ...]]] = {}
    with (SEEDS / "borough_outlines.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            corners = re.findall(r"\((-?[\d.]+),(-?[\d.]+)\)", row["outline"])
            parts.setdefault(row["area_code"], []).append(tuple((float(x), float(y)) for x, y in corners))
    return {code: tuple(held) for code, held in parts.items()}


@functools.cache
def names() -> dict[str, str]:
    """The name of each of the 32, by its code. Source: ONS, by the seed."""
    with (SEEDS / "boroughs.csv").open(encoding="utf-8", newline="") as file:
        return {row["borough_code"]: row["borough_name"] for row in csv.DictReader(file)}
