"""Publishing moves all marts at once, by difference, and keeps what every release said."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import psycopg
import pytest

from tests.candidates import area, build, bytes_of_marts, fact, judge, judged, pair, read
from tests.refused import refused_with
from warehouse.platform.connection import ADMIN, ANALYST, GATE, LOADER, OPEN, PUBLISHER, TRANSFORMER, connect
from warehouse.platform.settings import Settings
from warehouse.publish import publish, releases

JANUARY, FEBRUARY = dt.date(2025, 1, 1), dt.date(2025, 2, 1)


def test_a_first_publish_makes_the_marts_and_says_what_it_moved(warehouse: Settings) -> None:
    candidate_id = judged(
        warehouse, [area(("A", "Camden", 1)), fact(("A", "2025-01-01", 5, 1), ("A", "2025-02-01", None, 1))]
    )
    done = publish(warehouse, candidate_id)
    assert (done.state, done.verdict, done.data_kind, done.candidate_id) == (
        "published",
        "passed",
        "synthetic",
        candidate_id,
    )
    assert done.row_counts == {"area": 1, "fact": 2}
    assert done.row_changes == {
        "area": {"inserted": 1, "updated": 0, "deleted": 0},
        "fact": {"inserted": 2, "updated": 0, "deleted": 0},
    }
    assert done.current_release_id == done.release_id
    assert read(warehouse, "select * from marts.fact order by month") == [
        ("A", JANUARY, Decimal(5), 1),
        ("A", FEBRUARY, None, 1),
    ]
    assert read(warehouse, "select release_id, verdict, row_count, is_current from marts.publication") == [
        (done.release_id, "passed", 3, True)
    ]


def test_a_mart_has_the_comments_keys_and_rules_of_its_candidate(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    assert read(
        warehouse,
        """select obj_description('marts.area'::regclass), col_description('marts.area'::regclass, 2),
                  obj_description('marts_history.area'::regclass), col_description('marts_history.area'::regclass, 2),
                  obj_description('marts_history.area_as_of(bigint)'::regprocedure)""",
    ) == [
        (
            "Grain: one row an area.",
            "Name as published.",
            "Every row marts.area has published, with the releases it was valid from and to. Grain: one row an area.",
            "Name as published.",
            "The rows of marts.area as that release published them (marts.publication lists releases).",
        )
    ]
    constraints = read(
        warehouse,
        """select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
           where conrelid in ('marts.area'::regclass, 'marts.fact'::regclass, 'marts_past.fact'::regclass)
           and contype <> 'n' order by 1, 2""",
        ADMIN,
    )
    assert constraints == [
        ("marts.area", "PRIMARY KEY (area_code)"),
        ("marts.fact", "CHECK ((version >= 0))"),
        ("marts.fact", "FOREIGN KEY (area_code) REFERENCES marts.area(area_code) DEFERRABLE INITIALLY DEFERRED"),
        ("marts.fact", "PRIMARY KEY (area_code, month)"),
        ("marts_past.fact", "PRIMARY KEY (area_code, month, valid_from_release_id)"),
    ]
    assert read(
        warehouse,
        "select attname::text from pg_attribute where attrelid = 'marts.fact'::regclass and attnum > 0 and attnotnull order by 1",
    ) == [("area_code",), ("month",), ("version",)]
    assert read(
        warehouse, "select indexdef from pg_indexes where schemaname = 'marts' and indexname like 'fact_month%'"
    ) == [("CREATE INDEX fact_month_idx ON marts.fact USING btree (month)",)]


def test_whoever_reads_marts_reads_a_new_one_and_its_history_and_nobody_else_does(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    for relation in ("marts.fact", "marts_history.fact", "marts_history.fact_as_of(1)"):
        for role in (ANALYST, GATE):
            assert len(read(warehouse, f"select * from {relation}", role)) == 3
        for role in (LOADER, OPEN, TRANSFORMER):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                read(warehouse, f"select * from {relation}", role)
    assert read(
        warehouse,
        """select rolname::text from pg_roles
           where rolname like 'vru%' and rolcanlogin and has_function_privilege(oid, 'marts_history.fact_as_of(bigint)', 'execute')
           order by 1""",
    ) == [(ANALYST,), (GATE,), (PUBLISHER,)]


def test_an_analyst_may_write_neither_a_mart_nor_history(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    for table in ("marts.area", "marts_past.area"):
        with connect(warehouse, ANALYST) as connection:
            connection.execute("set transaction read write")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"delete from {table}".encode())


def test_history_holds_every_row_ever_published_and_from_when_to_when(warehouse: Settings) -> None:
    first = publish(warehouse, judged(warehouse, [area(("A", "Camden", 1), ("B", "Brent", 1)), fact()])).release_id
    second = publish(warehouse, judged(warehouse, [area(("A", "CAMDEN", 1), ("C", "Bexley", 1)), fact()]))
    third = publish(
        warehouse, judged(warehouse, [area(("A", "Camden", 1), ("B", "Brent", 1), ("C", "Bexley", 1)), fact()])
    )
    assert second.row_changes["area"] == {"inserted": 1, "updated": 1, "deleted": 1}
    assert third.row_changes["area"] == {"inserted": 1, "updated": 1, "deleted": 0}
    assert third.row_changes["fact"] == {"inserted": 0, "updated": 0, "deleted": 0}
    assert read(warehouse, "select * from marts_history.area order by 1, 4") == [
        ("A", "Camden", 1, first, second.release_id),
        ("A", "CAMDEN", 1, second.release_id, third.release_id),
        ("A", "Camden", 1, third.release_id, None),
        ("B", "Brent", 1, first, second.release_id),
        ("B", "Brent", 1, third.release_id, None),
        ("C", "Bexley", 1, second.release_id, None),
    ]


def test_history_costs_what_a_release_changes_and_the_first_one_nothing(warehouse: Settings) -> None:
    first = publish(warehouse, judged(warehouse, pair(1))).release_id
    assert read(warehouse, "select count(*) from marts_past.fact", ADMIN) == [(0,)]
    assert read(warehouse, "select count(*), min(valid_from_release_id) from marts_history.fact") == [(3, first)]
    areas, facts = pair(1)
    changed = [(code, month, value + (code == "E1"), version) for code, month, value, version in facts[2]]
    second = publish(warehouse, judged(warehouse, [areas, fact(*changed)])).release_id
    assert read(
        warehouse, "select area_code, valid_from_release_id, valid_to_release_id from marts_past.fact order by 2", ADMIN
    ) == [
        ("E1", first, second),
        ("E1", second, None),
    ]
    assert read(warehouse, "select count(*) from marts_history.fact") == [(4,)]
    assert read(warehouse, "select value from marts_history.fact_as_of(1) where area_code = 'E1'") == [(1,)]


def test_every_release_can_be_queried_again_exactly(warehouse: Settings) -> None:
    said: dict[int, list[tuple[object, ...]]] = {}
    for n in range(6):
        rows = [(f"E{i}", "2025-01-01", None if i == n else i * n % 4, n % 2) for i in range(8) if i % 3 != n % 3]
        tables = [area(*[(f"E{i}", f"name {i % (n + 1)}", 0) for i in range(8)]), fact(*rows)]
        release_id = publish(warehouse, judged(warehouse, tables)).release_id
        said[release_id] = read(warehouse, "select * from marts.fact order by 1")
    assert len(said) == 6
    for release_id, rows in said.items():
        assert read(warehouse, f"select * from marts_history.fact_as_of({release_id}) order by 1") == rows
    assert read(warehouse, f"select * from marts_history.fact_as_of({min(said) - 1})") == []


def test_only_rows_that_differ_are_touched(warehouse: Settings) -> None:
    publish(
        warehouse, judged(warehouse, [area(("A", "Camden", 1), ("B", "Brent", 1)), fact(("A", "2025-01-01", 1, 1))])
    )
    before = dict(read(warehouse, "select area_code, xmin::text from marts.area"))
    publish(
        warehouse, judged(warehouse, [area(("A", "Camden", 1), ("B", "BRENT", 1)), fact(("A", "2025-01-01", 1, 1))])
    )
    after = dict(read(warehouse, "select area_code, xmin::text from marts.area"))
    assert before["A"] == after["A"]
    assert before["B"] != after["B"]


def test_a_candidate_that_says_the_same_writes_nothing_and_leaves_the_current_release(warehouse: Settings) -> None:
    first = publish(warehouse, judged(warehouse, pair(1)))
    before = bytes_of_marts(warehouse, with_attempts=True)
    done = publish(warehouse, judged(warehouse, pair(1)))
    assert (done.state, done.published_at, done.current_release_id, done.rows_changed) == (
        "unchanged",
        None,
        first.release_id,
        0,
    )
    assert bytes_of_marts(warehouse, with_attempts=True) == before
    assert read(warehouse, "select release_id, is_current from marts.publication") == [(first.release_id, True)]
    assert [(r["release_id"], r["state"], r["rows_changed"], r["is_current"]) for r in releases(warehouse)] == [
        (done.release_id, "unchanged", 0, False),
        (first.release_id, "published", 6, True),
    ]


def test_publishing_the_same_candidate_again_returns_its_publication(warehouse: Settings) -> None:
    candidate_id = judged(warehouse, pair(1))
    first = publish(warehouse, candidate_id)
    before = bytes_of_marts(warehouse)
    assert publish(warehouse, candidate_id) == first
    assert bytes_of_marts(warehouse) == before


def test_a_warned_candidate_is_published_with_its_warning(warehouse: Settings) -> None:
    candidate_id = build(warehouse, pair(1))
    judge(warehouse, candidate_id, "warned", "unknown share above 2 % in 2025-01")
    assert publish(warehouse, candidate_id).verdict == "warned"
    assert read(warehouse, "select verdict, verdict_reason from marts.publication") == [
        ("warned", "unknown share above 2 % in 2025-01")
    ]


def test_values_that_rows_swap_in_a_unique_column_are_published(warehouse: Settings) -> None:
    ranked = "create table candidate.ranked (code text primary key, rank integer not null unique)"
    publish(warehouse, judged(warehouse, [("ranked", ranked, [("A", 1), ("B", 2), ("C", 3)])]))
    done = publish(warehouse, judged(warehouse, [("ranked", ranked, [("A", 2), ("B", 1), ("C", 3)])]))
    assert done.row_changes == {"ranked": {"inserted": 0, "updated": 2, "deleted": 0}}
    assert read(warehouse, "select * from marts.ranked order by 1") == [("A", 2), ("B", 1), ("C", 3)]
    assert read(warehouse, "select count(*) from marts_history.ranked") == [(5,)]


def test_a_mart_that_is_all_key_is_published_by_difference(warehouse: Settings) -> None:
    allowed = "create table candidate.allowed (code text primary key)"
    publish(warehouse, judged(warehouse, [("allowed", allowed, [("A",), ("B",)])]))
    done = publish(warehouse, judged(warehouse, [("allowed", allowed, [("B",), ("C",)])]))
    assert done.row_changes == {"allowed": {"inserted": 1, "updated": 0, "deleted": 1}}
    assert read(warehouse, "select code from marts.allowed order by 1") == [("B",), ("C",)]


def test_a_row_and_the_row_it_points_at_may_come_and_go_together(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, [area(("A", "Camden", 1)), fact(("A", "2025-01-01", 1, 1))]))
    publish(warehouse, judged(warehouse, [area(("B", "Brent", 1)), fact(("B", "2025-01-01", 1, 1))]))
    assert read(warehouse, "select area_code from marts.area join marts.fact using (area_code)") == [("B",)]


def test_names_that_need_quoting_are_published(warehouse: Settings) -> None:
    table = 'create table candidate."Odd ""name" ("select" text primary key, "a;b" integer, release_id integer)'
    for value in (1, 2):
        publish(warehouse, judged(warehouse, [('Odd "name', table, [("x", value, 7)])]))
    assert read(warehouse, 'select * from marts_history."Odd ""name_as_of"(1)') == [("x", 1, 7)]


def test_a_publish_takes_no_lock_a_reader_could_meet(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """create table public.seen (mode text);
               grant insert on public.seen to vru_publisher; grant usage on schema public to vru_publisher;
               create function public.note() returns trigger language plpgsql as $$ begin
                   insert into public.seen select mode from pg_locks as l join pg_class as c on c.oid = l.relation
                   where pid = pg_backend_pid() and relnamespace in ('marts'::regnamespace, 'marts_past'::regnamespace);
                   return null; end $$;
               create constraint trigger note after insert or update or delete on marts.fact
               deferrable initially deferred for each row execute function public.note()"""
        )
    publish(warehouse, judged(warehouse, pair(2, areas=4)))
    modes = {mode for (mode,) in read(warehouse, "select distinct mode from public.seen", ADMIN)}
    assert modes == {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}


def test_what_moved_is_known_to_the_planner_at_once(warehouse: Settings) -> None:
    for version in (1, 2):
        publish(warehouse, judged(warehouse, pair(version, areas=30)))
    assert read(
        warehouse,
        """select schemaname::text, n_distinct from pg_stats
           where tablename = 'area' and attname = 'area_code' and schemaname like 'marts%' order by 1""",
        ADMIN,
    ) == [("marts", -1), ("marts_past", -0.5)]


def test_a_database_that_gives_up_is_told_in_a_sentence(warehouse: Settings) -> None:
    candidate_id = judged(warehouse, pair(1))
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """create function public.full_disk() returns event_trigger language plpgsql as
               $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
               create event trigger full_disk on ddl_command_start when tag in ('CREATE TABLE')
               execute function public.full_disk()"""
        )
    try:
        with refused_with("DATABASE_REFUSED", match="could not extend file") as refusal:
            publish(warehouse, candidate_id)
        assert "publish again" in str(refusal.value)
    finally:
        with connect(warehouse, ADMIN) as connection:
            connection.execute("drop event trigger full_disk")
    assert publish(warehouse, candidate_id).state == "published"


def test_the_publisher_has_no_more_rights_than_publishing_takes(warehouse: Settings) -> None:
    for statement in (
        "select * from raw.mps__borough_recent",
        "delete from ops.release",
        "drop view marts.publication",
    ):
        with connect(warehouse, PUBLISHER) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_release_in_which_every_row_differs_does_not_read_its_history_for_each(warehouse: Settings) -> None:
    rows = 3000
    publish(warehouse, judged(warehouse, pair(1, areas=rows)))
    publish(warehouse, judged(warehouse, pair(2, areas=rows)))
    pages = "select heap_blks_hit + heap_blks_read from pg_statio_all_tables where schemaname = 'marts_past' and relname = 'fact'"
    ((visited,),) = read(warehouse, pages, ADMIN)
    # Each row is put there twice, as it was and as it is, and closed once.
    assert visited < 6 * rows
    assert read(warehouse, "select count(*) from marts_past.fact", ADMIN) == [(2 * rows,)]
