"""Random numbers of the stand-in publishers."""

from datetime import date

import pytest

from sandbox.draws import count_around, fraction, words
from sandbox.mps.dashboards import BOROUGH, KNIFE, OTHER, lines
from sandbox.mps.recorded_crime import Release


def test_the_words_of_a_key_are_the_same_on_every_machine_and_in_every_process() -> None:
    assert words(("1", "HOMICIDE", "Camden"), 2) == (5444841858622178349, 18237528447112128572)


def test_asking_for_more_words_continues_the_same_sequence() -> None:
    assert words(("1", "RAPE"), 200)[:24] == words(("1", "RAPE"), 24)


def test_keys_that_read_alike_when_joined_have_different_words() -> None:
    assert words(("ab", "c"), 1) != words(("a", "bc"), 1)


def test_a_fraction_is_at_least_0_and_below_1() -> None:
    assert fraction(0) == 0.0
    assert fraction(2**64 - 1) == 1 - 2**-53


def test_nothing_is_counted_where_nothing_is_expected() -> None:
    assert {count_around(0.0, word) for word in words(("none",), 500)} == {0}


@pytest.mark.parametrize("mean", [0.3, 4.0, 11.9, 12.1, 400.0])
def test_counts_scatter_about_their_mean_as_poisson_counts_do(mean: float) -> None:
    counts = [count_around(mean, word) for word in words(("scatter", str(mean)), 20_000)]

    average = sum(counts) / len(counts)
    variance = sum((count - average) ** 2 for count in counts) / len(counts)
    assert min(counts) >= 0
    assert average == pytest.approx(mean, rel=0.03)
    assert variance == pytest.approx(mean, rel=0.06)


def test_a_part_of_what_a_dashboard_counts_is_never_more_than_the_whole() -> None:
    parts = {subject.subtype: subject.part_of for subject in (*KNIFE, *OTHER) if subject.part_of}
    rows = [row for row in lines(1, Release(date(2026, 11, 6)), (*KNIFE, *OTHER)) if row.level == BOROUGH]
    counts = {(row.subtype, row.place, row.measure, row.month): row.count for row in rows}
    pairs = [(n, counts.get((parts[of], *cell), 0)) for (of, *cell), n in counts.items() if of in parts]
    assert len(parts) == 13
    assert len(pairs) > 5000
    assert [pair for pair in pairs if pair[0] > pair[1]] == []
