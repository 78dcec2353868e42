"""A mart may be a view of the others: it is published, read as of every release, changed and refused as they are."""

from __future__ import annotations

import psycopg
import pytest

from tests.candidates import Rows, area, fact, judged, pair, read
from tests.refused import refused_with
from warehouse.platform import locking
from warehouse.platform.connection import ADMIN, ANALYST, connect
from warehouse.platform.settings import Settings
from warehouse.publish import publish, roll_back

NAMED = """create view candidate.named_fact as
select f.area_code, a.area_name, f.value from candidate.fact as f inner join candidate.area as a on f.area_code = a.area_code;
comment on view candidate.named_fact is 'Grain: area x month, with the name of the area.';
comment on column candidate.named_fact.area_name is 'Name as published.'"""
# It reads a view, and a table under the table's own name.
COUNTED = """create view candidate.counted as
select named_fact.area_name, (select count(*) from candidate.area) as areas from candidate.named_fact"""


def _tables(value: int, *views: tuple[str, str]) -> list[tuple[str, str, Rows]]:
    return [
        area(("A", "Camden", 1)),
        fact(("A", "2025-01-01", value, 1)),
        *[(name, statements, []) for name, statements in views],
    ]


def test_a_view_stands_in_the_marts_with_its_comments_and_reads_the_marts(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, _tables(7, ("named_fact", NAMED))))
    with connect(warehouse, ADMIN) as connection:
        connection.execute("drop schema candidate cascade")
    assert read(warehouse, "select * from marts.named_fact") == [("A", "Camden", 7)]
    assert read(
        warehouse,
        "select obj_description('marts.named_fact'::regclass), col_description('marts.named_fact'::regclass, 2)",
    ) == [("Grain: area x month, with the name of the area.", "Name as published.")]


def test_a_view_and_a_view_of_it_can_be_read_as_of_every_release(warehouse: Settings) -> None:
    views = ("named_fact", NAMED), ("counted", COUNTED)
    first = publish(warehouse, judged(warehouse, _tables(7, *views))).release_id
    second = publish(warehouse, judged(warehouse, _tables(8, *views))).release_id
    for release, value in ((first, 7), (second, 8)):
        assert read(warehouse, f"select value from marts_history.named_fact_as_of({release})") == [(value,)]
        assert read(warehouse, f"select * from marts_history.counted_as_of({release})") == [("Camden", 1)]
    roll_back(warehouse, first)
    assert read(warehouse, "select value from marts.named_fact") == [(7,)]


def test_a_view_shows_nobody_more_than_its_tables_do(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, _tables(7, ("named_fact", NAMED))))
    with connect(warehouse, ADMIN) as connection:
        connection.execute(f"revoke select on marts.area from {ANALYST}".encode())
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"\barea\b"):
        read(warehouse, "select * from marts.named_fact")


def test_a_view_that_says_the_same_is_not_written_again(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, _tables(7, ("named_fact", NAMED))))
    number = read(warehouse, "select 'marts.named_fact'::regclass::oid::bigint")
    publish(warehouse, judged(warehouse, _tables(8, ("named_fact", NAMED))))
    assert read(warehouse, "select 'marts.named_fact'::regclass::oid::bigint") == number


def test_a_view_may_gain_a_column_though_another_reads_it(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, _tables(7, ("named_fact", NAMED), ("counted", COUNTED))))
    wider = NAMED.replace("f.area_code,", "f.month, f.area_code,")
    changed = publish(warehouse, judged(warehouse, _tables(7, ("named_fact", wider), ("counted", COUNTED))))
    assert changed.state == "published"
    assert read(warehouse, "select month::text, area_code from marts.named_fact") == [("2025-01-01", "A")]
    assert read(warehouse, "select * from marts.counted") == [("Camden", 1)]


@pytest.mark.parametrize(
    ("views", "named"),
    [
        ([("named_fact", NAMED.replace("f.value", "f.value::text as value"))], "named_fact.value .*numeric .*text"),
        ([("named_fact", NAMED.replace("a.area_name", "a.area_name as name").rsplit(";", 1)[0])], "named_fact .*area_name"),
        ([], "named_fact"),
    ],
)  # fmt: skip
def test_what_would_break_a_readers_query_is_refused(
    warehouse: Settings, views: list[tuple[str, str]], named: str
) -> None:
    publish(warehouse, judged(warehouse, _tables(7, ("named_fact", NAMED))))
    with refused_with("MART_SHAPE_REFUSED", match=named):
        publish(warehouse, judged(warehouse, _tables(8, *views)))
    assert read(warehouse, "select * from marts.named_fact") == [("A", "Camden", 7)]


def test_a_table_may_become_a_view_and_what_it_said_stays_in_history(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1, areas=1)))
    as_view = "create view candidate.fact as select a.area_code, '2025-01-01'::date as month, 5::numeric as value, a.version from candidate.area as a"
    publish(warehouse, judged(warehouse, [area(("E0", "area 0", 1)), ("fact", as_view, [])]))
    assert read(warehouse, "select value from marts.fact") == [(5,)]
    assert read(warehouse, "select value from marts_history.fact", ADMIN) == [(1,)]


def test_a_reader_who_holds_on_to_a_view_that_has_to_change_is_named_and_nothing_changes(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 1.0)
    publish(warehouse, judged(warehouse, _tables(7, ("named_fact", NAMED))))
    wider = judged(warehouse, _tables(8, ("named_fact", NAMED.replace("f.value", "f.value, f.month"))))
    with connect(warehouse, ANALYST) as reader:
        assert reader.execute("select value from marts.named_fact").fetchone() == (7,)
        with refused_with("READERS_IN_THE_WAY", match=r"marts\.named_fact .*\b1 s .*vru_analyst"):
            publish(warehouse, wider)
        assert reader.execute("select value from marts.named_fact").fetchone() == (7,)
    assert publish(warehouse, wider).state == "published"
    assert read(warehouse, "select value from marts.named_fact") == [(8,)]
