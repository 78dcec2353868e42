"""Building, judging and publishing what a test's warehouse has loaded, as `vru build` does."""

from __future__ import annotations

import os

import psycopg
import pytest

from expectations import engine, figures
from expectations.engine import session_settings
from expectations.suite import read_suites
from warehouse import runs
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings, settings


def build_and_publish(warehouse: Settings) -> bool:
    """Whether the marts now hold what is loaded. The steps read their settings from the environment, as they do at night."""
    assert warehouse.database_url is not None
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("VRU_")]:
            patch.delenv(name)
        patch.setenv("VRU_HOME", str(warehouse.home))
        patch.setenv("VRU_SECRETS_DIR", str(warehouse.secrets))
        patch.setenv("VRU_DATABASE_URL", warehouse.database_url.get_secret_value())
        settings.cache_clear()
        try:
            is_published = runs.build_and_publish(warehouse, print)
        finally:
            settings.cache_clear()
    if not is_published:
        with connect(warehouse, ADMIN) as connection:
            print(connection.execute("select body from ops.alert order by alert_id desc limit 1").fetchone())
    return is_published


def found_by(warehouse: Settings, suite: str, check: str, *lies: str) -> list[tuple[object, ...]]:
    """What a check of the gate finds in the newest candidate once these statements have been run on it; nothing of them stays."""
    judging = next(one for one in read_suites() if one.name == suite)
    claim = next(one for one in judging.checks if one.name == check)
    with connect(warehouse, ADMIN) as connection:
        _fill_again(connection)
        for lie in lies:
            connection.execute(lie.encode())
        newest = connection.execute("select candidate_id from ops.candidate order by begun_at desc limit 1").fetchone()
        assert newest is not None
        for name, value in session_settings(newest[0]).items():
            connection.execute("select set_config(%s, %s, true)", [name, value])
        if claim.of is None:
            found = connection.execute(judging.query(str(claim.unexpected_rows)).encode()).fetchall()
            connection.rollback()
            return found
        figure = figures.ask(connection, judging.query(f"select * from {claim.of}"))
        connection.rollback()
    url = engine.connection_url(warehouse, newest[0])
    observed = engine.run(url, [(judging, (claim,))], lambda: ({(suite, str(claim.of)): figure}, ()))[suite, check]
    assert observed.outcome != "crashed", observed.remark
    return [tuple(row.values()) for row in observed.rows]


def _fill_again(connection: psycopg.Connection) -> None:
    """Give a candidate that was published its rows again, from the marts, for as long as the transaction."""
    connection.execute(
        "set local session_replication_role = replica"
    )  # one table after the other, whatever points at it
    for (table,) in connection.execute(
        """select c.relname from pg_class as c where c.relnamespace = 'candidate'::regnamespace and c.relkind = 'r'
           and (select emptied_at is not null from ops.candidate order by begun_at desc limit 1) order by 1"""
    ).fetchall():
        columns = connection.execute(
            """select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
               where attrelid = to_regclass('candidate.' || %s) and attnum > 0 and not attisdropped""",
            [table],
        ).fetchone()
        assert columns is not None
        connection.execute(
            f"insert into candidate.{table} ({columns[0]}) select {columns[0]} from marts.{table}".encode()
        )
