"""The rules by which a new period or month is doubted, on figures in memory."""

from __future__ import annotations

from collections import Counter

import pytest

from ingest.checks import few, many
from ingest.checks.shares import moved
from ingest.checks.steps import Cell, departures, exchanged

AREAS = [f"E090000{n:02d}" for n in range(1, 34)]


def series(
    last: float = 1.0, only: str = "", level: float = 100, periods: int = 4, counted: bool = True
) -> dict[str, dict[str, Cell]]:
    """Periods in which areas move up to a tenth; the last is so many times as much, in one area or in all."""
    return {
        f"202{period}": {
            area: Cell(value := level * (1 + n / 30) * (1 + (n * 7 + period * 5) % 9 / 80)
                       * (last if period == periods - 1 and only in {"", area} else 1), value if counted else None)
            for n, area in enumerate(AREAS)
        }
        for period in range(periods)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("figures", "areas"),
    [
        (series(), []),
        (series(2.9), []),
        (series(2.2, AREAS[11]), []),
        (series(4), [""]),
        (series(1 / 52, level=9_000), [""]),
        (series(10, AREAS[11]), [AREAS[11]]),
        (series(0, AREAS[11], level=400), [AREAS[11]]),
        (series(10, AREAS[11], level=2), []),
        (series(10, AREAS[11], level=2, counted=False), [AREAS[11]]),
        (series(10, AREAS[11], level=2, counted=False, periods=2), []),
    ],
    ids=["as before", "less than three times", "little more than twice", "four times", "a week's", "an area ten times", "an area none",
         "few", "a ratio", "a ratio without a past"],
)  # fmt: skip
def test_a_period_departs_where_a_unit_or_an_area_changed(
    figures: dict[str, dict[str, Cell]], areas: list[str]
) -> None:
    newest = max(figures)
    assert [one.area for one in departures(figures, newest)] == areas


def test_men_and_women_are_exchanged_only_where_they_always_differed() -> None:
    men, women = series(level=700), series(level=300)
    assert exchanged(men, women, "2023") == []
    turned = {**men, "2023": women["2023"]}, {**women, "2023": men["2023"]}
    assert [one.area for one in exchanged(*turned, "2023")] == [""]
    alike = series(level=700), series(level=690)
    assert exchanged({**alike[0], "2023": alike[1]["2023"]}, {**alike[1], "2023": alike[0]["2023"]}, "2023") == []


MONTH = Counter({"Hackney": 300, "Westminster": 700, **{f"Borough {n}": 200 + 7 * n for n in range(30)}})


@pytest.mark.parametrize(
    ("month", "said"),
    [
        (MONTH, []),
        (Counter({name: rows * 2 for name, rows in MONTH.items()}), []),
        (MONTH | {"Westminster": 350}, []),
        (MONTH | {"Hackney": 700, "Westminster": 300}, ["borough Hackney has the share of Westminster and Westminster that of Hackney"]),
        (MONTH | {"Hackney": 3000}, ["borough Hackney has 3,000 of"]),
    ],
    ids=["as before", "twice as many", "half in one", "two exchanged", "ten times in one"],
)  # fmt: skip
def test_a_month_is_doubted_where_boroughs_have_other_shares(month: Counter[str], said: list[str]) -> None:
    before = [Counter({name: rows + rows * n // 40 for name, rows in MONTH.items()}) for n in range(3)]
    found = list(moved("borough", month, before))
    assert [one[: len(text)] for one, text in zip(found, said, strict=True)] == said


def test_a_month_that_is_all_of_one_borough_is_doubted() -> None:
    found = list(moved("borough", Counter({"Camden": 500}), [Counter({"Camden": 100, "Barnet": 400})] * 2))
    assert found == [
        "borough Barnet has 0 of 500 rows, 0%, and had 80%", "borough Camden has 500 of 500 rows, 100%, and had 20%",
    ]  # fmt: skip


def test_half_of_a_large_month_of_london_is_not_whole_and_half_of_a_small_one_may_be() -> None:
    assert few("rows", 40_000, [80_000] * 3, is_of_london=True) is not None
    assert few("rows", 55_000, [80_000] * 3, is_of_london=True) is None
    assert few("rows", 40_000, [80_000] * 3) is None
    assert few("rows", 400, [800] * 3, is_of_london=True) is None
    assert many("rows", 4_100, [1_000] * 3) is not None
    assert many("rows", 4_100, [1_000] * 2) is None
