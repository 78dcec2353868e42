"""What a home takes of the disk: what stands, what has changed, and little beside."""

from __future__ import annotations

from pathlib import Path

from tests.candidates import area, fact, judged, pair, read
from tests.homes import Home, home_like
from warehouse.build.emptying import MADE_FOR_THE_MARTS
from warehouse.home import setup
from warehouse.platform import embedded
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings, read_settings
from warehouse.publish import history, publish

SIZES = """select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class as c
           join pg_namespace as n on n.oid = c.relnamespace where c.relkind = 'r' and {}"""
AREAS = "select * from marts_history.area order by area_code, valid_from_release_id"


def test_a_first_night_keeps_each_row_of_the_marts_once(first_night: Home) -> None:
    def megabytes(condition: str) -> float:
        ((size,),) = first_night.rows(SIZES.format(condition), ADMIN)
        return int(str(size)) / 2**20

    assert megabytes("n.nspname = 'marts'") > 400
    # Empty tables have their indexes' first pages.
    assert megabytes("n.nspname in ('candidate', 'marts_past')") < 5
    assert megabytes(f"n.nspname = 'intermediate' and c.relname ~ '{MADE_FOR_THE_MARTS}'") < 1
    ((log,),) = first_night.rows("select sum(size)::bigint from pg_ls_waldir()", ADMIN)
    assert int(str(log)) <= 144 * 2**20  # max_wal_size, and the segment under way


def test_a_home_whose_history_repeated_its_marts_says_the_same_of_every_release_in_less_room(
    warehouse: Settings,
) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    areas = area(("E0", "area 0", 1), ("E1", "AREA 1", 1), ("E3", "area 3", 1))
    publish(warehouse, judged(warehouse, [areas, fact()]))
    before = read(warehouse, AREAS)
    releases = [read(warehouse, f"select * from marts_history.area_as_of({n}) order by 1") for n in (1, 2)]
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """create table public.old as select * from marts_history.area;
               drop view marts_history.area, marts_history.fact;
               drop table marts_past.area, marts_past.fact;
               create table marts_history.area (like public.old, primary key (area_code, valid_from_release_id));
               comment on table marts_history.area is 'Every row.';
               insert into marts_history.area select * from public.old;
               alter table marts_history.area owner to vru_publisher;
               create view marts.gone as select 1 as x;
               create table marts_history.gone as select 1 as x, 1::bigint as valid_from_release_id, null::bigint as valid_to_release_id;
               alter table marts_history.gone owner to vru_publisher;
               delete from ops.mart_beginning;
               update ops.set_up set fingerprint = 'of an older version'"""
        )
    setup.set_up(warehouse)
    assert read(warehouse, AREAS) == before
    assert [read(warehouse, f"select * from marts_history.area_as_of({n}) order by 1") for n in (1, 2)] == releases
    assert read(warehouse, "select obj_description('marts_history.area'::regclass)") == [("Every row.",)]
    # E0 has said the same since the first release: it stands in the mart alone.
    assert read(warehouse, "select distinct area_code from marts_past.area order by 1", ADMIN) == [
        ("E1",),
        ("E2",),
        ("E3",),
    ]
    # Of a mart that has become a view, history is all there is.
    assert read(warehouse, "select * from marts_history.gone") == [(1, 1, None)]
    setup.set_up(warehouse, again=True)
    assert read(warehouse, AREAS) == before


def test_log_that_was_laid_ready_under_a_larger_limit_is_let_go_of(set_up_home: Path) -> None:
    with home_like(set_up_home) as folder:
        settings = read_settings({"VRU_HOME": str(folder)})
        embedded.start(folder / "postgres")
        with connect(settings, ADMIN, autocommit=True, database="postgres") as connection:

            def segments() -> int:
                row = connection.execute("select count(*) from pg_ls_waldir()").fetchone()
                return int(row[0]) if row else 0

            for _ in range(8):
                connection.execute("select pg_logical_emit_message(false, 'vru', '')")
                connection.execute("select pg_switch_wal()")
            connection.execute("checkpoint")
            assert segments() > 4
            connection.execute("alter system set min_wal_size = '32MB'")
            connection.execute("alter system set max_wal_size = '32MB'")
            connection.execute("select pg_reload_conf()")
            connection.execute("select pg_sleep(0.2)")
            setup._let_go_of_old_log(connection)
            assert segments() <= 3


def test_nothing_is_shed_twice(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    with connect(warehouse, ADMIN, autocommit=True) as connection:
        history.shed(connection)
    assert read(warehouse, "select count(*) from marts_history.area") == [(3,)]
