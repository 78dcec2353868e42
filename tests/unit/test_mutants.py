"""What `make mutate` changes in a statement, and what it leaves alone."""

from __future__ import annotations

import pytest

from tests.mutants.changes import changes_of


def made(statement: str) -> set[str]:
    return {change.made_in(statement) for change in changes_of(statement)}


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        ("select a < 10 from t", {"select a <= 10 from t", "select a < 11 from t"}),
        ("select a * b, count(*), t.* from t", {"select a / b, count(*), t.* from t"}),
        ("select a between 1 and 2", {"select a between 2 and 2", "select a between 1 and 3"}),
        ("from a left join b on a.k = b.k", {"from a inner join b on a.k = b.k", "from a left join b on a.k <> b.k"}),
        ("select coalesce(a, b)", {"select coalesce(a)"}),
        ("select a is not null", {"select a is null"}),
        ("select interval '11 months'", {"select interval '12 months'"}),
        ("select date_trunc('month', d)", {"select date_trunc('year', d)"}),
        ("select sum(a) over (order by b desc)", {"select max(a) over (order by b desc)", "select sum(a) over (order by b asc)"}),
    ],
)  # fmt: skip
def test_each_change_is_of_one_operator_constant_join_or_function(statement: str, changed: set[str]) -> None:
    assert made(statement) == changed


def test_each_condition_of_a_filter_is_dropped_once_and_one_with_or_as_a_whole() -> None:
    assert {"where true and b between 1 and 2", "where a and true"} < made("where a and b between 1 and 2")
    assert "select 1 from t where true group by x" in made("select 1 from t where a or b group by x")


@pytest.mark.parametrize(
    "statement",
    [
        "-- a = 1\nselect a",
        "select a::numeric(18, 4)",
        "select a || ' of ' || b",
        "select 'Too few to tell.'",
        "select to_char(d, 'YYYY-MM')",
        "select round(a, 2)::numeric(12, 2)",
        'select "a = b"',
    ],
)
def test_comments_types_names_and_what_people_read_are_left_alone(statement: str) -> None:
    assert made(statement) == set()


def test_a_row_that_is_picked_by_its_key_is_picked_by_max_or_min_alike() -> None:
    assert "select min(a) filter (where b = 'L') over c" not in made("select max(a) filter (where b = 'L') over c")
    assert "select min(a) filter (where b > 1) over c" in made("select max(a) filter (where b > 1) over c")


def test_the_first_of_a_ranking_is_the_first_of_a_dense_one() -> None:
    assert not any(
        "dense_rank" in statement
        for statement in made("select rank() over (partition by a order by b desc) = 1 from t")
    )
    assert "select dense_rank() over (order by b) as place" in made("select rank() over (order by b) as place")
