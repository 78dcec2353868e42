"""Real copies of the Indices of Deprivation, and what they say, read without the code under test."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import python_calamine

# The sheets of the GLA's workbook that File 7 has side by side.
SHEETS = ("IMD 2019", "IDACI and IDAOPI", "Sub domains", "Population figures")


def file_7_of_2019(samples: Path) -> bytes:
    """File 7 of 2019 for London, with the publisher's own headers, put together from the sheets of the GLA's copy."""
    book = python_calamine.CalamineWorkbook.from_path(str(samples / "deprivation" / "id_2019_london.xlsx"))
    sheets = [book.get_sheet_by_name(name).to_python() for name in SHEETS]
    text = io.StringIO()
    writer = csv.writer(text)
    for parts in zip(*sheets, strict=True):
        assert len({part[0] for part in parts}) == 1
        row = [*parts[0], *(cell for part in parts[1:] for cell in part[4:])]
        writer.writerow(
            [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in _full(row, sheets)]
        )
    return text.getvalue().encode()


def _full(row: list[object], sheets: list[list[list[object]]]) -> list[object]:
    """The cells under a header: the workbook has empty columns beside its tables."""
    header = [*sheets[0][0], *(cell for sheet in sheets[1:] for cell in sheet[0][4:])]
    return [cell for cell, name in zip(row, header, strict=True) if name != ""]


def fifths_of_london(samples: Path) -> dict[str, int]:
    """Which fifth of London's LSOAs of 2021 each is in by the index of 2025, 1 the most deprived."""
    with (samples / "deprivation" / "imd2025_england_lsoa21_london.csv").open(encoding="utf-8", newline="") as file:
        ranked = sorted(csv.DictReader(file), key=lambda row: (float(row["IMD_rank"]), row["lsoa21_code"]))
    # Fifths of 4,994 are 999 four times, then 998.
    return {row["lsoa21_code"]: min(number // 999, 4) + 1 for number, row in enumerate(ranked)}
