"""The statistics every report uses, against the values the UK Health Security Agency publishes for its own package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import NormalDist

import pytest
from psycopg import sql

from tests.conftest import Server
from warehouse.platform.connection import ANALYST, TRANSFORMER, connect

Ask = Callable[..., float | str | None]


@pytest.fixture(scope="module")
def ask(server: Server) -> Iterator[Ask]:
    """Calls a function of schema marts as an analyst does."""
    with connect(server.settings, ANALYST) as connection:

        def call(name: str, *values: float | None) -> float | str | None:
            arguments = sql.SQL(", ").join(sql.SQL("{}::double precision").format(sql.Literal(v)) for v in values)
            row = connection.execute(
                sql.SQL("select {}({})").format(sql.Identifier("marts", name), arguments)
            ).fetchone()
            assert row is not None
            return row[0]  # type: ignore[no-any-return]  # a row of what the function returns

        yield call


@pytest.mark.parametrize(
    ("count", "confidence", "lower", "upper"),
    [
        (65, 0.95, 50.16319, 82.84914),
        (65, 0.998, 42.88026, 94.00029),
        (1, 0.95, 0.02531781, 5.571643),
        (1, 0.998, 0.001000500, 9.233413),
        (0, 0.95, 0.0, 3.688879),
        (0, 0.998, 0.0, 6.907755),
        (9, 0.95, 4.115373, 17.08480),
        (10, 0.95, 4.787450, 18.39146),
    ],
)
def test_the_limits_of_a_count_are_exact_below_10_and_byars_from_10(
    ask: Ask, count: float, confidence: float, lower: float, upper: float
) -> None:
    assert ask("poisson_lower", count, confidence) == pytest.approx(lower, rel=1e-5)
    assert ask("poisson_upper", count, confidence) == pytest.approx(upper, rel=1e-5)


@pytest.mark.parametrize("confidence", [0.95, 0.998])
def test_the_table_of_limits_below_10_is_what_the_exact_method_gives(ask: Ask, confidence: float) -> None:
    for count in range(10):
        exact = (
            ask("exact_poisson_limit", count, (1 - confidence) / 2),
            ask("exact_poisson_limit", count + 1, (1 + confidence) / 2),
        )
        assert ask("poisson_lower", count, confidence) == pytest.approx(exact[0], rel=1e-9), count
        assert ask("poisson_upper", count, confidence) == pytest.approx(exact[1], rel=1e-9), count


def test_a_count_that_is_no_whole_number_has_limits_between_its_neighbours(ask: Ask) -> None:
    # Half the chi-square quantiles of 7 and 9 degrees of freedom.
    assert ask("poisson_lower", 3.5, 0.95) == pytest.approx(1.689869 / 2, rel=1e-5)
    assert ask("poisson_upper", 3.5, 0.95) == pytest.approx(19.02277 / 2, rel=1e-5)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -1.0])
def test_what_is_no_count_has_no_limits(ask: Ask, value: float | None) -> None:
    assert ask("poisson_lower", value, 0.95) is None
    assert ask("poisson_upper", value, 0.95) is None
    assert ask("funnel_lower", value, 0.95) is None
    assert ask("funnel_upper", value, 0.95) is None


def test_a_confidence_nobody_uses_gives_no_limits(ask: Ask) -> None:
    assert ask("poisson_lower", 65, 0.9) is None
    assert ask("wilson_lower", 0, 100, 0.9) is None


@pytest.mark.parametrize(
    ("x", "n", "lower", "upper"),
    [(5, 100, 0.0215437, 0.1117505), (0, 100, 0.0, 0.03699350), (100, 100, 0.9630065, 1.0)],
)
def test_the_limits_of_a_proportion_are_wilsons(ask: Ask, x: float, n: float, lower: float, upper: float) -> None:
    assert ask("wilson_lower", x, n, 0.95) == pytest.approx(lower, rel=1e-5, abs=1e-12)
    assert ask("wilson_upper", x, n, 0.95) == pytest.approx(upper, rel=1e-5)


@pytest.mark.parametrize("of_how_many", [4, 12, 42])
def test_the_largest_of_several_proportions_has_limits_at_a_confidence_divided_among_them(
    ask: Ask, of_how_many: int
) -> None:
    confidence = 1 - 0.05 / of_how_many
    deviate = NormalDist().inv_cdf(1 - 0.05 / of_how_many / 2)
    for name, sign in (("wilson_lower", 1), ("wilson_upper", -1)):
        limit = float(str(ask(name, 43, 210, confidence)))
        assert (43 / 210 - limit) / (limit * (1 - limit) / 210) ** 0.5 == pytest.approx(sign * deviate, rel=1e-9)
    # The table of small counts is of the other two confidences.
    assert ask("poisson_lower", 5, confidence) == ask("exact_poisson_limit", 5, (1 - confidence) / 2)
    assert ask("poisson_upper", 5, confidence) == ask("exact_poisson_limit", 6, (1 + confidence) / 2)


def test_more_than_all_is_no_proportion(ask: Ask) -> None:
    assert ask("wilson_lower", 101, 100, 0.95) is None
    assert ask("wilson_upper", 5, 0, 0.95) is None


@pytest.mark.parametrize("expected", [0.5, 4.0, 12.0, 240.0, 90_000.0])
@pytest.mark.parametrize("confidence", [0.95, 0.998])
def test_a_count_on_a_funnels_line_has_the_expected_count_as_its_own_limit(
    ask: Ask, expected: float, confidence: float
) -> None:
    lower, upper = ask("funnel_lower", expected, confidence), ask("funnel_upper", expected, confidence)
    assert isinstance(lower, float)
    assert isinstance(upper, float)
    assert ask("poisson_lower", upper, confidence) == pytest.approx(expected, rel=1e-6)
    if lower > 0:
        assert ask("poisson_upper", lower, confidence) == pytest.approx(expected, rel=1e-6)
    else:
        assert ask("poisson_upper", 0, confidence) >= expected  # type: ignore[operator]  # a count has an upper limit


@pytest.mark.parametrize(
    ("count", "label"),
    [
        (100, "Not significant"),
        (80, "Low (0.025)"),
        (70, "Low (0.001)"),
        (123, "High (0.025)"),
        (135, "High (0.001)"),
        (None, None),
    ],
)
def test_an_area_is_labelled_by_where_its_limits_lie_round_the_expected_count(
    ask: Ask, count: float | None, label: str | None
) -> None:
    assert ask("funnel_label", count, 100) == label


def test_a_directly_standardised_rate_is_withheld_below_10_events(ask: Ask) -> None:
    # Rate 0.00065 a person from 65 events, variance 65 / 100,000 squared: the limits are those of the count, to scale.
    assert ask("directly_standardised_lower", 0.00065, 65 / 1e10, 65, 0.95) == pytest.approx(50.16319e-5, rel=1e-5)
    assert ask("directly_standardised_upper", 0.00065, 65 / 1e10, 65, 0.95) == pytest.approx(82.84914e-5, rel=1e-5)
    assert ask("directly_standardised_lower", 0.00009, 9 / 1e10, 9, 0.95) is None


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize("wrong", [NAN, INFINITY, -INFINITY, -1.0, 1.7e308])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("log_gamma", [3]),
        ("gamma_probability", [3, 4]),
        ("exact_poisson_limit", [3, 0.5]),
        ("poisson_lower", [65, 0.95]),
        ("poisson_upper", [65, 0.95]),
        ("wilson_lower", [5, 100, 0.95]),
        ("wilson_upper", [5, 100, 0.95]),
        ("directly_standardised_lower", [0.001, 1e-9, 65, 0.95]),
        ("directly_standardised_upper", [0.001, 1e-9, 65, 0.95]),
        ("funnel_lower", [100, 0.95]),
        ("funnel_upper", [100, 0.95]),
        ("funnel_label", [5, 100]),
        ("two_counts_p_value", [51, 1, 59, 1]),
    ],
)
def test_one_value_that_is_no_count_or_no_confidence_makes_the_answer_null(
    ask: Ask, name: str, values: list[float], wrong: float
) -> None:
    assert ask(name, *values) is not None
    for place in range(len(values)):
        assert ask(name, *values[:place], wrong, *values[place + 1 :]) is None, place


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("gamma_probability", [3, 5000]),
        ("exact_poisson_limit", [500, 0.5]),
        ("exact_poisson_limit", [3, 1.5]),
        ("exact_poisson_limit", [3, 0]),
        ("wilson_lower", [INFINITY, INFINITY, 0.95]),
        ("wilson_upper", [101, 100, 0.95]),
        ("wilson_upper", [5, 100, 0.9]),
        ("funnel_upper", [100, 0.5]),
        ("two_counts_p_value", [51.5, 1, 59, 1]),
        ("two_counts_p_value", [51, 0, 59, 1]),
    ],
)
def test_what_lies_beyond_a_function_is_null_and_no_plausible_number(ask: Ask, name: str, values: list[float]) -> None:
    assert ask(name, *values) is None


@pytest.mark.parametrize("confidence", [0.95, 0.998])
def test_all_of_all_is_a_proportion_of_at_most_1(ask: Ask, confidence: float) -> None:
    for n in (29, 1e6):
        assert ask("wilson_upper", n, n, confidence) == 1


def test_lines_and_label_agree_of_every_whole_count(server: Server) -> None:
    """Also where the exact limits give way to Byar's, and where what is expected is itself the limit of a whole count."""
    query = """
        with expected as (
            select 4.7 + step * 0.002 as expected from generate_series(0, 60) as step
            union select 2.9 + step * 0.001 from generate_series(0, 70) as step
            union select marts.poisson_lower(n, k) from generate_series(1, 40) as n, (values (0.95), (0.998)) as k (k)
            union select marts.poisson_upper(n, k) from generate_series(0, 40) as n, (values (0.95), (0.998)) as k (k)
        ),
        line as materialized (
            select expected, marts.funnel_lower(expected, 0.998) as low_998, marts.funnel_lower(expected, 0.95) as low_95,
                marts.funnel_upper(expected, 0.95) as high_95, marts.funnel_upper(expected, 0.998) as high_998
            from expected
        )
        select count(*), count(*) filter (where marts.funnel_label(n, expected) <> case
            when n < low_998 then 'Low (0.001)' when n < low_95 then 'Low (0.025)'
            when n > high_998 then 'High (0.001)' when n > high_95 then 'High (0.025)' else 'Not significant' end)
        from line cross join generate_series(0, 60) as n"""
    with connect(server.settings, ANALYST) as connection:
        pairs, contradictions = connection.execute(query.encode()).fetchone()  # type: ignore[misc]  # an aggregate has a row
    assert pairs > 15_000
    assert contradictions == 0


