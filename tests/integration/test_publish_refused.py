"""A candidate that may not be published leaves marts and history as they were."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ingest.errors import Refusal
from tests.candidates import build, bytes_of_marts, judge, judged, pair, read
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.publish import publish


def _blocked(warehouse: Settings) -> str:
    candidate_id = build(warehouse, pair(2))
    judge(warehouse, candidate_id, "blocked", "Camden is missing in 2025-01")
    return candidate_id


def _blocked_at_the_second_look(warehouse: Settings) -> str:
    candidate_id = judged(warehouse, pair(2))
    judge(warehouse, candidate_id, "blocked", "Camden is missing in 2025-01")
    return candidate_id


def _not_judged(warehouse: Settings) -> str:
    return build(warehouse, pair(2))


def _verdict_of_another(warehouse: Settings) -> str:
    passed = judged(warehouse, pair(2))
    build(warehouse, pair(3))
    return passed


def _rebuilding(warehouse: Settings) -> str:
    passed = judged(warehouse, pair(2))
    build(warehouse, pair(3), finished=False)
    return passed


def _cut_short(warehouse: Settings) -> str:
    candidate_id = build(warehouse, pair(2), finished=False)
    judge(warehouse, candidate_id)
    return candidate_id


def _real_in_a_synthetic_home(warehouse: Settings) -> str:
    candidate_id = build(warehouse, pair(2), data_kind="real")
    judge(warehouse, candidate_id)
    return candidate_id


def _never_built(warehouse: Settings) -> str:
    return "candidate-0"


NOT_LET_THROUGH: list[tuple[Callable[[Settings], str], str]] = [
    (_blocked, "the gate blocked candidate .*: Camden is missing in 2025-01"),
    (_blocked_at_the_second_look, "the gate blocked candidate .*: Camden is missing in 2025-01"),
    (_not_judged, "has no verdict"),
    (_verdict_of_another, "another build has begun since"),
    (_rebuilding, "another build has begun since"),
    (_cut_short, "this one was cut short"),
    (_real_in_a_synthetic_home, "made from real data and this home publishes synthetic data"),
    (_never_built, "has no verdict"),
]


def test_a_candidate_that_was_not_let_through_leaves_the_marts_byte_for_byte(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    before = bytes_of_marts(warehouse)
    for make, sentence in NOT_LET_THROUGH:
        candidate_id = make(warehouse)
        for force in (False, True):
            with pytest.raises(Refusal, match=sentence):
                publish(warehouse, candidate_id, force=force)
        assert bytes_of_marts(warehouse) == before
    assert len(read(warehouse, "select * from marts.publication")) == 1


def test_a_candidate_judged_before_the_current_release_is_not_published_after_it(warehouse: Settings) -> None:
    early = build(warehouse, pair(1))
    with connect(warehouse, ADMIN) as connection:
        # The verdict of the newest candidate, and then a release that came in between.
        connection.execute(
            """insert into ops.release (candidate_id, verdict, state, judged_at, code_version, data_kind) values
                   (%s, 'passed', 'judged', now(), 'v1', 'synthetic')""",
            [early],
        )
        connection.execute(
            """insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind, begun_at, built_at)
                   values ('before', 'f', 'v1', 'synthetic', now() - interval '1 day', now() - interval '1 day')"""
        )
        connection.execute(
            """insert into ops.release (candidate_id, verdict, state, judged_at, published_at, code_version, data_kind)
                   values ('before', 'passed', 'published', now(), now(), 'v1', 'synthetic')"""
        )
    with pytest.raises(Refusal, match=r"release 2 was published after candidate .* was judged"):
        publish(warehouse, early)
    done = publish(warehouse, early, force=True)
    assert (done.release_id, done.state) == (3, "published")


def test_a_mart_without_a_primary_key_is_refused_by_name(warehouse: Settings) -> None:
    tables = [*pair(1), ("loose", "create table candidate.loose (x integer)", [])]
    with pytest.raises(Refusal, match="loose has no primary key"):
        publish(warehouse, judged(warehouse, tables))
    assert read(warehouse, "select to_regclass('marts.area')") == [(None,)]


def test_an_empty_candidate_is_refused(warehouse: Settings) -> None:
    with pytest.raises(Refusal, match="schema candidate holds no table"):
        publish(warehouse, judged(warehouse, []))
