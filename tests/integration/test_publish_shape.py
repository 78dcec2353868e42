"""The shape of the marts follows the candidate where no reader's query breaks, and is refused where one would."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.candidates import AREA, FACT, Rows, area, bytes_of_marts, fact, judged, pair, read
from tests.refused import refused_with
from warehouse.platform import locking
from warehouse.platform.connection import ADMIN, ANALYST, connect
from warehouse.platform.settings import Settings
from warehouse.publish import publish, roll_back

WITH_INNER = """create table candidate.area (
    area_code text primary key, inner_outer text not null, area_name text not null, version integer not null
);
comment on table candidate.area is 'Grain: one row an area.';
comment on column candidate.area.inner_outer is 'inner or outer.';
comment on column candidate.area.area_name is 'Name as published.'"""


def _with_inner(*codes: str) -> tuple[str, str, Rows]:
    return "area", WITH_INNER, [(code, "inner", f"name {code}", 1) for code in codes]


def test_a_new_column_comes_with_its_comment_its_rule_and_its_values(warehouse: Settings) -> None:
    first = publish(warehouse, judged(warehouse, [area(("A", "name A", 1)), fact(("A", "2025-01-01", 1, 1))]))
    second = publish(warehouse, judged(warehouse, [_with_inner("A", "B"), fact(("A", "2025-01-01", 1, 1))]))
    assert second.row_changes["area"] == {"inserted": 1, "updated": 1, "deleted": 0}
    columns = "area_code, area_name, version, inner_outer"
    assert read(warehouse, f"select {columns} from marts.area order by 1") == [
        ("A", "name A", 1, "inner"),
        ("B", "name B", 1, "inner"),
    ]
    assert read(
        warehouse,
        """select attrelid::regclass::text, attnotnull, col_description(attrelid, attnum) from pg_attribute
           where attname = 'inner_outer' and attrelid in ('marts.area'::regclass, 'marts_history.area'::regclass)
           order by 1""",
    ) == [("marts.area", True, "inner or outer."), ("marts_history.area", False, "inner or outer.")]
    as_of = f"select {columns} from marts_history.area_as_of(%s) order by 1"
    assert read(warehouse, as_of % first.release_id) == [("A", "name A", 1, None)]
    assert read(warehouse, as_of % second.release_id) == [("A", "name A", 1, "inner"), ("B", "name B", 1, "inner")]


def test_rolling_back_to_before_a_column_and_forward_again_is_exact(warehouse: Settings) -> None:
    first = publish(warehouse, judged(warehouse, [area(("A", "name A", 1)), fact()])).release_id
    second = publish(warehouse, judged(warehouse, [_with_inner("A", "B"), fact()])).release_id
    assert roll_back(warehouse, first).state == "published"
    assert read(warehouse, "select area_code, inner_outer from marts.area") == [("A", None)]
    roll_back(warehouse, second)
    assert read(warehouse, "select area_code, inner_outer from marts.area order by 1") == [
        ("A", "inner"),
        ("B", "inner"),
    ]
    publish(warehouse, judged(warehouse, [_with_inner("A", "C"), fact()]))
    assert read(
        warehouse,
        "select attnotnull from pg_attribute where attrelid = 'marts.area'::regclass and attname = 'inner_outer'",
    ) == [(True,)]


def test_a_new_mart_is_made_beside_the_old_ones_and_is_empty_in_releases_before_it(warehouse: Settings) -> None:
    first = publish(warehouse, judged(warehouse, [area(("A", "Camden", 1))])).release_id
    second = publish(warehouse, judged(warehouse, [area(("A", "Camden", 1)), fact(("A", "2025-01-01", 1, 1))]))
    assert second.row_changes == {
        "area": {"inserted": 0, "updated": 0, "deleted": 0},
        "fact": {"inserted": 1, "updated": 0, "deleted": 0},
    }
    assert read(warehouse, "select confrelid::regclass::text from pg_constraint where contype = 'f' and conrelid = 'marts.fact'::regclass") == [("marts.area",)]  # fmt: skip
    assert roll_back(warehouse, first).row_counts == {"area": 1, "fact": 0}
    assert roll_back(warehouse, second.release_id).row_counts == {"area": 1, "fact": 1}


def test_a_changed_comment_is_published_and_no_row_is_touched(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    before = bytes_of_marts(warehouse)
    name, statements, rows = pair(1)[0]
    statements = statements.replace("one row an area", "one row a place").replace(
        "Name as published", "Name by the ONS"
    )
    done = publish(warehouse, judged(warehouse, [(name, statements, rows), pair(1)[1]]))
    assert (done.state, done.rows_changed) == ("published", 0)
    assert read(
        warehouse,
        """select obj_description('marts.area'::regclass), col_description('marts.area'::regclass, 2),
                  col_description('marts_history.area'::regclass, 2)""",
    ) == [("Grain: one row a place.", "Name by the ONS.", "Name by the ONS.")]
    assert bytes_of_marts(warehouse) == before


def test_rules_and_indexes_that_come_and_go_follow(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    loose = FACT.replace(" references candidate.area (area_code)", "").replace(", check (version >= 0)", "")
    loose = loose.replace("(month);", "(version);").replace("version integer not null", "version integer")
    rules = """select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'marts.fact'::regclass and contype <> 'n'
               union all select substring(indexdef from 'USING.*') from pg_indexes
               where schemaname = 'marts' and tablename = 'fact' and indexname not like '%pkey' order by 1"""
    publish(warehouse, judged(warehouse, [area(("A", "Camden", 1)), ("fact", loose, [("X", "2025-01-01", 1, None)])]))
    assert read(warehouse, rules) == [("PRIMARY KEY (area_code, month)",), ("USING btree (version)",)]
    assert read(warehouse, "select area_code, version from marts.fact") == [("X", None)]
    publish(warehouse, judged(warehouse, pair(2)))
    assert read(warehouse, rules) == [
        ("CHECK ((version >= 0))",),
        ("FOREIGN KEY (area_code) REFERENCES marts.area(area_code) DEFERRABLE INITIALLY DEFERRED",),
        ("PRIMARY KEY (area_code, month)",),
        ("USING btree (month)",),
    ]
    assert read(warehouse, "select distinct version from marts.fact") == [(2,)]


RENAMED = AREA.replace("area_name", "name")
RETYPED = AREA.replace("version integer", "version bigint")
OTHER_KEY = AREA.replace("text primary key", "text").replace("version integer not null", "version integer primary key")


REFUSED: list[tuple[list[tuple[str, str, Rows]], str]] = [
    ([("area", RENAMED, []), fact()], "area .*area_name"),
    ([("area", RETYPED, []), fact()], r"area\.version .*integer .*bigint"),
    (
        [("area", OTHER_KEY, []), ("fact", FACT.replace(" references candidate.area (area_code)", ""), [])],
        r"key of area .*\(area_code\) .*\(version\)",
    ),
    ([area()], r"\bfact\b"),
    (
        [("place", AREA.replace("candidate.area", "candidate.place"), []), area()],
        r"\bfact\b",
    ),
    ([*pair(1), ("x__dbt_tmp", "create table candidate.x__dbt_tmp (x integer primary key)", [])], "x__dbt_tmp"),
    ([*pair(1), ("x" * 58, f"create table candidate.{'x' * 58} (x integer primary key)", [])], r"\b57\b"),
]


def test_a_change_that_would_break_a_reader_is_refused_by_name(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    before = bytes_of_marts(warehouse)
    for tables, named in REFUSED:
        with refused_with("MART_SHAPE_REFUSED", match=named):
            publish(warehouse, judged(warehouse, tables))
        assert bytes_of_marts(warehouse) == before


def test_everything_that_is_wrong_with_a_shape_is_said_at_once(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    with refused_with("MART_SHAPE_REFUSED") as refusal:
        publish(warehouse, judged(warehouse, [("area", RENAMED.replace("version integer", "version bigint"), [])]))
    for named in (r"\bfact\b", "area_name", r"version .*integer"):
        assert re.search(named, str(refusal.value)), named


def test_a_new_column_waits_for_a_reader_in_short_tries_and_then_names_the_table(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 1.0)
    publish(warehouse, judged(warehouse, [area(("A", "name A", 1)), fact(("A", "2025-01-01", 1, 1))]))
    before = bytes_of_marts(warehouse)
    candidate_id = judged(warehouse, [_with_inner("A"), fact(("A", "2025-01-01", 2, 2))])
    with connect(warehouse, ANALYST) as reader:
        reader.execute("select * from marts.area")
        with refused_with("READERS_IN_THE_WAY", match=r"marts\.area .*\b1 s .*vru_analyst"):
            publish(warehouse, candidate_id)
        assert bytes_of_marts(warehouse) == before
    assert publish(warehouse, candidate_id).state == "published"
    assert read(warehouse, "select value from marts.fact") == [(2,)]


def _wider(name: str) -> tuple[str, str, Rows]:
    return name, f"create table candidate.{name} (code text primary key, note text)", [("A", "x")]


def _narrow(name: str) -> tuple[str, str, Rows]:
    return name, f"create table candidate.{name} (code text primary key)", [("A",)]


def test_a_reader_is_never_killed_by_a_change_of_several_tables(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 1.0)
    publish(warehouse, judged(warehouse, [_narrow(name) for name in ("a", "b", "c")]))
    candidate_id = judged(warehouse, [_wider(name) for name in ("a", "b", "c")])
    with (
        connect(warehouse, ANALYST) as reader_of_b,
        connect(warehouse, ANALYST) as reader_of_c,
        ThreadPoolExecutor() as pool,
    ):
        reader_of_b.execute("select * from marts.b")
        reader_of_c.execute("select * from marts.c")
        publishing = pool.submit(publish, warehouse, candidate_id)
        while not read(warehouse, "select 1 from pg_locks where relation = 'marts.b'::regclass and not granted", ADMIN):
            assert not publishing.done()
        # The publisher holds a and waits for b. Whoever reads c comes for a now, and b is let go of a little later: from
        # then on each waits for the other, and PostgreSQL would end the reader one second after it began to wait.
        reading = pool.submit(reader_of_c.execute, "select * from marts.a")
        time.sleep(0.5)
        reader_of_b.commit()
        assert reading.result().fetchall() == [("A",)]
        with refused_with("READERS_IN_THE_WAY", match=r"marts\.c\b"):
            publishing.result()
