"""An attacker on what anyone sees: `python -m tests.attack` on the home of VRU_HOME says how well its suppressed counts are kept.

Reads marts_open alone, as anyone may, and nothing of how the counts in it were chosen. Each published figure and each thing that is known
of London is a linear constraint on whole numbers, and HiGHS says which values every suppressed count may still have. It fails where one of
1 to 7 has fewer than FEWEST left. What is worked out of counts (windows, shares, changes, ranks, sentences) is a constraint too (margins.py).

Who has kept the layer of an earlier release sets the two beside each other: a count that reads the same is taken for the same.
"""

from __future__ import annotations

import collections
import dataclasses
import random
import sys
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy import optimize, sparse

from tests.margins import ANY, Constraint, Key, components
from tests.open_layer import known_of_london, read_open
from warehouse.platform.connection import OPEN, connect
from warehouse.platform.settings import settings

FEWEST = 5
CITY = "E09000001"
TOTALS = ("INNER", "OUTER", "LONDON_32", "LONDON_33", "LONDON_PUBLISHED")


@dataclasses.dataclass
class Cell:
    """A figure of the open layer.

    Attributes:
        least: the least it may be, by its own row.
        most: the most.
        is_suppressed: kept back as a count of 1 to 7 may be.
        left: values that it may have, once attacked; of a total the least and the most, with what lies between.
    """

    least: int
    most: int
    is_suppressed: bool
    left: frozenset[int] = frozenset()

    @property
    def values(self) -> range:
        """What a suppressed count may be; of a total, which may be anything, none in particular."""
        return range(self.least, self.most + 1) if self.most <= 7 else range(0)


@dataclasses.dataclass(frozen=True)
class Report:
    """What the attack came to: every suppressed count with the values it may have."""

    cells: dict[Key, frozenset[int]]
    contradictions: int

    @property
    def too_narrow(self) -> dict[Key, frozenset[int]]:
        return {key: left for key, left in self.cells.items() if _width(left) < FEWEST}

    def __str__(self) -> str:
        by_count = collections.Counter(map(_width, self.cells.values()))
        spread = ", ".join(
            f"{count:,} with {values}{' or more' * (values == FEWEST)} values"
            for values, count in sorted(by_count.items())
        )
        return (
            f"{len(self.cells):,} cells attacked ({spread or 'none'}); narrowest {min(by_count, default=7)}; "
            f"{len(self.too_narrow)} with fewer than {FEWEST}; {self.contradictions} groups with a part that is more than its whole"
        )


def _width(left: frozenset[int]) -> int:
    """How many values a count may have, up to FEWEST. A total that is known to be no small count is kept back for its parts alone."""
    return FEWEST if min(left) > 7 else min(len(left), FEWEST)


def attack(
    rows: Iterable[Sequence[object]],
    halves: dict[str, str],
    within: Iterable[tuple[str, str]],
    margins: Iterable[Constraint] = (),
    earlier: Iterable[Iterable[Sequence[object]]] = (),
) -> Report:
    """What can be worked out.

    Args:
        rows: measure, month, area, sex, age band, ethnicity, value, whether it is suppressed, publish rule.
        halves: INNER or OUTER, by borough.
        within: measures of which the first holds the second.
        margins: what else is told of these counts (margins.py).
        earlier: the rows of releases before this one, as they were kept, the newest first.

    Returns:
        The values that each suppressed count, and total that may be one, may have. A count that an earlier release told otherwise stands
        under its release too: its ethnicity ends with #1 for the release before this one, #2 for the one before that.
    """
    cells: dict[Key, Cell] = {}
    constraints = list(margins)
    told: dict[Key, tuple[object, ...]] = {}
    for number, release in enumerate([rows, *earlier]):
        at: dict[Key, Key] = {}
        for row in release:
            key = _key(row)
            is_same = told.setdefault(key, tuple(row[6:9])) == tuple(row[6:9]) and (not number or key[2] not in TOTALS)
            at[key] = key if is_same else (*key[:5], f"{key[5]}#{number}")
            cells.setdefault(at[key], _cell(row))
        own = {key: cells[name] for key, name in at.items()}
        for low, high, factors in (*_totals(own, halves), *_wholes(own, list(within)), *_splits(own)):
            constraints.append((low, high, {at[key]: factor for key, factor in factors.items()}))
    report: dict[Key, frozenset[int]] = {}
    contradictions = 0
    for keys, own_constraints in components(cells, constraints):
        contradictions += not _attack_group(cells, keys, own_constraints)
        report |= {key: cells[key].left for key in keys if cells[key].is_suppressed}
    return Report(report, contradictions)


def _key(row: Sequence[object]) -> Key:
    measure, month, area, sex, age, ethnicity = (str(value) for value in row[:6])
    return measure, month, area, sex, age, ethnicity


