"""A published candidate's rows are let go: they stand in the marts."""

from __future__ import annotations

import pytest

from expectations import gate
from tests.candidates import build, judge, judged, pair, read
from tests.refused import refused_with
from warehouse.build import emptying
from warehouse.platform.connection import ADMIN, TRANSFORMER, connect
from warehouse.platform.settings import Settings
from warehouse.publish import publish

ROWS = """select (select count(*) from candidate.fact), (select count(*) from marts.fact),
                 (select count(*) from intermediate.window_count), (select count(*) from intermediate.int_x)"""


@pytest.fixture
def published(warehouse: Settings) -> str:
    """A candidate of three facts in the marts, with a table made for them and one that stays from build to build."""
    candidate_id = judged(warehouse, pair(1))
    with connect(warehouse, TRANSFORMER) as connection:
        for table in ("window_count", "int_x"):
            connection.execute(f"create table intermediate.{table} as select 1 as x".encode())
    publish(warehouse, candidate_id)
    return candidate_id


def test_the_rows_of_a_published_candidate_go_and_the_marts_and_what_a_build_goes_on_with_stay(
    warehouse: Settings, published: str
) -> None:
    assert emptying.empty(warehouse, published)
    assert read(warehouse, ROWS, ADMIN) == [(0, 3, 0, 1)]
    assert publish(warehouse, published).state == "published"
    with refused_with("CANDIDATE_NOT_PUBLISHABLE"):
        gate.judge(warehouse, published)
    # A verdict on it would lead to marts without a row.
    judge(warehouse, published)
    with refused_with("CANDIDATE_NOT_PUBLISHABLE"):
        publish(warehouse, published, force=True)
    assert read(warehouse, "select count(*) from marts.fact") == [(3,)]


def test_a_candidate_that_another_build_has_followed_is_left_as_it_is(warehouse: Settings, published: str) -> None:
    newer = build(warehouse, pair(2), finished=False)
    assert not emptying.empty(warehouse, published)
    assert read(warehouse, ROWS, ADMIN) == [(3, 3, 1, 1)]
    assert read(warehouse, "select candidate_id from ops.candidate where emptied_at is not null", ADMIN) == []
    assert newer != published


def test_a_candidate_that_somebody_reads_is_left_as_it_is(
    warehouse: Settings, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emptying, "LOCK_TIMEOUT", "100ms")
    with connect(warehouse, ADMIN) as reader:
        reader.execute("select 1 from candidate.fact")
        assert not emptying.empty(warehouse, published)
    assert read(warehouse, ROWS, ADMIN) == [(3, 3, 1, 1)]
