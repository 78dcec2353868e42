"""Fingertips: real files load exactly and come out of the marts; what the API gets wrong is handled or refused by name."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

from ingest.connectors import file_drop
from ingest.declaration import find_source
from tests.builds import build_and_publish
from warehouse import nightly
from warehouse.connection import ANALYST, LOADER, connect
from warehouse.settings import Settings

FINGERTIPS = find_source("fingertips")


def ask(warehouse: Settings, query: str, role: str = ANALYST) -> list[tuple[Any, ...]]:
    with connect(warehouse, role) as connection:
        return connection.execute(query.encode()).fetchall()


def land(warehouse: Settings, file: Path, dataset: str = "data") -> int:
    landed = file_drop.take(warehouse.landing, FINGERTIPS, dataset, file, warehouse.now())
    return nightly.load_one(warehouse, FINGERTIPS, dataset, landed).rows


def published(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        header, *rows = list(csv.reader(handle))
    return [dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=True)) for row in rows]


def test_real_files_load_exactly_and_come_out_of_the_marts(warehouse: Settings, samples: Path) -> None:
    files = [
        samples / "fingertips" / name
        for name in ("indicators-CountyUA.data.csv", "admissions_injuries_la_2324.data.csv")
    ]
    expected = []
    for file in files:
        rows = published(file)
        assert land(warehouse, file) == len(rows)
        expected += rows
    raw = ask(
        warehouse, "select count(*), sum(count::numeric) filter (where count <> '') from raw.fingertips__data", LOADER
    )
    assert raw == [(len(expected), sum(Decimal(row["Count"]) for row in expected if row["Count"]))]
    assert build_and_publish(warehouse)

    def number(text: str) -> Decimal | None:
        return Decimal(text) if text else None

    wanted = {
        (
            row["Indicator ID"],
            {"E12000007": "LONDON_33"}.get(row["Area Code"], row["Area Code"]),
            row["Sex"],
            row["Age"],
            row["Category Type"],
            row["Category"],
            row["Time period"],
            number(row["Value"]),
            number(row["Lower CI 95.0 limit"]),
            number(row["Upper CI 95.0 limit"]),
            number(row["Count"]),
            number(row["Denominator"]),
            row["Value note"] or None,
        )
        for row in expected
        if row["Area Code"].startswith("E09") or row["Area Code"] in {"E12000007", "E92000001"}
    }
    found = ask(
        warehouse,
        """select indicator_id, area_code, published_sex, published_age, category_type, category, time_period, value,
             lower_95_limit, upper_95_limit, count, denominator, value_note from marts.fct_indicator""",
    )
    assert len(found) == len(set(found)), "England stands twice in the file and once here"
    assert set(found) == wanted
