"""A candidate that may not be published leaves marts and history as they were."""

from __future__ import annotations

from collections.abc import Callable

from tests.candidates import build, bytes_of_marts, judge, judged, pair, read
from tests.refused import refused_with
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


NOT_LET_THROUGH: list[tuple[Callable[[Settings], str], str, str]] = [
    (_blocked, "GATE_HELD", "Camden is missing in 2025-01"),
    (_blocked_at_the_second_look, "GATE_HELD", "Camden is missing in 2025-01"),
    (_not_judged, "CANDIDATE_NOT_PUBLISHABLE", "no verdict"),
    (_verdict_of_another, "CANDIDATE_NOT_PUBLISHABLE", "another build"),
    (_rebuilding, "CANDIDATE_NOT_PUBLISHABLE", "another build"),
    (_cut_short, "CANDIDATE_NOT_PUBLISHABLE", "cut short"),
    (_real_in_a_synthetic_home, "KINDS_MIXED", "real .* synthetic"),
    (_never_built, "CANDIDATE_NOT_PUBLISHABLE", "candidate-0"),
]


def test_a_candidate_that_was_not_let_through_leaves_the_marts_byte_for_byte(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1)))
    before = bytes_of_marts(warehouse)
    for make, code, named in NOT_LET_THROUGH:
        candidate_id = make(warehouse)
        for force in (False, True):
            with refused_with(code, match=named):
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
    with refused_with("CANDIDATE_NOT_PUBLISHABLE", match="release 2 "):
        publish(warehouse, early)
    done = publish(warehouse, early, force=True)
    assert (done.release_id, done.state) == (3, "published")


def test_a_mart_without_a_primary_key_is_refused_by_name(warehouse: Settings) -> None:
    tables = [*pair(1), ("loose", "create table candidate.loose (x integer)", [])]
    with refused_with("MART_SHAPE_REFUSED", match="loose"):
        publish(warehouse, judged(warehouse, tables))
    assert read(warehouse, "select to_regclass('marts.area')") == [(None,)]


def test_an_empty_candidate_is_refused(warehouse: Settings) -> None:
    with refused_with("MART_SHAPE_REFUSED"):
        publish(warehouse, judged(warehouse, []))
