"""Invented NOMIS answers for tests: records with their columns in the order that the datasets are asked for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from ingest.declaration import SEEDS

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
