"""`marts.data_status`: a held release is told of the datasets that caused it, and what is stale says so also then."""

from __future__ import annotations

import datetime as dt

from tests.candidates import build, judge, judged, pair, read
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.publish import publish

STATES = "select source || ' ' || dataset, state, code from marts.data_status where state not in ('fresh', 'missing') order by 1"
DATASETS = ("mps borough_recent", "mps borough_historical", "nomis population")


def load(settings: Settings, dataset: str) -> int:
    """A line of the ledger as a load of this dataset would leave it, of the newest month."""
    with connect(settings, ADMIN) as connection:
        row = connection.execute(
            """insert into ops.load (source, dataset, sha256, file_name, landed_path, bytes, landed_at, loaded_at, last_period,
                   rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
               values (%s, %s, gen_random_uuid()::text, 'f', 'p', 1, now(), now(), date_trunc('month', now())::date, 1, 1, 0,
                   'loaded', true) returning load_id""",
            dataset.split(" "),
        ).fetchone()
    assert row is not None
    return int(row[0])


def built_of(settings: Settings, candidate_id: str, loads: list[int]) -> None:
    with connect(settings, ADMIN) as connection:
        connection.cursor().executemany(
            "insert into ops.candidate_load (candidate_id, load_id) values (%s, %s)",
            [(candidate_id, load_id) for load_id in loads],
        )


def block(settings: Settings, loads: list[int], *failed: tuple[str, str]) -> None:
    """A candidate of these loads that the gate blocks for these checks, by suite and name."""
    candidate_id = build(settings, pair(2))
    built_of(settings, candidate_id, loads)
    with connect(settings, ADMIN) as connection:
        connection.cursor().executemany(
            """insert into ops.quality_result (candidate_id, suite, check_name, severity, outcome, detail, checked_at)
               values (%s, %s, %s, 'critical', 'failed', repeat('Camden 2025-01, ', 100), now())""",
            [(candidate_id, *one) for one in failed],
        )
    judge(settings, candidate_id, "blocked", "Camden 2025-01, " * 100)


def published(settings: Settings) -> dict[str, int]:
    loads = {dataset: load(settings, dataset) for dataset in DATASETS}
    candidate_id = judged(settings, pair(1))
    built_of(settings, candidate_id, list(loads.values()))
    publish(settings, candidate_id)
    return loads


def test_a_held_release_holds_the_datasets_that_a_failed_check_of_deliveries_is_about(warehouse: Settings) -> None:
    loads = published(warehouse)
    assert read(warehouse, STATES) == []
    loads |= {dataset: load(warehouse, dataset) for dataset in ("mps borough_recent", "nomis population")}
    block(
        warehouse,
        list(loads.values()),
        ("landing/mps/delivery", "every_load_of_the_candidate_stands_in_raw"),
        ("marts/fct_measure", "no_value_is_negative"),
    )
    assert read(warehouse, STATES) == [("mps borough_recent", "held", "GATE_HELD")]
    assert read(warehouse, "select why from marts.data_status where state = 'held'") == [
        (
            "the gate holds release 2: every_load_of_the_candidate_stands_in_raw (landing/mps/delivery), no_value_is_negative "
            "(marts/fct_measure)",
        )
    ]


def test_where_only_marts_fail_a_held_release_holds_the_datasets_that_have_news(warehouse: Settings) -> None:
    loads = published(warehouse)
    loads["mps borough_recent"] = load(warehouse, "mps borough_recent")
    del loads["nomis population"]  # withdrawn, say
    block(warehouse, list(loads.values()), *[("marts/fct_measure", f"claim_{number}") for number in range(5)])
    assert read(warehouse, STATES) == [
        ("mps borough_recent", "held", "GATE_HELD"),
        ("nomis population", "held", "GATE_HELD"),
    ]
    ((why,),) = read(warehouse, "select distinct why from marts.data_status where state = 'held'")
    assert why.endswith("claim_2 (marts/fct_measure) and 2 more")


def test_where_no_file_is_new_a_held_release_may_be_about_any_dataset(warehouse: Settings) -> None:
    loads = published(warehouse)
    block(warehouse, list(loads.values()), ("marts/fct_measure", "no_value_is_negative"))
    assert [name for name, state, _ in read(warehouse, STATES) if state == "held"] == sorted(DATASETS)


def test_a_dataset_that_is_stale_stays_stale_when_a_release_is_held_over_it(warehouse: Settings) -> None:
    loads = published(warehouse)
    loads["mps borough_recent"] = load(warehouse, "mps borough_recent")
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """update ops.dataset set last_check_failed_because = 'it is down', last_check_failed_code = 'PUBLISHER_DOWN',
                   failing_since = '2026-11-01' where dataset = 'borough_recent'"""
        )
    block(warehouse, list(loads.values()), ("landing/mps/delivery", "a_claim"))
    assert read(warehouse, STATES) == [("mps borough_recent", "stale", "PUBLISHER_DOWN")]
    ((why, since),) = read(warehouse, "select why, since from marts.data_status where state = 'stale'")
    assert why == "it is down; the gate holds release 2: a_claim (landing/mps/delivery)"
    assert since.astimezone(dt.UTC).date() == dt.date(2026, 11, 1)
