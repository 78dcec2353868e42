"""Files of Fingertips for tests: rows that differ from one line as told, and how they are landed and loaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.delivery import borough_names
from warehouse import steps
from warehouse.platform.settings import Settings

FINGERTIPS = find_source("fingertips")


def land(warehouse: Settings, file: Path, dataset: str = "data") -> int:
    """Land and load a file of Fingertips; how many rows it has."""
    landed = file_drop.take(warehouse.landing, FINGERTIPS, dataset, file, warehouse.now())
    return steps.load_one(warehouse, FINGERTIPS, dataset, landed).rows


HEADER = next(
    csv.reader(
        [
            "Indicator ID,Indicator Name,Parent Code,Parent Name,Area Code,Area Name,Area Type,Sex,Age,Category Type,Category,"
            "Time period,Value,Lower CI 95.0 limit,Upper CI 95.0 limit,Lower CI 99.8 limit,Upper CI 99.8 limit,Count,"
            "Denominator,Value note,Recent Trend,Compared to England value or percentiles,Compared to percentiles,"
            "Time period Sortable,New data,Compared to goal,Time period range"
        ]
    )
)
LINE = {
    "Indicator ID": "11202",
    "Indicator Name": "Violence",
    "Area Code": "E09000002",
    "Area Name": "Barking and Dagenham",
    "Area Type": "Counties & UAs (from Apr 2023)",
    "Sex": "Persons",
    "Age": "All ages",
    "Time period": "2022/23",
    "Value": "10.123456789012345",
    "Count": "100",
    "Denominator": "1000",
    "Time period Sortable": "20220000",
    "Time period range": "1y",
}


def body(*rows: Mapping[str, str], header: list[str] | None = None, fields: int = 27) -> bytes:
    """A file of rows that differ from LINE as told, CRLF, without a byte order mark."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header or HEADER)
    for row in rows:
        writer.writerow([{**LINE, **row}.get(name, "") for name in HEADER][:fields])
    return text.getvalue().encode()


def landed(warehouse: Settings, tmp_path: Path, content: bytes, name: str = "indicators.data.csv") -> int:
    """The same with these bytes."""
    file = tmp_path / name
    file.write_bytes(content)
    return land(warehouse, file)


def names_of_areas() -> dict[str, str]:
    """Names of the boroughs, the City, London and England, by code."""
    return {
        **borough_names(), "E09000001": "City of London", "E12000007": "London region", "E92000001": "England",
    }  # fmt: skip
