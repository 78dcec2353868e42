"""Going back to an earlier release, forward again, and what keeps the next night from undoing it."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.candidates import Rows, area, build, bytes_of_marts, fact, judge, judged, pair, read
from tests.refused import refused_with
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.publish import RolledBackFrom, publish, releases, roll_back

AREAS, FACTS = "select * from marts.area order by 1", "select * from marts.fact order by 1, 2"


def _three_releases(warehouse: Settings) -> dict[int, list[list[tuple[object, ...]]]]:
    """Release number → what both marts said."""
    said = {}
    for tables in (
        [area(("A", "Camden", 1), ("B", "Brent", 1)), fact(("A", "2025-01-01", 1, 1), ("B", "2025-01-01", None, 1))],
        [area(("A", "Camden", 1), ("C", "Bexley", 1)), fact(("A", "2025-01-01", 2, 1))],
        [area(("A", "CAMDEN", 2)), fact(("A", "2025-01-01", 2, 1), ("A", "2025-02-01", 3, 1))],
    ):
        release_id = publish(warehouse, judged(warehouse, tables)).release_id
        said[release_id] = [read(warehouse, AREAS), read(warehouse, FACTS)]
    return said


def test_going_back_forward_and_back_again_is_exact_and_every_step_stays_readable(warehouse: Settings) -> None:
    said = _three_releases(warehouse)
    for target in (1, 3, 2, 1, 2):
        done = roll_back(warehouse, target)
        assert (done.state, done.rolled_back_to) == ("published", target)
        assert done.release_id == max(said) + 1
        assert [read(warehouse, AREAS), read(warehouse, FACTS)] == said[target]
        said[done.release_id] = said[target]
    for release_id, (areas, facts) in said.items():
        assert read(warehouse, f"select * from marts_history.area_as_of({release_id}) order by 1") == areas
        assert read(warehouse, f"select * from marts_history.fact_as_of({release_id}) order by 1, 2") == facts


def test_a_rollback_is_a_release_of_its_own_with_the_verdict_of_the_one_it_restores(warehouse: Settings) -> None:
    warned = build(warehouse, pair(1))
    judge(warehouse, warned, "warned", "unknown share above 2 % in 2025-01")
    first = publish(warehouse, warned)
    publish(warehouse, judged(warehouse, pair(2)))
    done = roll_back(warehouse, first.release_id)
    assert done.row_counts == {"area": 3, "fact": 3}
    assert done.row_changes == {t: {"inserted": 0, "updated": 3, "deleted": 0} for t in ("area", "fact")}
    assert read(
        warehouse,
        """select release_id, verdict, verdict_reason, candidate_id, rolled_back_to_release_id, is_current
           from marts.publication order by 1""",
    ) == [
        (1, "warned", "unknown share above 2 % in 2025-01", warned, None, False),
        (2, "passed", "", "candidate-" + str(int(warned.removeprefix("candidate-")) + 1), None, False),
        (3, "warned", "unknown share above 2 % in 2025-01", warned, 1, True),
    ]
    assert [
        (r["release_id"], r["rows_changed"], r["is_current"], r["rolled_back_to"], r["rolled_back_from"])
        for r in releases(warehouse)
    ] == [(3, 6, True, 1, 2), (2, 6, False, None, None), (1, 6, False, None, None)]


def test_what_is_no_published_release_is_refused_with_those_there_are(warehouse: Settings) -> None:
    _three_releases(warehouse)
    held = judge(warehouse, build(warehouse, pair(4)), "blocked", "empty")
    unchanged = publish(warehouse, judged(warehouse, [area(("A", "CAMDEN", 2)), fact(*[("A", f"2025-0{n}-01", n + 1, 1) for n in (1, 2)])])).release_id  # fmt: skip
    waiting = judge(warehouse, build(warehouse, pair(5)))
    before = bytes_of_marts(warehouse, with_attempts=True)
    for release_id in (99, held, unchanged, waiting):
        with refused_with("RELEASE_UNKNOWN", match=rf"release {release_id}\b") as refusal:
            roll_back(warehouse, release_id)
        assert "choose a published release: 1, 2, 3 (" in str(refusal.value)
    assert bytes_of_marts(warehouse, with_attempts=True) == before


def test_going_back_to_what_the_marts_hold_does_nothing_and_says_so(warehouse: Settings) -> None:
    _three_releases(warehouse)
    there = roll_back(warehouse, 2)
    before = bytes_of_marts(warehouse, with_attempts=True)
    for target in (there.release_id, 2):
        done = roll_back(warehouse, target)
        assert (done.state, done.release_id, done.rows_changed) == ("unchanged", there.release_id, 0)
    assert bytes_of_marts(warehouse, with_attempts=True) == before
    assert read(warehouse, "select count(*) from ops.release", ADMIN) == [(4,)]


def test_the_next_night_does_not_bring_back_what_was_rolled_back_from(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1), fingerprint="good"))
    bad = judged(warehouse, pair(2), fingerprint="bad")
    publish(warehouse, bad)
    roll_back(warehouse, 1)
    before = bytes_of_marts(warehouse)
    releases_named = "release 2 .*release 1, "
    with refused_with("ROLLED_BACK_FROM", match=releases_named, kind=RolledBackFrom):
        publish(warehouse, bad)
    built_again = judged(warehouse, pair(2), fingerprint="bad")
    for _ in range(2):
        with refused_with("ROLLED_BACK_FROM", match=releases_named, kind=RolledBackFrom) as refusal:
            publish(warehouse, built_again)
        assert "`vru build`" in str(refusal.value)
    assert bytes_of_marts(warehouse) == before
    newest = releases(warehouse)[0]
    assert (newest["state"], newest["verdict"]) == ("held", "passed")
    assert "rolled back from release 2" in newest["why"]


def _judged_of_files(warehouse: Settings, version: int, fingerprint: str, *load_ids: int) -> str:
    candidate_id = judged(warehouse, pair(version), fingerprint=fingerprint)
    with connect(warehouse, ADMIN) as connection:
        connection.cursor().executemany(
            """insert into ops.load (load_id, source, dataset, sha256, file_name, landed_path, bytes, landed_at, loaded_at,
                   rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic) overriding system value
               values (%s, 'mps', 'borough_recent', 'hash ' || %s, 'f', 'p', 1, now(), now(), 1, 1, 0, 'loaded', true)
               on conflict do nothing""",
            [(load_id, load_id) for load_id in load_ids],
        )
        connection.cursor().executemany(
            "insert into ops.candidate_load values (%s, %s)", [(candidate_id, load_id) for load_id in load_ids]
        )
    return candidate_id


def test_new_code_alone_does_not_bring_back_the_same_files(warehouse: Settings) -> None:
    publish(warehouse, _judged_of_files(warehouse, 1, "first file, code 1", 1))
    publish(warehouse, _judged_of_files(warehouse, 2, "bad second file, code 1", 1, 2))
    roll_back(warehouse, 1)
    with pytest.raises(RolledBackFrom):
        publish(warehouse, _judged_of_files(warehouse, 2, "bad second file, code 2", 1, 2))
    assert publish(warehouse, _judged_of_files(warehouse, 3, "third file, code 2", 1, 2, 3)).state == "published"


def test_the_code_and_files_of_the_release_that_stands_may_be_published_again(warehouse: Settings) -> None:
    publish(warehouse, _judged_of_files(warehouse, 1, "one file, code 1", 1))
    publish(warehouse, _judged_of_files(warehouse, 2, "one file, bad code 2", 1))
    roll_back(warehouse, 1)
    assert publish(warehouse, _judged_of_files(warehouse, 1, "one file, code 1", 1)).state == "unchanged"


@pytest.mark.parametrize("is_built_again", [False, True])
def test_a_person_who_asks_for_it_gets_it_published_all_the_same(warehouse: Settings, is_built_again: bool) -> None:
    publish(warehouse, judged(warehouse, pair(1), fingerprint="good"))
    candidate_id = judged(warehouse, pair(2), fingerprint="bad")
    publish(warehouse, candidate_id)
    roll_back(warehouse, 1)
    if is_built_again:
        candidate_id = judged(warehouse, pair(2), fingerprint="bad")
        with pytest.raises(RolledBackFrom):
            publish(warehouse, candidate_id)
    done = publish(warehouse, candidate_id, force=True)
    assert (done.state, done.rolled_back_to, done.candidate_id) == ("published", None, candidate_id)
    assert read(warehouse, "select distinct version from marts.fact") == [(2,)]
    assert read(warehouse, "select release_id from marts.publication where is_current") == [(done.release_id,)]
    assert publish(warehouse, candidate_id) == done


def test_new_files_lift_the_pin_by_themselves(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1), fingerprint="good"))
    publish(warehouse, judged(warehouse, pair(2), fingerprint="bad"))
    roll_back(warehouse, 1)
    assert publish(warehouse, judged(warehouse, pair(3), fingerprint="mended")).state == "published"
    assert read(warehouse, "select distinct version from marts.fact") == [(3,)]


def test_the_input_of_an_older_release_was_not_rolled_back_from(warehouse: Settings) -> None:
    for version, fingerprint in enumerate(("older", "good", "bad"), start=1):
        publish(warehouse, judged(warehouse, pair(version), fingerprint=fingerprint))
    roll_back(warehouse, 2)
    assert publish(warehouse, judged(warehouse, pair(1), fingerprint="older")).state == "published"


def test_going_forward_again_lifts_the_pin(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, pair(1), fingerprint="old"))
    newest = judged(warehouse, pair(2), fingerprint="new")
    second = publish(warehouse, newest)
    roll_back(warehouse, 1)
    roll_back(warehouse, 2)
    assert publish(warehouse, newest).release_id == second.release_id
    assert publish(warehouse, judged(warehouse, pair(2), fingerprint="new")).state == "unchanged"


def test_a_dataset_whose_files_say_no_month_is_stale_when_its_publisher_was_not_seen_for_too_long(
    warehouse: Settings,
) -> None:
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """insert into ops.load (source, dataset, sha256, file_name, landed_path, bytes, landed_at, loaded_at,
                   rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
               select source, dataset, 'hash', 'f', 'p', 1, '2026-11-22', '2026-11-22', 1, 1, 0, 'loaded', true
               from ops.dataset where source = 'fingertips'"""
        )
        # The values were asked for again in the new year; the definitions only landed.
        connection.execute(
            "update ops.dataset set last_checked_at = '2027-01-31' where source = 'fingertips' and dataset = 'data'"
        )
    status = """select dataset, state, why, (since at time zone 'Europe/London')::date::text from marts.data_status
                where source = 'fingertips' order by 1"""

    def on(day: str) -> Rows:
        return read(warehouse.model_copy(update={"today": dt.date.fromisoformat(day)}), status)

    fresh = [("data", "fresh", None, None), ("metadata", "fresh", None, None)]
    metadata = ("metadata", "stale", "last seen on 2026-11-22 and the publisher updates yearly", "2027-12-27")
    assert on("2027-12-26") == fresh
    assert on("2027-12-27") == [fresh[0], metadata]
    assert on("2031-11-22") == [
        ("data", "stale", "last seen on 2027-01-31 and the publisher updates yearly", "2028-03-06"), metadata,
    ]  # fmt: skip
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """update ops.dataset set last_checked_at = '2031-11-21', last_check_failed_because = 'it is down', failing_since = '2031-11-21'
               where source = 'fingertips'"""
        )
    # It was asked and did not answer: that is no sight of it.
    assert on("2031-11-22")[1][:3] == (
        "metadata", "stale", "it is down; last seen on 2026-11-22 and the publisher updates yearly",
    )  # fmt: skip


def test_data_status_says_that_the_marts_were_rolled_back_until_they_move_on(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """insert into ops.load (source, dataset, sha256, file_name, landed_path, bytes, landed_at, loaded_at, last_period,
                   rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
               select source, dataset, 'hash', 'f', 'p', 1, now(), now(), date_trunc('month', now())::date, 1, 1, 0, 'loaded', true
               from ops.dataset where source = 'mps'"""
        )
    status = "select distinct state, why, since is null from marts.data_status where source = 'mps'"
    publish(warehouse, judged(warehouse, pair(1), fingerprint="good"))
    publish(warehouse, judged(warehouse, pair(2), fingerprint="bad"))
    assert read(warehouse, status) == [("fresh", None, True)]
    why = "the marts were rolled back to release 1; they stay there until new files arrive or `vru build` is run"
    roll_back(warehouse, 1)
    assert read(warehouse, status) == [("held", why, False)]
    with pytest.raises(RolledBackFrom):
        publish(warehouse, judged(warehouse, pair(2), fingerprint="bad"))
    assert read(warehouse, status) == [("held", why, False)]
    judge(warehouse, build(warehouse, pair(3)), "blocked", "Camden is missing")
    assert read(warehouse, status) == [("held", "Camden is missing", False)]
    roll_back(warehouse, 2)
    assert read(warehouse, status) == [("fresh", None, True)]
    roll_back(warehouse, 1)
    publish(warehouse, judged(warehouse, pair(4), fingerprint="mended"))
    assert read(warehouse, status) == [("fresh", None, True)]


def test_a_rollback_that_a_later_rule_forbids_is_refused_in_words_without_a_row(warehouse: Settings) -> None:
    publish(warehouse, judged(warehouse, [area(("A", "Camden", -7))]))
    name, statements, rows = area(("A", "Camden", 1))
    publish(warehouse, judged(warehouse, [(name, statements.replace("version integer not null", "version integer not null check (version > 0)"), rows)]))  # fmt: skip
    before = bytes_of_marts(warehouse)
    with refused_with("MART_RULE_BROKEN", match=r"area_version_check .*marts\.area") as refusal:
        roll_back(warehouse, 1)
    assert "-7" not in str(refusal.value)
    assert bytes_of_marts(warehouse) == before