def _cell(row: Sequence[object]) -> Cell:
    area, value, is_suppressed, rule = row[2], row[6], row[7], row[8]
    if value is not None:
        count = int(str(value))
        assert count == 0 or (count >= 10 and count % 5 == 0), f"{row}: not as the rule lets a count out"
        return Cell(count and count - 2, count and count + 2, is_suppressed=False)
    if not is_suppressed:  # There is no figure: nothing is known of it.
        return Cell(0, ANY, is_suppressed=False)
    if rule == "none":
        return Cell(0, ANY, is_suppressed=False)
    is_total = str(area) in TOTALS
    return Cell(1, ANY if is_total else 7, is_suppressed=True)


def _totals(cells: dict[Key, Cell], halves: dict[str, str]) -> Iterator[Constraint]:
    """Inner, outer and both; London with the City and without; London as its publisher prints it, of the measure's namesake."""
    sums = {half: [area for area in halves if halves[area] == half] for half in halves.values()}
    sums |= {"LONDON_32": list(halves), "LONDON_33": [*halves, CITY]}
    for measure, month, area, *split in cells:
        of = {name: (measure, month, name, *split) for name in (*halves, CITY, "LONDON_33")}
        if area in sums:
            parts = [of[part] for part in sums[area] if of[part] in cells]
            if len(parts) == len(sums[area]):
                yield 0, 0, {(measure, month, area, *split): -1, **dict.fromkeys(parts, 1)}
        printed = (f"{measure}_london", month, "LONDON_PUBLISHED", *split)
        if area == "LONDON_33" and printed in cells:
            # Drawn on another day, and of those without a borough as well: the same, where its rounding allows it.
            one, other = cells[of[area]], cells[printed]
            if max(one.least, other.least) <= min(one.most, other.most):
                yield 0, 0, {of[area]: 1, printed: -1}


def _wholes(cells: dict[Key, Cell], within: list[tuple[str, str]]) -> Iterator[Constraint]:
    pairs = [*within, *((f"{whole}_london", f"{part}_london") for whole, part in within)]
    wholes = collections.defaultdict(list)
    for whole, part in pairs:
        wholes[part].append(whole)
    for measure, *of in cells:
        for whole in wholes[measure]:
            if (whole, *of) in cells:
                yield 0, ANY, {(whole, *of): 1, (measure, *of): -1}


def _splits(cells: dict[Key, Cell]) -> Iterator[Constraint]:
    """Those of each sex, age or ethnicity are no more than all of them."""
    for place in (3, 4, 5):
        parts = collections.defaultdict(list)
        for key in cells:
            if key[place] != "all":
                parts[(*key[:place], "all", *key[place + 1 :])].append(key)
        for whole, own in parts.items():
            if whole in cells:
                yield 0, ANY, {whole: 1, **dict.fromkeys(own, -1)}


