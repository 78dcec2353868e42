"""Publishing beside readers, beside another publisher, and when the publisher dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.candidates import FACT, bytes_of_marts, fill, judge, judged, pair, read
from warehouse.platform.connection import ADMIN, ANALYST, TRANSFORMER, connect
from warehouse.platform.settings import PROJECT, Settings
from warehouse.publish import Publication, publish

VERSIONS = """select (select array_agg(distinct version) from marts.area), (select array_agg(distinct version) from marts.fact),
                     (select count(*) from marts.area), (select count(*) from marts.fact)"""


def _next_version(warehouse: Settings, version: int, areas: int) -> Publication:
    """What a night does, without making the tables anew, which would cost these tests most of their time."""
    candidate_id = f"night {version}"
    with connect(warehouse, TRANSFORMER) as connection:
        connection.execute(
            """insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind, built_at)
               values (%s, %s, 'v1', 'synthetic', now())""",
            [candidate_id, candidate_id],
        )
        connection.execute("delete from candidate.fact")
        connection.execute("delete from candidate.area")
        for name, _, rows in pair(version, areas):
            fill(connection, name, rows)
    judge(warehouse, candidate_id)
    return publish(warehouse, candidate_id)


def test_a_reader_in_a_tight_loop_sees_neither_an_error_nor_a_half(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(0)))
    stop = threading.Event()
    slowest = 0.0
    seen: set[int] = set()

    def one_statement(connection: psycopg.Connection) -> list[tuple[object, ...]]:
        return connection.execute(VERSIONS.encode()).fetchall()

    def two_statements(connection: psycopg.Connection) -> list[tuple[object, ...]]:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            areas = connection.execute("select array_agg(distinct version), count(*) from marts.area").fetchall()
            facts = connection.execute("select array_agg(distinct version), count(*) from marts.fact").fetchall()
        return [(areas[0][0], facts[0][0], areas[0][1], facts[0][1])]

    def loop(look: Callable[[psycopg.Connection], list[tuple[object, ...]]]) -> int:
        nonlocal slowest
        looks = 0
        with connect(warehouse, ANALYST, autocommit=True) as connection:
            while not stop.is_set():
                begun = time.monotonic()
                [(area_versions, fact_versions, areas, facts)] = look(connection)
                slowest = max(slowest, time.monotonic() - begun)
                assert isinstance(area_versions, list)
                assert area_versions == fact_versions
                assert len(area_versions) == 1
                assert areas == facts == 3 + area_versions[0] % 5
                seen.add(area_versions[0])
                looks += 1
        return looks

    with ThreadPoolExecutor() as pool:
        readers = [pool.submit(loop, look) for look in (one_statement, two_statements)]
        try:
            for version in range(1, 31):
                assert _next_version(warehouse, version, 3 + version % 5).state == "published"
        finally:
            stop.set()
        assert all(reader.result() > 30 for reader in readers)
    assert len(seen) > 10
    assert slowest < 2


def test_a_transaction_held_open_for_the_whole_time_reads_the_old_release_and_stops_nothing(
    warehouse: Settings,
) -> None:
    publish(warehouse, judged(warehouse, pair(0)))
    with connect(warehouse, ANALYST) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        before = connection.execute(VERSIONS.encode()).fetchall()
        for version in range(1, 4):
            assert _next_version(warehouse, version, 3 + version).state == "published"
            assert connection.execute(VERSIONS.encode()).fetchall() == before == [([0], [0], 3, 3)]
        connection.commit()
        assert connection.execute(VERSIONS.encode()).fetchall() == [([3], [3], 6, 6)]


def test_an_analyst_who_forgot_a_transaction_does_not_hold_up_a_publish(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(0)))
    with connect(warehouse, ANALYST) as connection:
        connection.execute(
            "lock table marts.area, marts.fact, marts_history.area, marts_history.fact in access share mode"
        )
        begun = time.monotonic()
        assert _next_version(warehouse, 1, 4).state == "published"
        assert time.monotonic() - begun < 5


def test_two_publishers_at_once_publish_once(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(0)))
    candidate_id = judged(warehouse, pair(1))
    with ThreadPoolExecutor() as pool:
        outcomes = [future.result() for future in [pool.submit(publish, warehouse, candidate_id) for _ in range(4)]]
    assert [outcome == outcomes[0] for outcome in outcomes] == [True] * 4
    assert outcomes[0].state == "published"
    assert read(warehouse, "select count(*) from marts.publication") == [(2,)]
    assert read(warehouse, "select count(*) from marts_history.area") == [(6,)]


def test_a_build_that_begins_during_a_publish_does_not_mix_into_it(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(0)))
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """create function public.wait() returns trigger language plpgsql as
               $$ begin perform pg_sleep(1.5); return null; end $$;
               create trigger wait before update on marts.area for each statement execute function public.wait()"""
        )
    candidate_id = judged(warehouse, pair(1))
    with ThreadPoolExecutor() as pool:
        publishing = pool.submit(publish, warehouse, candidate_id)
        _wait_until(warehouse, "wait_event = 'PgSleep'")
        # The publisher has moved area and not yet looked at fact.
        with connect(warehouse, TRANSFORMER) as connection:
            connection.execute(
                """insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind)
                   values ('the next', 'f', 'v1', 'synthetic');
                   drop table candidate.fact"""
            )
            connection.execute(FACT.encode())
            fill(connection, "fact", pair(2)[1][2])
        assert publishing.result().state == "published"
    assert read(warehouse, VERSIONS) == [([1], [1], 3, 3)]


def _wait_until(warehouse: Settings, condition: str, *, there: bool = True) -> None:
    for _ in range(200):
        query = f"select 1 from pg_stat_activity where usename = 'vru_publisher' and datname = current_database() and {condition}"
        if bool(read(warehouse, query, ADMIN)) is there:
            return
        time.sleep(0.05)
    raise AssertionError(f"{condition} did not become {there}")


@pytest.mark.parametrize("where", ["marts.fact", "marts_past.fact"])
def test_a_publisher_that_is_killed_leaves_everything_as_it_was_and_the_next_one_works(
    warehouse: Settings, where: str
) -> None:
    publish(warehouse, judged(warehouse, pair(0)))
    before = bytes_of_marts(warehouse)
    candidate_id = judged(warehouse, pair(1, areas=4))
    with connect(warehouse, ADMIN) as connection:
        # The other table's rows have moved by then, and are not committed.
        connection.execute(
            f"""create function public.wait() returns trigger language plpgsql as
                $$ begin perform pg_sleep(60); return null; end $$;
                create trigger wait after insert or update on {where} for each statement execute function public.wait()""".encode()
        )
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("VRU_")},
        "VRU_HOME": str(warehouse.home),
        "VRU_SECRETS_DIR": str(warehouse.secrets),
        "VRU_DATABASE_URL": warehouse.database_url.get_secret_value() if warehouse.database_url else "",
    }
    program = "import sys; from warehouse.publish import publish; from warehouse.platform.settings import settings; publish(settings(), sys.argv[1])"
    process = subprocess.Popen([sys.executable, "-c", program, candidate_id], env=environment, cwd=PROJECT)
    try:
        _wait_until(warehouse, "wait_event = 'PgSleep'")
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    _wait_until(warehouse, "true", there=False)
    assert process.returncode == -signal.SIGKILL
    assert bytes_of_marts(warehouse) == before
    assert read(warehouse, "select state from ops.release order by release_id", ADMIN) == [("published",), ("judged",)]
    with connect(warehouse, ADMIN) as connection:
        connection.execute(f"drop trigger wait on {where}".encode())
    done = publish(warehouse, candidate_id)
    assert (done.state, done.row_changes["fact"]) == ("published", {"inserted": 1, "updated": 3, "deleted": 0})
    assert read(warehouse, VERSIONS) == [([1], [1], 4, 4)]
