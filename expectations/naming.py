"""What the rows that break a check are about, in words: areas, months, measures and numbers, and nothing else of a row."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

# Columns whose text may be repeated; the text of any other column may be personal.
PLACES = (
    "area_code",
    "month",
    "month_header",
    "source",
    "dataset",
    "load_id",
    "row_number",
    "table_name",
    "column_name",
)
MEASURE = "measure_code"
Row = Mapping[str, Any]


def entries(rows: Iterable[Row], names: Mapping[str, str]) -> tuple[str, ...]:
    """One entry an area and month with its measures, in the order in which they come.

    Args:
        rows: what a check found.
        names: names of areas by code; of an area without one the code stands.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        place = " ".join(_word(column, row[column], names) for column in PLACES if row.get(column) is not None)
        groups.setdefault(place, []).append(row)
    return tuple(_entry(place, group) for place, group in groups.items())


def listed(words: Sequence[str], limit: int) -> str:
    """The first words, and how many more there are."""
    shown = ", ".join(words[:limit])
    return f"{shown} and {len(words) - limit} more" if len(words) > limit else shown


def _entry(place: str, rows: list[Row]) -> str:
    measures = list(dict.fromkeys(row[MEASURE] for row in rows if row.get(MEASURE)))
    words = [place] if place else []
    if measures:
        words.append(listed(measures, 3))
    if len(rows) == 1:
        figures = [
            f"{column.replace('_', ' ')} {_figure(value)}"
            for column, value in rows[0].items()
            if column not in (*PLACES, MEASURE)
            and (value is None or (isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)))
        ]
        if figures:
            words.append(f"({', '.join(figures)})" if words else ", ".join(figures))
    return " ".join(words)


def _word(column: str, value: object, names: Mapping[str, str]) -> str:
    if column == "area_code":
        return names.get(str(value), str(value))
    if column == "month" and isinstance(value, dt.date):
        return f"{value:%Y-%m}"
    return (
        f"{column.removesuffix('_id').replace('_', ' ')} {value}" if column in {"load_id", "row_number"} else str(value)
    )


def _figure(value: float | Decimal | None) -> str:
    if value is None:
        return "missing"
    if math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value.normalize()) if isinstance(value, Decimal) and value.is_finite() else str(value)
