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


def file_7_header_of_2025() -> list[str]:
    """The 56 headers of File 7 of 2025, as public projects that read it have them; one of them is cut."""
    rank, decile = "Rank (where 1 is most deprived)", "Decile (where 1 is most deprived 10% of LSOAs)"
    rates = "Income", "Employment"
    domains = [
        "Index of Multiple Deprivation (IMD)", *rates, "Education, Skills and Training", "Health Deprivation and Disability", "Crime",
        "Barriers to Housing and Services", "Living Environment",
    ]  # fmt: skip
    indices = [
        "Income Deprivation Affecting Children Index (IDACI)", "Income Deprivation Affecting Older People (IDAOPI)",
    ]  # fmt: skip
    parts = [
        "Children and Young People",
        "Adult Skills",
        "Geographical Barriers",
        "Wider Barriers",
        "Indoors",
        "Outdoors",
    ]
    of_places = (
        "LSOA code (2021)",
        "LSOA name (2021)",
        "Local Authority District code (2024)",
        "Local Authority District name (2024)",
    )
    header = [*of_places]
    for name in [*domains, *indices, *(f"{part} Sub-domain" for part in parts)]:
        score = "Score (rate)" if name in (*rates, *indices) else "Score"
        header += [f"{name} {score}", f"{name} {rank}", f"{name} {decile}"]
    cut = f"Children and Young People Sub-domain {decile}"
    header[header.index(cut)] = cut[:80]
    return [
        *header, "Total population: mid 2022", "Dependent Children aged 0-15: mid 2022",
        "Older population aged 60 and over: mid 2022",
        "Working age population 18-66 (for use with Employment Deprivation Domain): mid 2022",
    ]  # fmt: skip


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
