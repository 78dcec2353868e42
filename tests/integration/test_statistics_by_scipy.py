"""The statistics every report uses, against scipy's, down to the least and up to the most that anyone counts."""

from __future__ import annotations

import itertools
import math

import pytest
from psycopg import sql
from scipy import special

from tests.conftest import Server
from warehouse.platform.connection import ANALYST, connect

# Down to the least a double holds, and up to more than anyone counts.
TINY = [0.0, 5e-324, 1e-320, 1e-300, 1e-81, 1e-79, 1e-16, 1e-9]
COUNTS = [*TINY, 0.003, 0.006, 0.04, 0.3, 0.999, 1.0, 2.5, 9.0, 9.99, 10.0, 10.5, 65.0, 1e4, 1e9]
LIMITS = {0.95: (0.025, 0.975, 1.959963984540054), 0.998: (0.001, 0.999, 3.090232306167813)}


def asked_of_all(server: Server, name: str, *values: list[float]) -> dict[tuple[float, ...], float | str | None]:
    """A function's answers to every combination of the values; an error of one would be an error of all."""
    asked = list(itertools.product(*values))
    columns = [list(column) for column in zip(*asked, strict=True)]
    query = sql.SQL("select {}({}) from unnest({}) with ordinality as v ({}, place) order by place").format(
        sql.Identifier("marts", name),
        sql.SQL(", ").join(sql.Identifier(f"v{n}") for n in range(len(columns))),
        sql.SQL(", ").join([sql.SQL("%s::double precision[]")] * len(columns)),
        sql.SQL(", ").join(sql.Identifier(f"v{n}") for n in range(len(columns))),
    )
    with connect(server.settings, ANALYST) as connection:
        return dict(zip(asked, (answer for (answer,) in connection.execute(query, columns)), strict=True))


def limit_of_a_count(count: float, side: int, confidence: float) -> float:
    """The limit by scipy: half the chi-square quantile (the gamma quantile) below 10, Byar's formula from 10."""
    z = LIMITS[confidence][2]
    if count >= 10:
        n = count + side
        return n * (1 - 1 / (9 * n) + (z if side else -z) / (3 * math.sqrt(n))) ** 3
    # Of a shape below 1e-80 scipy gives no number.
    return float(special.gammaincinv(count + side, LIMITS[confidence][side])) if count + side > 1e-80 else 0.0


@pytest.mark.parametrize("confidence", LIMITS)
def test_of_any_count_however_small_or_great_the_limits_are_those_of_scipy(server: Server, confidence: float) -> None:
    for side, name in enumerate(("poisson_lower", "poisson_upper")):
        for (count, _), limit in asked_of_all(server, name, COUNTS, [confidence]).items():
            assert limit == pytest.approx(limit_of_a_count(count, side, confidence), rel=1e-6, abs=1e-300), (
                name,
                count,
            )
    for (rate, variance, count, _), limit in asked_of_all(
        server, "directly_standardised_lower", COUNTS, COUNTS, COUNTS, [confidence]
    ).items():
        if count < 10:
            assert limit is None
        else:
            reach = math.sqrt(variance) / math.sqrt(count) * (limit_of_a_count(count, 0, confidence) - count)
            assert limit == pytest.approx(rate + reach, rel=1e-6, abs=1e-9 * rate), (rate, variance, count)
    assert None not in {
        limit
        for values, limit in asked_of_all(server, "directly_standardised_upper", COUNTS, COUNTS, COUNTS, [0.95]).items()
        if values[2] >= 10
    }


@pytest.mark.parametrize("confidence", LIMITS)
def test_a_funnel_of_next_to_nothing_or_of_very_much_has_its_lines(server: Server, confidence: float) -> None:
    for (expected, _), line in asked_of_all(server, "funnel_upper", COUNTS, [confidence]).items():
        assert (line is None) == (expected == 0), expected
        if line is not None:
            assert limit_of_a_count(float(line), 0, confidence) == pytest.approx(expected, rel=1e-5), expected
    for (expected, _), line in asked_of_all(server, "funnel_lower", COUNTS, [confidence]).items():
        assert (line is None) == (expected == 0), expected
        if line:
            assert limit_of_a_count(float(line), 1, confidence) == pytest.approx(expected, rel=1e-6), expected
        elif line is not None:
            assert expected <= limit_of_a_count(0, 1, confidence)
    labels = asked_of_all(server, "funnel_label", COUNTS, COUNTS)
    assert {expected for (_, expected), label in labels.items() if label is None} == {0.0}
    assert labels[1.0, 5e-324] == "High (0.001)"
    assert labels[0.0, 5e-324] == "Not significant"


@pytest.mark.parametrize("confidence", LIMITS)
def test_a_proportion_of_any_two_counts_has_wilsons_limits_and_one_of_none_has_none(
    server: Server, confidence: float
) -> None:
    z = LIMITS[confidence][2]
    for sign, name in ((-1, "wilson_lower"), (1, "wilson_upper")):
        for (x, n, _), limit in asked_of_all(server, name, COUNTS, [3.0, *COUNTS], [confidence]).items():
            if n == 0 or x > n:
                assert limit is None, (x, n)
            else:
                middle = (2 * x + z**2 + sign * z * math.sqrt(z**2 + 4 * x * (1 - x / n))) / (2 * (n + z**2))
                assert limit == pytest.approx(min(max(middle, 0), 1), rel=1e-6, abs=1e-12), (name, x, n)


def test_the_gamma_functions_are_those_of_scipy(server: Server) -> None:
    for (x,), answer in asked_of_all(server, "log_gamma", COUNTS).items():
        assert (answer is None) == (x < 1e-300), x
        if answer is not None:
            assert answer == pytest.approx(special.gammaln(x), rel=1e-9, abs=1e-12), x
    for (shape, x), answer in asked_of_all(server, "gamma_probability", COUNTS, COUNTS).items():
        assert (answer is None) == (shape < 1e-80 or x > 500), (shape, x)
        if answer is not None:
            assert answer == pytest.approx(special.gammainc(shape, x), rel=1e-9, abs=1e-300), (shape, x)


def test_the_test_of_two_counts_is_that_of_scipy_for_any_counts_and_exposures(server: Server) -> None:
    counts = [0.0, 1.0, 2.0, 3.0, 9.0, 10.0, 51.0, 59.0, 400.0, 431.0, 3000.0, 90_000.0, 1e6]
    exposures = [0.001, 1.0, 1.02, 250_000.0]
    answers = asked_of_all(server, "two_counts_p_value", counts, exposures, counts, exposures)
    for (first, first_exposure, second, second_exposure), p in answers.items():
        both = first_exposure + second_exposure
        # Each tail by the incomplete beta function: at most so many of both together, and at least so many.
        lower = special.betainc(second, first + 1, second_exposure / both) if second else 1.0
        upper = special.betainc(first, second + 1, first_exposure / both) if first else 1.0
        exact = min(1.0, 2 * min(lower, upper))
        assert p == pytest.approx(exact, rel=1e-6, abs=1e-290), (first, first_exposure, second, second_exposure)