class _Group:
    """Cells that constraints join, as HiGHS takes them, and the values that solutions have shown of the suppressed ones."""

    def __init__(self, cells: list[Cell], constraints: list[tuple[float, float, dict[int, float]]]) -> None:
        self.cells = cells
        self.suppressed = [n for n, cell in enumerate(cells) if cell.is_suppressed]
        self.left: dict[int, set[int]] = {n: set() for n in self.suppressed}
        size, count, own = len(cells), len(constraints), len(self.suppressed)
        # A distance beside each suppressed cell: how far it is from a value that is looked for.
        matrix = sparse.lil_array((count + 2 * own, size + own))
        for row, (_, _, factors) in enumerate(constraints):
            for place, factor in factors.items():
                matrix[row, place] = factor
        for row, place in enumerate(self.suppressed):
            matrix[count + 2 * row, place], matrix[count + 2 * row, size + row] = -1, 1
            matrix[count + 2 * row + 1, place], matrix[count + 2 * row + 1, size + row] = 1, 1
        self._matrix = matrix.tocsc()
        self._low = np.array([low for low, _, _ in constraints] + [-float(ANY)] * (2 * own), dtype=float)
        self._high = np.array([high for _, high, _ in constraints] + [np.inf] * (2 * own), dtype=float)
        self._least = np.array([cell.least for cell in cells] + [0] * own, dtype=float)
        self._most = np.array([cell.most for cell in cells] + [2 * ANY] * own, dtype=float)
        self._size, self._count = size, count
        # Which cells and constraints a count moves, when the sums that it is in move with it: in a sum's row its cell has the factor -1.
        rows = matrix[:count, :size].toarray()
        moves = np.eye(size)
        sums = [(row, int(np.argmin(rows[row]))) for row, (low, high, _) in enumerate(constraints) if low == high == 0]
        moves[:, [place for _, place in sums]] = 0
        for row, place in (*sums, *sums):  # twice, for sums of sums
            moves[place] += rows[row] @ moves
        self._rows, self._moves = rows, np.vstack([moves, rows @ moves])
        self._beside = [n for n in (*self.suppressed, *range(size)) if moves[n, n]][:24]

    def look(self, wanted: dict[int, int], fixed: dict[int, int] | None = None, objective: int = 0) -> bool:
        """Find a solution, and note what it shows.

        Args:
            wanted: values to come as near to as can be, by place.
            fixed: values to have.
            objective: a place to make least, or most (its negative, less one); 0 for neither.

        Returns:
            Whether there is one.
        """
        costs = np.zeros(self._size + len(self.suppressed))
        low, least, most = self._low.copy(), self._least.copy(), self._most.copy()
        for row, place in enumerate(self.suppressed):
            if place in wanted:
                costs[self._size + row] = 1
                low[self._count + 2 * row] = -wanted[place]
                low[self._count + 2 * row + 1] = wanted[place]
        for place, value in (fixed or {}).items():
            least[place] = most[place] = value
        if objective:
            costs[abs(objective) - 1] = 1 if objective > 0 else -1
        found = optimize.milp(
            costs,
            integrality=[1] * self._size + [0] * len(self.suppressed),
            bounds=optimize.Bounds(least, most),
            constraints=optimize.LinearConstraint(self._matrix, low, self._high),
        )
        if found.status == 2:  # infeasible
            return False
        assert found.status == 0, found.message
        counts = np.round(found.x[: self._size])
        for place in self.suppressed:
            self.left[place].add(int(counts[place]))
        self._look_around(counts)
        return True

    def _look_around(self, counts: np.ndarray) -> None:
        """Note what else can be true beside a solution: one count another, alone or against a second one, and the sums with them."""
        stand = np.concatenate([counts, self._rows @ counts])
        least = np.concatenate([self._least[: self._size], self._low[: self._count]]) - stand - 1e-6
        most = np.concatenate([self._most[: self._size], self._high[: self._count]]) - stand + 1e-6
        against = np.hstack([np.zeros((len(stand), 1)), self._moves[:, self._beside]])
        for place in self.suppressed:
            if not self._moves[place, place]:
                continue
            by_one = self._moves[:, [place]] - against
            for value in self.cells[place].values:
                if len(self.left[place]) >= FEWEST:
                    break
                moved = (value - counts[place]) * by_one
                can_be = (moved >= least[:, None]).all(axis=0) & (moved <= most[:, None]).all(axis=0)
                # Against itself a count has not moved.
                if can_be[[other != place for other in (-1, *self._beside)]].any():
                    self.left[place].add(value)

    def attack(self) -> bool:
        """Look until each suppressed cell has FEWEST values or is known to have no more. Whether there is any solution."""
        if not self.look({}):
            return False
        draw = random.Random(1)  # noqa: S311 - the same draw each time, of nothing secret
        for _ in range(4 * FEWEST):
            short = [n for n in self.suppressed if self.cells[n].values and len(self.left[n]) < FEWEST]
            if not short:
                break
            # A value for some of them at a time: all at once would miss their sums.
            some = draw.sample(short, max(1, len(short) // 2))
            self.look({n: draw.choice(sorted({*self.cells[n].values} - self.left[n])) for n in some})
        for n in self.suppressed:
            for value in self.cells[n].values:
                if value not in self.left[n] and len(self.left[n]) < FEWEST:
                    self.look({}, {n: value})
            # A total may be anything: its ends say how much.
            for objective in (n + 1, -n - 1):
                if not self.cells[n].values and max(self.left[n]) - min(self.left[n]) < FEWEST - 1:
                    self.look({}, objective=objective)
            self.cells[n].left = (
                frozenset(self.left[n])
                if self.cells[n].values
                else frozenset(range(min(self.left[n]), min(max(self.left[n]), min(self.left[n]) + 6) + 1))
            )
        return True


def _attack_group(cells: dict[Key, Cell], keys: list[Key], constraints: list[Constraint]) -> bool:
    """Which values are left to each suppressed cell of a group. Whether its figures can be true together."""
    if not any(cells[key].is_suppressed for key in keys):
        return True
    place = {key: n for n, key in enumerate(keys)}

    def group(of: list[Constraint]) -> _Group:
        return _Group(
            [cells[key] for key in keys],
            [(low, high, {place[key]: factor for key, factor in factors.items()}) for low, high, factors in of],
        )

    if group(constraints).attack():
        return True
    # A part that its publisher gives as more than its whole, or a count that reads as it did and is another: then the sums alone tell.
    sums = [constraint for constraint in constraints if constraint[1] == 0]
    assert group(sums).attack(), f"the totals of {keys[0][:2]} contradict one another"
    return False


def main() -> int:
    """Attack the home of VRU_HOME.

    Returns:
        0 where every suppressed count of 1 to 7 keeps its values, 1 where one does not.
    """
    with connect(settings(), OPEN) as connection:
        rows = read_open(connection)
    report = attack(rows, *known_of_london())
    print(report)
    for key, left in sorted(report.too_narrow.items()):
        print(" ", *key, "may be", *sorted(left))
    return 1 if report.too_narrow else 0


if __name__ == "__main__":
    sys.exit(main())
