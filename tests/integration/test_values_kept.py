"""A delivery with other figures than stand is refused, and a revision of them is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.nomis_files import AREAS, answer, jobs, land, written
from tests.refused import refused_with
from warehouse.platform.settings import Settings

YEARS = range(2000, 2024)
CAMDEN = "E09000007"


def density(change: Callable[[str, int], int] = lambda area, count: count) -> bytes:
    """Jobs of every area in 24 years, as many as a change makes of them."""
    return answer(
        record
        for year in YEARS
        for record in jobs(
            {area: change(area, 1000 + 40 * number + year % 7) for number, area in enumerate(AREAS)},
            DATE=str(year),
        )
    )


def test_a_revision_of_every_figure_is_taken(warehouse: Settings, tmp_path: Path) -> None:
    rows = len(YEARS) * 2 * len(AREAS)
    assert land(warehouse, "jobs_density", written(tmp_path, density(), "one.csv")) == rows
    revised = density(lambda area, count: count * 11 // 10)
    assert land(warehouse, "jobs_density", written(tmp_path, revised, "two.csv")) == rows


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda area, count: count * 10, "figures of Barking and Dagenham"),
        (lambda area, count: 0, "figures of Barking and Dagenham"),
        (lambda area, count: count * 89 // 100, "figures that both have differ by more than a tenth"),
        (lambda area, count: count * 10 if area == CAMDEN else count, "the 48 figures of Camden that both"),
    ],
    ids=["ten times", "nothing", "eleven percent less", "one borough ten times"],
)
def test_other_figures_are_refused_and_name_their_area(
    warehouse: Settings, tmp_path: Path, change: Callable[[str, int], int], what: str
) -> None:
    land(warehouse, "jobs_density", written(tmp_path, density(), "one.csv"))
    with refused_with("NOT_A_REVISION", match=what):
        land(warehouse, "jobs_density", written(tmp_path, density(change), "two.csv"))
