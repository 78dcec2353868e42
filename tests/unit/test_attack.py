"""What an attack on suppressed counts works out, each time from a few figures that tell one."""

from __future__ import annotations

import pytest

from tests import margins
from tests.attack import CITY, attack
from tests.open_layer import known_of_london

HALVES, WITHIN = known_of_london()
RULE = "suppress_1_to_7_round_5"
ASSAULTS, WOMEN = "safestats_las_assaults", "safestats_las_assaults_on_women"


def of(measure: str, area: str) -> tuple[str, str, str, str, str, str]:
    return measure, "2026-01-01", area, "all", "all", "all"


def test_the_attack_finds_what_london_with_the_city_and_without_it_tells() -> None:
    shown: list[tuple[object, ...]] = [(*of(ASSAULTS, area), 10, False, RULE) for area in HALVES]
    shown.append((*of(ASSAULTS, CITY), None, True, RULE))
    shown += [(*of(ASSAULTS, area), value, False, RULE) for area, value in (("LONDON_32", 320), ("LONDON_33", 320))]
    assert attack(shown, HALVES, WITHIN).too_narrow == {of(ASSAULTS, CITY): {1, 2, 3, 4}}


def test_the_attack_finds_what_a_whole_less_its_part_tells() -> None:
    borough, other, *others = HALVES
    # What is not of women is 0 to 4, and all the assaults of one borough are among them.
    shown: list[tuple[object, ...]] = [
        (*of(ASSAULTS, borough), None, True, RULE),
        (*of(WOMEN, borough), 0, False, RULE),
    ]
    shown += [(*of(measure, other), 100, False, RULE) for measure in (ASSAULTS, WOMEN)]
    shown += [(*of(measure, area), 0, False, RULE) for measure in (ASSAULTS, WOMEN) for area in others]
    assert attack(shown, HALVES, WITHIN).too_narrow == {}
    shown += [(*of(measure, "LONDON_32"), 100, False, RULE) for measure in (ASSAULTS, WOMEN)]
    assert attack(shown, HALVES, WITHIN).too_narrow == {of(ASSAULTS, borough): {1, 2, 3, 4}}


BOROUGH, OTHER, *_ = HALVES
WARD = "E05000001"


def at(area: str, month: str = "2026-01-01") -> margins.Key:
    return ASSAULTS, month, area, "all", "all", "all"


KEPT_BACK, BEFORE, TOLD, LESS = at(BOROUGH), at(BOROUGH, "2025-01-01"), at(OTHER), at(OTHER, "2025-01-01")


@pytest.mark.parametrize(
    ("told", "left"),
    [
        # A window of two months, and the one after it: what came is 0, so that what went is told.
        ([margins.total([KEPT_BACK, BEFORE], 15)], {6, 7}),
        ([margins.total([KEPT_BACK, at(WARD)], 20), margins.total([at(WARD), LESS], 10)], {6, 7}),
        # Of a borough a ward has 5; of all, the women are 5.
        ([margins.within(KEPT_BACK, [at(WARD)]), (5, 5, {at(WARD): 1})], {5, 6, 7}),
        # A tenth of 28 to 32; three and a half times what it was; a higher rate than 28 to 32 of six times the residents.
        (margins.share(KEPT_BACK, TOLD, 10), {3}),
        (margins.change(KEPT_BACK, BEFORE, 250), {7}),
        (margins.ranked([(KEPT_BACK, 2000), (TOLD, 12000)]), {5, 6, 7}),
        (margins.sentence("In both there were about 30 in the year.", [KEPT_BACK, TOLD]), {1, 2, 3, 4}),
        (margins.sentence("There were 1 to 7.", [KEPT_BACK, BEFORE]) + margins.change(KEPT_BACK, BEFORE, 100), {2, 4}),
    ],
    ids=["window", "overlapping windows", "within", "share", "change", "rank", "sentence", "sentence and change"],
)
def test_the_attack_takes_what_is_worked_out_of_counts(told: list[margins.Constraint], left: set[int]) -> None:
    rows: list[tuple[object, ...]] = [(*key, None, True, RULE) for key in (KEPT_BACK, BEFORE)]
    rows += [(*TOLD, 30, False, RULE), (*LESS, 0, False, RULE), (*at(WARD), None, False, RULE)]
    assert attack(rows, HALVES, WITHIN).too_narrow == {}
    assert attack(rows, HALVES, WITHIN, told).too_narrow[KEPT_BACK] == left


def test_the_attack_sets_two_releases_beside_each_other() -> None:
    def release(first: int | None) -> list[tuple[object, ...]]:
        return [
            (*of(ASSAULTS, BOROUGH), first, first is None, RULE),
            (*of(ASSAULTS, OTHER), 20, False, RULE),
            *((*of(ASSAULTS, area), 0, False, RULE) for area in HALVES if area not in (BOROUGH, OTHER)),
            (*of(ASSAULTS, "LONDON_32"), 25, False, RULE),
        ]

    # With 8 or more in the one, 18 or 19 are in the other, of 23 or more in both.
    now, before = release(10), release(None)
    assert attack(before, HALVES, WITHIN).too_narrow == {}
    earlier_count = (*of(ASSAULTS, BOROUGH)[:5], "all#1")
    assert attack(now, HALVES, WITHIN, earlier=[before]).cells == {earlier_count: {4, 5, 6, 7}}
