"""Commands that change the warehouse queue, say behind whom, and a candidate is judged by the loads it was built from."""

from __future__ import annotations

import concurrent.futures
import os
import re
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingest import landing, queue
from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.load import load as load_file
from tests.integration.test_set_aside import land, month_of_city, rows
from tests.nomis_files import AREAS, answer, jobs
from tests.refused import refused_with
from warehouse import runs, steps
from warehouse.build import candidate, set_aside, transform
from warehouse.home import setup
from warehouse.platform import session
from warehouse.platform.connection import ADMIN, LOADER, connect
from warehouse.platform.settings import Settings
from warehouse.steps import judging, step

STREET = ("police_uk", "street", "2024-01-city-of-london-street.csv")
OF_RAW = """select l.state, l.awaits_verdict, count(r.*) from ops.load as l left join raw.police_uk__street as r on r._load_id = l.load_id
            group by l.load_id order by l.load_id"""


@pytest.fixture
def commands(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A warehouse whose commands find it without an environment, and publish nothing."""
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    monkeypatch.setattr(setup, "set_up", lambda _: None)
    monkeypatch.setattr(runs, "build_and_publish", lambda *_, **__: True)
    return warehouse


def test_rebuilds_and_replays_at_once_leave_each_file_in_raw_once(commands: Settings, tmp_path: Path) -> None:
    for month in ("2024-01", "2024-02", "2024-03"):
        land(commands, tmp_path, "police_uk", "street", f"{month}-city-of-london-street.csv", month_of_city(month, 300))
    land(commands, tmp_path, "nomis", "jobs_density", "jobs.csv", answer(jobs(AREAS)))
    content = (
        "select crime_id, month, crime_type, count(*) from raw.police_uk__street group by 1, 2, 3 order by 1, 2, 3"
    )
    before = rows(commands, content)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        work: list[concurrent.futures.Future[Any]] = [
            pool.submit(runs.rebuild, commands, lambda _: None) for _ in range(2)
        ]
        work += [pool.submit(steps.replay, "police_uk", "street") for _ in range(2)]
        work += [pool.submit(steps.replay, "nomis", "jobs_density") for _ in range(2)]
        for one in work:
            one.result(timeout=120)
    assert rows(commands, content) == before
    of_others = (
        "select count(*) from raw.{} where _load_id not in (select load_id from ops.load where state = 'loaded')"
    )
    assert [rows(commands, of_others.format(t)) for t in ("police_uk__street", "nomis__jobs_density")] == [[(0,)]] * 2


def test_who_waits_says_behind_whom_and_since_when(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session, "_at_work", ("", ""))
    session.at_work("vru rebuild")
    with connect(warehouse, LOADER, autocommit=True) as first, connect(warehouse, LOADER) as second:
        with queue.lock_exclusive(first):
            with refused_with(
                "LOCK_HELD_TOO_LONG",
                match=r"`vru rebuild` \(process \d+, since .*, vru_loader\)",
            ):
                queue.take(second, queue.PIPELINE_LOCK, "share", "10ms")
            second.rollback()
        said = capsys.readouterr().err
        since = r"\d{4}-\d\d-\d\d \d\d:\d\dZ"
        named = rf"waiting for `vru rebuild` \(process {os.getpid()}, since {since}, vru_loader\)\n"
        assert re.fullmatch(named, said)
        queue.lock_shared(second, "mps")
        assert capsys.readouterr().err == ""


def test_a_name_of_a_session_is_not_cut() -> None:
    session.at_work("a night's maintenance and more")
    try:
        assert len(session.name().replace(str(os.getpid()), "4194304")) <= 63
    finally:
        session.at_work("pytest")


def test_a_load_that_was_under_way_is_judged_before_it_is_built(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(
        warehouse, tmp_path, "police_uk", "street", "2024-02-city-of-london-street.csv", month_of_city("2024-02", 1400)
    )
    built_from: list[object] = []
    months = "select part, rows_loaded from ops.load where state = 'loaded' order by 1"
    monkeypatch.setattr(transform, "build", lambda *_, **__: built_from.extend(rows(warehouse, months)))
    with connect(warehouse, LOADER, autocommit=True) as loader, concurrent.futures.ThreadPoolExecutor() as pool:
        with loader.transaction():
            queue.lock_shared(loader, "police_uk")
            building = pool.submit(candidate.build, warehouse, "a run")
            _until_somebody_waits(warehouse)
            file = tmp_path / STREET[2]
            file.write_bytes(month_of_city("2024-01", 280))
            source = find_source("police_uk")
            landed = landing.find(warehouse.landing, _take(warehouse, file))
            load_file(loader, source, "street", landed, warehouse.now(), warehouse.landing)
        building.result(timeout=60)
    assert built_from == [("2024-02-city-of-london", 1400)]


def _take(settings: Settings, file: Path) -> str:
    landed = file_drop.take(settings.landing, find_source("police_uk"), "street", file, settings.now())
    return landed.path.relative_to(settings.landing).as_posix()


def _until_somebody_waits(settings: Settings) -> None:
    deadline = time.monotonic() + 30
    while not rows(settings, "select 1 from pg_locks where locktype = 'advisory' and not granted"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _candidate(settings: Settings, name: str) -> None:
    with connect(settings, ADMIN) as connection:
        connection.execute(
            """insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind, built_at)
               values (%s, 'x', 'x', 'real', now())""",
            [name],
        )
        connection.execute(
            "insert into ops.candidate_load select %s, load_id from ops.load where state = 'loaded'", [name]
        )


def test_rows_that_a_candidate_was_built_from_stay_until_it_has_its_verdict_and_no_longer(
    commands: Settings, tmp_path: Path
) -> None:
    first = land(commands, tmp_path, *STREET, month_of_city("2024-01", 300))
    _candidate(commands, "one")
    land(commands, tmp_path, *STREET, month_of_city("2024-01", 310))
    assert rows(commands, OF_RAW) == [("superseded", True, 300), ("loaded", False, 310)]
    judging.clear_what_waited(commands)
    with connect(commands, ADMIN) as connection:
        connection.execute(
            """insert into ops.release (candidate_id, verdict, state, judged_at, code_version, data_kind)
               values ('one', 'passed', 'judged', now(), 'x', 'real')"""
        )
    judging.clear_what_waited(commands)
    assert rows(commands, OF_RAW) == [("superseded", False, 0), ("loaded", False, 310)]
    assert first == 1


@pytest.mark.parametrize("by", ["a newer file", "a replay"])
def test_what_a_build_that_was_never_judged_was_made_from_is_in_no_build_after_it(
    commands: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    land(commands, tmp_path, *STREET, month_of_city("2024-01", 300))
    _candidate(commands, "one")
    if by == "a replay":
        steps.replay("police_uk", "street")
    else:
        land(commands, tmp_path, *STREET, month_of_city("2024-01", 310))
    assert rows(commands, OF_RAW)[0] == ("superseded", True, 300)
    found: list[object] = []
    monkeypatch.setattr(transform, "build", lambda *_, **__: found.extend(rows(commands, OF_RAW)))
    candidate.build(commands, "a run")
    assert found == [("superseded", False, 0), ("loaded", False, 300 if by == "a replay" else 310)]


def test_a_withdrawn_load_leaves_raw_at_once_whatever_was_built_from_it(commands: Settings, tmp_path: Path) -> None:
    load_id = land(commands, tmp_path, *STREET, month_of_city("2024-01", 300))
    _candidate(commands, "one")
    steps.withdraw("police_uk", "street", load_id, "by mistake", "an analyst")
    assert rows(commands, OF_RAW) == [("withdrawn", False, 0)]


def test_what_is_not_set_aside_cannot_be_accepted(warehouse: Settings, tmp_path: Path) -> None:
    load_id = land(warehouse, tmp_path, *STREET, month_of_city("2024-01", 300))
    for number, state in ((load_id, "it is loaded"), (99, "the ledger has no such load")):
        with refused_with("LOAD_IN_ANOTHER_STATE", match=rf"load {number} .*\({state}\)"):
            set_aside.accept(warehouse, number, "it is true", "an analyst")
    assert rows(warehouse, "select count(*) from ops.acceptance") == [(0,)]


def test_a_place_in_the_queue_is_given_back_when_what_it_was_for_fails(warehouse: Settings) -> None:
    with connect(warehouse, LOADER, autocommit=True) as first, connect(warehouse, LOADER) as second:
        with pytest.raises(psycopg.errors.UndefinedTable), queue.lock_exclusive(first):
            first.execute("select * from raw.nothing")
        queue.take(second, queue.PIPELINE_LOCK, "share", "1s")


@pytest.mark.parametrize("is_newer", [True, False], ids=["another month", "the same month again"])
def test_a_file_that_lands_between_transform_and_gate_holds_nothing(
    to_build: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_newer: bool
) -> None:
    monkeypatch.setattr(step, "settings", lambda: to_build)
    land(to_build, tmp_path, *STREET, month_of_city("2024-01", 300))
    candidate = steps.build("a run")
    month = "2024-02" if is_newer else "2024-01"
    land(to_build, tmp_path, "police_uk", "street", f"{month}-city-of-london-street.csv", month_of_city(month, 310))
    assert candidate is not None
    steps.gate("a run", candidate)
    assert steps.publish("a run", candidate)["state"] == "published"
    published = """select period_start_date::text, value::int from marts.fct_measure
                   where measure_code = 'police_uk_city_of_london_all_crime' and area_code = 'E09000007' order by 1"""
    assert rows(to_build, published) == [("2024-01-01", 240)]
    assert [row[2] for row in rows(to_build, OF_RAW)] == ([300, 310] if is_newer else [0, 310])