def test_a_sentence_gives_a_count_as_its_owners_rule_lets_it_out(server: Server) -> None:
    counts = [0, 1, 7, 8, 9, 12, 13, 1_065, 2_500_002, -1, None]
    with connect(server.settings, TRANSFORMER) as connection:
        told = {
            rule: [
                connection.execute("select marts_open.publishable_in_words(%s::bigint, %s)", [n, rule]).fetchone()[0]  # type: ignore[index]
                for n in counts
            ]
            for rule in ("open", "suppress_1_to_7_round_5", "on_the_moon", None)
        }
    exact = ["0", "1", "7", "8", "9", "12", "13", "1,065", "2,500,002", "-1", None]
    ruled = [
        "0",
        "1 to 7",
        "1 to 7",
        "about 10",
        "about 10",
        "about 10",
        "about 15",
        "about 1,065",
        "about 2,500,000",
        None,
        None,
    ]
    assert told == {
        "open": exact,
        "suppress_1_to_7_round_5": ruled,
        "on_the_moon": [None] * len(counts),
        None: [None] * len(counts),
    }


@pytest.mark.parametrize(
    ("before", "after", "p"),
    [(51, 59, 0.504685), (51, 90, 0.00129031), (0, 5, 0.0625), (0, 6, 0.03125), (12, 12, 1.0), (0, 0, 1.0)],
)
def test_two_counts_of_periods_of_one_length_differ_by_the_exact_binomial_test(
    ask: Ask, before: float, after: float, p: float
) -> None:
    assert ask("two_counts_p_value", before, 1, after, 1) == pytest.approx(p, rel=1e-5)
