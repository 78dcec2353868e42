"""Invented counts of recorded offences by category, area and month, and how each release revises them."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sandbox.draws import count_around, fraction, words
from sandbox.mps import weights
from sandbox.mps.weights import Category

FIRST_YEAR, FIRST_MONTH = 2010, 4
REVISED_MONTHS = 48

# What is still to be recorded when a month is first printed, one month later, and so on: shares of its final count.
_LATE = (0.030, 0.012, 0.007, 0.004, 0.003, 0.002) + (0.001,) * 6
_MONTHS_FROM_2010_TO_2025 = 177
# Settled counts are made once up to here (March 2030) and shared by every release before it; later ones in such steps.
_HORIZON = 240


@dataclass(frozen=True)
class Row:
    """One line of a borough file: its labels and its count in each month of the window asked for."""

    major: str
    minor: str
    area: str
    counts: tuple[int, ...]


def month_number(day: date) -> int:
    """The month of `day`, counted from April 2010 (0)."""
    return (day.year - FIRST_YEAR) * 12 + day.month - FIRST_MONTH


def month_header(number: int) -> str:
    """A counted month as the publisher heads its column: 0 is '201004'."""
    years, month = divmod(number + FIRST_MONTH - 1, 12)
    return f"{FIRST_YEAR + years}{month + 1:02d}"


def recorded(seed: int, newest: int, first: int, last: int) -> list[Row]:
    """What a release whose newest month is `newest` prints for the months `first` to `last` (both included).

    Rows come by area, then category, as in the real files; one whose every month is 0 is left out, as there.
    Months are counted from April 2010. The last `REVISED_MONTHS` up to `newest` differ a little from release to
    release, older ones never.
    """
    horizon = (newest // _HORIZON + 1) * _HORIZON
    unrevised_to = newest - REVISED_MONTHS
    rows = []
    for (area, category), final in _final_counts(seed, horizon).items():
        counts = list(final[first : last + 1])
        if last > unrevised_to:
            noise = words((str(seed), "release", str(newest), category.minor, area), REVISED_MONTHS)
            for month in range(max(first, unrevised_to + 1), last + 1):
                age = newest - month
                counts[month - first] = _as_first_known(counts[month - first], age, noise[age])
        if any(counts):
            rows.append(Row(category.major, category.minor, area, tuple(counts)))
    return rows


def _as_first_known(final: int, age: int, word: int) -> int:
    """What was known of a final count `age` months after it was first printed."""
    if final == 0:
        return 0
    still_to_come = int(final * _LATE[age] + fraction(word)) if age < len(_LATE) else 0
    # A corrected class or address moves a single offence, now up and now down.
    chance_in_256 = 80 if age < 3 else 26 if age < 12 else 10
    moved = (1 if word & 0x100 else -1) if (word & 0xFF) < chance_in_256 else 0
    return max(0, final - still_to_come + moved)


@lru_cache(maxsize=4)
def _final_counts(seed: int, months: int) -> dict[tuple[str, Category], tuple[int, ...]]:
    """Every cell's settled count from April 2010 on, by area and category."""
    headers = [month_header(number) for number in range(months)]
    london = {category: _london_means(category, headers) for category in weights.CATEGORIES}
    final = {}
    for area, shares in sorted(_area_shares(headers).items()):
        for category, means in london.items():
            tilt, *noise = words((str(seed), "final", category.minor, area), months + 1)
            # Areas differ in what is recorded there, not only in how much.
            factor = 0.8 + 0.4 * fraction(tilt)
            final[area, category] = tuple(
                [
                    count_around(mean * share * factor, word)
                    for mean, share, word in zip(means, shares, noise, strict=True)
                ]
            )
    return final


def _london_means(category: Category, headers: list[str]) -> list[float]:
    means = []
    for number, header in enumerate(headers):
        trend = category.level_2010 + (1 - category.level_2010) * number / _MONTHS_FROM_2010_TO_2025
        in_use = category.first <= header <= category.last
        season = category.season[int(header[4:]) - 1]
        # A falling category levels out instead of reaching nought in a far year.
        means.append(category.monthly * max(trend, 0.2) * season if in_use else 0.0)
    return means


def _area_shares(headers: list[str]) -> dict[str, list[float]]:
    """Each area's share of London in each month."""
    total = sum(weights.BOROUGHS.values())
    shares = {area: [weight / total] * len(headers) for area, weight in weights.BOROUGHS.items()}
    unknown, later = weights.UNKNOWN_SHARE / total, weights.UNKNOWN_SHARE_LATER / total
    shares[weights.UNKNOWN] = [later if header >= weights.UNKNOWN_LATER_FROM else unknown for header in headers]
    if weights.UNKNOWN_MONTH in headers:
        shares[weights.UNKNOWN][headers.index(weights.UNKNOWN_MONTH)] = weights.UNKNOWN_SHARE_OF_ONE_MONTH / total
    airports = weights.AIRPORTS_SHARE / total
    shares[weights.AIRPORTS] = [
        airports if weights.AIRPORTS_FIRST <= header <= weights.AIRPORTS_LAST else 0.0 for header in headers
    ]
    shares[weights.AIRPORTS_TAKEN_FROM] = [
        share - apart
        for share, apart in zip(shares[weights.AIRPORTS_TAKEN_FROM], shares[weights.AIRPORTS], strict=True)
    ]
    return shares
