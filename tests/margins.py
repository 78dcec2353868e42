"""What published figures tell of the counts that they are worked out of, as linear constraints: what an attack adds to the counts themselves."""

from __future__ import annotations

import collections
import itertools
import re
from collections.abc import Collection, Iterator, Sequence

# (measure, month, area, sex, age band, ethnicity)
Key = tuple[str, str, str, str, str, str]
# At least, at most, and the sum that lies between: each cell with its factor.
Constraint = tuple[float, float, dict[Key, float]]
# More than any month's count of an area: what is suppressed in a total may be anything.
ANY = 1_000_000

_ABOUT = re.compile(r"\babout ([0-9,]+)\b")
_SMALL = re.compile(r"\b1 to 7\b")


def total(counts: Sequence[Key], value: int) -> Constraint:
    """A sum of counts by the rule of health: to the nearest 5. Of months a window, of wards their borough, of areas London."""
    return value and value - 2, value and value + 2, dict.fromkeys(counts, 1)


def within(whole: Key, parts: Sequence[Key]) -> Constraint:
    """Parts that are no more than their whole together: wards of a borough, where some of it is in no ward; sexes and ages of all."""
    return 0, ANY, {whole: 1, **dict.fromkeys(parts, -1)}


def share(part: Key, whole: Key, percent: float, places: int = 0) -> list[Constraint]:
    """A part of a whole in percent, rounded to so many places; of two pieces of a whole, that of their ratio. Also a rate, of another count."""
    return _ratio(part, whole, percent / 100, 10.0**-places / 200)


def change(now: Key, before: Key, percent: float, places: int = 0) -> list[Constraint]:
    """A change from one count to another in percent, rounded to so many places."""
    return _ratio(now, before, 1 + percent / 100, 10.0**-places / 200)


def _ratio(one: Key, other: Key, ratio: float, by: float) -> list[Constraint]:
    return [(-ANY, 0, {one: 1, other: -(ratio + by)}), (0, ANY, {one: 1, other: -(ratio - by)})]


def ranked(counts: Sequence[tuple[Key, float]]) -> list[Constraint]:
    """Areas in the order of their rates, the highest first, each with its residents (1 where counts are ranked): no area's rate is below the next's."""
    pairs = itertools.pairwise(counts)
    return [(0, ANY, {one: 1 / of, other: -1 / of_other}) for (one, of), (other, of_other) in pairs]


def sentence(text: str, counts: Sequence[Key]) -> list[Constraint]:
    """What a sentence says of a sum of counts: "about 1,065" or "1 to 7", each time that it does."""
    told = [total(counts, int(found.replace(",", ""))) for found in _ABOUT.findall(text)]
    return told + [(1, 7, dict.fromkeys(counts, 1)) for _ in _SMALL.findall(text)]


def components(cells: Collection[Key], constraints: list[Constraint]) -> Iterator[tuple[list[Key], list[Constraint]]]:
    """Counts that constraints join, with these."""
    joined = {key: key for key in cells}

    def root(key: Key) -> Key:
        while joined[key] != key:
            joined[key] = joined[joined[key]]
            key = joined[key]
        return key

    for _, _, factors in constraints:
        first, *others = factors
        for other in others:
            joined[root(other)] = root(first)
    groups: dict[Key, tuple[list[Key], list[Constraint]]] = collections.defaultdict(lambda: ([], []))
    for key in cells:
        groups[root(key)][0].append(key)
    for constraint in constraints:
        groups[root(next(iter(constraint[2])))][1].append(constraint)
    yield from groups.values()
