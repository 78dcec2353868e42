"""Invented NOMIS answers for tests, and how they are landed: records with their columns in the order that the datasets are asked for."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ingest.connectors import file_drop
from ingest.declaration import SEEDS, find_source
from warehouse import steps
from warehouse.platform.settings import Settings

NORMAL = {"OBS_STATUS": "A", "OBS_STATUS_NAME": "Normal Value", "OBS_CONF": "F"}
MISSING = {"OBS_STATUS": "Q", "OBS_STATUS_NAME": "These figures are missing.", "OBS_CONF": "F"}


def answer(records: Iterable[Mapping[str, object]], *, total: int | None = None, first: int = 0) -> bytes:
    """A page: text quoted, numbers bare, LF.

    Args:
        records: each with its columns; what NOMIS says of every record is added, what a record says itself stands.
        total: the RECORD_COUNT it claims (default: how many there are).
        first: the RECORD_OFFSET of its first record.
    """
    with (SEEDS / "boroughs.csv").open(encoding="utf-8", newline="") as file:
        names = {row["borough_code"]: row["borough_name"] for row in csv.DictReader(file)}
    names |= {"E09000001": "City of London", "E12000007": "London", "E92000001": "England"}
    rows = list(records)
    whole = [
        {
            "DATE_NAME": row["DATE"],
            "GEOGRAPHY_NAME": names.get(str(row["GEOGRAPHY_CODE"]), "A ward"),
            **NORMAL,
            **row,
            "RECORD_OFFSET": first + number,
            "RECORD_COUNT": len(rows) if total is None else total,
        }
        for number, row in enumerate(rows)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(whole[0]), lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    writer.writerows(whole)
    return text.getvalue().encode()


NOMIS = find_source("nomis")


def land(warehouse: Settings, dataset: str, file: Path) -> int:
    """Land and load a file of NOMIS; how many rows it has."""
    landed = file_drop.take(warehouse.landing, NOMIS, dataset, file, warehouse.now())
    return steps.load_one(warehouse, NOMIS, dataset, landed).rows


def jobs(values: dict[str, object], **of_each: object) -> list[dict[str, object]]:
    """Records of 2025 by area: the density of jobs, then as many jobs again."""
    year = {"DATE": "2025", "MEASURES": 20100, "MEASURES_NAME": "Value"}
    return [
        {**year, "ITEM": item, "ITEM_NAME": name, "GEOGRAPHY_CODE": area, "OBS_VALUE": value, **of_each}
        for item, name in ((3, "Jobs density"), (1, "Total jobs"))
        for area, value in values.items()
    ]


def zipped(folder: Path, *pages: bytes, compression: int = zipfile.ZIP_STORED) -> Path:
    """Pages as the connector keeps them: in an archive, as they came."""
    file = folder / "pages.zip"
    with zipfile.ZipFile(file, "w", compression) as archive:
        for number, page in enumerate(pages):
            archive.writestr(f"page-{number}.csv", page)
    return file


def written(folder: Path, body: bytes, name: str = "answer.csv") -> Path:
    """A file of these bytes."""
    file = folder / name
    file.write_bytes(body)
    return file


AREAS = {f"E090000{n:02d}": n / 10 for n in range(1, 34)} | {"E12000007": 3.4, "E92000001": 3.5}
