"""How the figures of a period follow those of the period before: the rule alone, on figures in memory.

A step is the logarithm of what an area has against what it had. What moves all areas alike is the median step; what one area does by
itself is its step less the median. Both are held against the steps of the same series in its earlier periods.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence

# Of fewer areas no median says anything.
ENOUGH_AREAS = 10
# A unit that changes multiplies by ten, a hundred or fifty-two; no period of a series that people publish has three times the one before in every area.
ALL_BY = math.log(3)
# One area against the others, and how many times what the series has done before.
ONE_BY, TIMES_ITS_OWN, TIMES_THE_USUAL, USUAL = math.log(2.5), 1.5, 2, 0.95
# Counts that chance does not move so far: both so large, or one of them very large.
LEAST, LARGE = 30, 300
# What has no count is judged by its own past alone, of so many steps at least; no more than so many are looked at.
STEPS_TO_JUDGE_BY, STEPS_LOOKED_AT = 2, 12
# Two members of a split are told apart where their medians, or one area's counts, have differed by so much in every period before.
APART, APART_IN_AN_AREA, LARGE_IN_AN_AREA = math.log(1.15), math.log(1.5), 100
# So many periods before say that they always have, and more where one area alone is looked at.
ALWAYS, ALWAYS_IN_AN_AREA = 2, 4


@dataclasses.dataclass(frozen=True)
class Cell:
    """A figure, and how many it is of where that is known."""

    value: float
    size: float | None


Period = Mapping[str, Cell]  # cells by area
Series = Mapping[str, Period]  # periods, by what sorts them


@dataclasses.dataclass(frozen=True)
class Departure:
    """Where a period departs from the one before: in an area, or in all (empty)."""

    area: str
    period: str
    before: str
    times: float
    areas: int


def departures(series: Series, period: str) -> list[Departure]:
    """Where the figures of a period are unlike those of the newest one before it.

    Args:
        series: the figures of one thing (a measure, sex, age …), the period among them.

    Returns:
        One for all areas where most of them have changed alike, else one an area.
    """
    order = sorted(one for one in series if one <= period)[-STEPS_LOOKED_AT - 2 :]
    if len(order) < 2 or order[-1] != period:
        return []
    *earlier, now = [_step(series[before], series[after]) for before, after in itertools.pairwise(order)]
    if len(now) < ENOUGH_AREAS:
        return []
    middle = statistics.median(step for step, _ in now.values())
    past = [(step, statistics.median(one for one, _ in step.values())) for step in earlier if len(step) >= ENOUGH_AREAS]
    if abs(middle) > max([ALL_BY, *(TIMES_ITS_OWN * abs(median) for _, median in past)]):
        return [Departure("", period, order[-2], math.exp(middle), len(now))]
    own: dict[str, float] = {}
    for step, median in past:
        for area, (one, _) in step.items():
            own[area] = max(own.get(area, 0), abs(one - median))
    usual = _quantile(sorted(abs(one - median) for step, median in past for one, _ in step.values()))
    return [
        Departure(area, period, order[-2], math.exp(step), len(now))
        for area, (step, is_counted) in now.items()
        if (is_counted or len(past) >= STEPS_TO_JUDGE_BY)
        and abs(step - middle) > max(ONE_BY, TIMES_ITS_OWN * own.get(area, 0), TIMES_THE_USUAL * usual)
    ]


def exchanged(one: Series, other: Series, period: str) -> list[Departure]:
    """Where two members of a split (men and women) have changed places in a period: their shares are the other's in every period before.

    Returns:
        One for all areas, else one an area of large counts.
    """
    order = [name for name in sorted(one) if name <= period and name in other][-STEPS_LOOKED_AT - 2 :]
    if len(order) <= ALWAYS or order[-1] != period:
        return []
    apart = [_apart(one[name], other[name]) for name in order]
    if any(len(cells) < ENOUGH_AREAS for cells in apart):
        return []
    medians = [statistics.median(share for share, _ in cells.values()) for cells in apart]
    if _turned(medians, APART):
        return [Departure("", period, order[-2], math.exp(medians[-1]), len(apart[-1]))]
    return [
        Departure(area, period, order[-2], math.exp(share), len(apart[-1]))
        for area, (share, size) in apart[-1].items()
        if size >= LARGE_IN_AN_AREA
        and all(area in cells for cells in apart)
        and len(apart) > ALWAYS_IN_AN_AREA
        and _turned([cells[area][0] for cells in apart], APART_IN_AN_AREA)
    ]


def _turned(shares: Sequence[float], least: float) -> bool:
    """Whether the last of some shares is the others turned round, which are all alike."""
    *earlier, last = shares
    sign = math.copysign(1, earlier[-1])
    nearest, farthest = (limit(sign * share for share in earlier) for limit in (min, max))
    return nearest >= least and farthest < 2 * nearest and -1.5 * farthest < sign * last < -nearest / 2


def _step(before: Period, after: Period) -> dict[str, tuple[float, bool]]:
    """The steps of the areas that chance cannot have made, and whether a count says so."""
    return {area: step for area, cell in after.items() if area in before and (step := _of(before[area], cell))}


def _of(before: Cell, after: Cell) -> tuple[float, bool] | None:
    sizes = [cell.size for cell in (before, after) if cell.size is not None]
    is_counted = len(sizes) == 2
    if is_counted and not (min(sizes) >= LEAST or max(sizes) >= LARGE):
        return None
    # A count of none is less than one; what is no count has no logarithm there.
    least = 0.5 if before.size == before.value and is_counted else 0
    low, high = max(before.value, least), max(after.value, least)
    return (math.log(high / low), is_counted) if low > 0 and high > 0 else None


def _apart(one: Period, other: Period) -> dict[str, tuple[float, float]]:
    """How far two members are apart in each area, and the size of the smaller."""
    return {
        area: (math.log(cell.value / other[area].value), min(cell.size or 0, other[area].size or 0))
        for area, cell in one.items()
        if area in other
        and cell.value > 0
        and other[area].value > 0
        and all(size is None or size >= LEAST for size in (cell.size, other[area].size))
    }


def _quantile(ordered: Sequence[float]) -> float:
    return ordered[min(int(USUAL * len(ordered)), len(ordered) - 1)] if ordered else 0


def newest_new(series: Series, standing: frozenset[str]) -> Iterator[str]:
    """The periods of a series to be judged: all that do not stand, or where none stands the newest alone."""
    new = sorted(name for name in series if name not in standing)
    yield from new if standing & series.keys() else new[-1:]
