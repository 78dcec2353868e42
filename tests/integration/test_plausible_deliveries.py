"""A delivery that reads well and cannot be right: counts of nothing, and editions that no revision explains."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.load import Loaded
from ingest.readers.headers import months_between
from tests.mps_files import borough_file, boroughs, categories
from tests.police_uk_files import HEADER, crime
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.settings import Settings

MONTHS = months_between("202401", "202403")
Land = Callable[..., Loaded]
Counts = dict[tuple[str, str, str], object]


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    def now(body: bytes, name: str = "file.csv", source: str = "mps", dataset: str = "borough_recent") -> Loaded:
        file = tmp_path / name
        file.write_bytes(body)
        declared = find_source(source)
        landed = file_drop.take(warehouse.landing, declared, dataset, file, warehouse.now())
        return steps.load_one(warehouse, declared, dataset, landed)

    return now


def large() -> Counts:
    """Counts of 30 and more, as offences of the larger categories are."""
    draw = random.Random(1)  # noqa: S311 - the same each time
    return {
        (minor, borough, month): draw.randint(40, 400)
        for _, minor in categories("connect_2025")
        for borough in boroughs()
        for month in MONTHS
    }


def edition(counts: Counts) -> bytes:
    return borough_file(MONTHS[0], MONTHS[-1], cells=counts)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (lambda minor, borough, month: borough == "Barnet" and month == "202402", "Barnet in 202402"),
        (lambda minor, borough, month: minor == "ARSON", "0 .*arson "),
        (
            lambda minor, borough, month: minor == "VIOLENCE WITH INJURY" and month == "202403",
            "0 .*VIOLENCE WITH INJURY .*202403",
        ),
    ],
    ids=["a borough's month", "a category", "a month of violence with injury"],
)
def test_a_file_that_counts_nothing_where_there_always_is_something_is_refused(
    land: Land, wanted: Callable[[str, str, str], bool], reason: str
) -> None:
    with refused_with("NOTHING_COUNTED", match=reason):
        land(edition({cell: 0 if wanted(*cell) else found for cell, found in (large() | unknown()).items()}))


def unknown() -> Counts:
    return {(minor, "Unknown", month): 0 for _, minor in categories("connect_2025") for month in MONTHS}


def swapped(counts: Counts) -> Counts:
    other = {"Camden": "Croydon", "Croydon": "Camden"}
    return {(minor, other.get(borough, borough), month): found for (minor, borough, month), found in counts.items()}


def shifted(counts: Counts) -> Counts:
    later = dict(zip(MONTHS, [*MONTHS[1:], MONTHS[0]], strict=True))
    return {(minor, borough, later[month]): found for (minor, borough, month), found in counts.items()}


def times(counts: Counts, factor: int, of: str) -> Counts:
    return {cell: int(str(found)) * factor if of in (*cell, "") else found for cell, found in counts.items()}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (swapped, "30 and more .*half"),
        (shifted, "30 and more .*half"),
        (lambda counts: times(counts, 10, "Barnet"), "30 and more .*half"),
        (lambda counts: times(counts, 10, ""), "2024-01 has .* and had"),
        (lambda counts: times(counts, 2, "202403"), "2024-03 has .* and had"),
    ],
    ids=["boroughs swapped", "months shifted", "a borough times ten", "times ten", "a month doubled"],
)
def test_an_edition_that_no_revision_explains_is_refused(
    land: Land, spoil: Callable[[Counts], Counts], reason: str
) -> None:
    first = land(edition(large()))
    with refused_with("NOT_A_REVISION", match=f"load {first.load_id}.*{reason}"):
        land(edition(spoil(large())), "next.csv")


def test_an_edition_whose_months_are_others_is_refused_and_one_month_put_right_is_not(land: Land) -> None:
    land(edition(large()))
    draw = random.Random(2)  # noqa: S311 - the same each time

    def moved(months: Sequence[str]) -> bytes:
        return edition(
            {
                cell: int(str(n)) * draw.randint(80, 120) // 100 if cell[2] in months else n
                for cell, n in large().items()
            }
        )

    with refused_with("NOT_A_REVISION", match="2 months"):
        land(moved(MONTHS[:2]), "next.csv")
    assert land(moved(MONTHS[:1]), "next.csv").is_new


def test_an_edition_that_revises_some_counts_loads(land: Land) -> None:
    land(edition(large()))
    counts = large()
    for cell in list(counts)[:20]:
        counts[cell] = int(str(counts[cell])) * 3
    assert land(edition({cell: int(str(found)) + 9 for cell, found in counts.items()}), "next.csv").is_new


def test_the_same_bytes_under_another_name_say_what_they_were_loaded_as(land: Land) -> None:
    land(edition(large()), "one.csv")
    assert "already loaded as file one.csv (load " in str(land(edition(large()), "other.csv"))


def test_a_month_of_burglaries_before_the_kinds_of_today_is_refused(land: Land) -> None:
    body = (HEADER + crime(month="2011-06", crime_id="", kind="Burglary")).encode()
    with refused_with("CATEGORIES_MISSING", match="Anti-social behaviour .*Robbery .*Vehicle crime .*Violent"):
        land(body, "2011-06-metropolitan-street.csv", "police_uk", "street")
