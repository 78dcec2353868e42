"""Setting aside: a month that the months beside it contradict, or with which the build fails, is left out and named; the rest stands."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from psycopg import sql

from ingest.connectors import file_drop
from ingest.declaration import find_source
from tests import mps_files
from tests.builds import build_and_publish
from tests.mps_deliveries import VICTIMS_2025, ward_file
from tests.mps_files import borough_file, categories
from tests.mps_more_files import csv_bytes
from tests.nomis_files import AREAS, answer, jobs
from tests.police_uk_files import CITY, MET, crime, street
from tests.refused import refused_with
from warehouse import steps
from warehouse.build import candidate, set_aside, transform
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.reports import status

KINDS = ("Anti-social behaviour", "Burglary", "Other theft", "Vehicle crime", "Violence and sexual offences")


def land(settings: Settings, folder: Path, source: str, dataset: str, name: str, body: bytes) -> int:
    file = folder / name
    file.write_bytes(body)
    declared = find_source(source)
    landed = file_drop.take(settings.landing, declared, dataset, file, settings.now())
    return steps.load_one(settings, declared, dataset, landed).load_id


def month_of_city(month: str, rows: int, kinds: Sequence[str] = KINDS) -> bytes:
    return street(*(crime(CITY, month=month, kind=kind) for kind in itertools.islice(itertools.cycle(kinds), rows)))


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with connect(settings, ADMIN) as connection:
        return connection.execute(query.encode()).fetchall()


def aside(settings: Settings) -> dict[object, object]:
    return dict(rows(settings, "select part, code from ops.load where state = 'set_aside'"))


MONTHS = {"2024-01": 200, "2024-02": 40, "2024-03": 220, "2024-04": 160}


@pytest.mark.parametrize("order", [1, -1], ids=["old to new", "new to old"])
def test_a_month_of_few_rows_is_set_aside_whatever_came_first(warehouse: Settings, tmp_path: Path, order: int) -> None:
    for month, count in list(MONTHS.items())[::order]:
        land(
            warehouse,
            tmp_path,
            "police_uk",
            "street",
            f"{month}-city-of-london-street.csv",
            month_of_city(month, count),
        )
    (now_aside,) = set_aside.judge(warehouse)
    assert now_aside.file_name == "2024-02-city-of-london-street.csv"
    assert aside(warehouse) == {"2024-02-city-of-london": "MONTH_NOT_WHOLE"}
    assert re.search(r"has 40 rows, .* 200 .* \(3 of them", str(now_aside.reason))
    standing = "select left(part, 7), count(r.*) from ops.load as l left join raw.police_uk__street as r on r._load_id = l.load_id"
    assert rows(warehouse, f"{standing} where state = 'loaded' group by 1 order by 1") == [
        ("2024-01", 200), ("2024-03", 220), ("2024-04", 160),
    ]  # fmt: skip
    assert rows(warehouse, "select count(*) from raw.police_uk__street") == [(580,)]
    # Told once; the dataset is held and says why.
    assert set_aside.judge(warehouse) == []
    assert rows(warehouse, "select state, code, why from marts.data_status where dataset = 'street'") == [
        ("held", "MONTH_NOT_WHOLE", f"load {now_aside.load_id} was set aside: {now_aside.reason}")
    ]
    assert [(row["load_id"], row["code"]) for row in status.set_aside(warehouse)] == [
        (now_aside.load_id, "MONTH_NOT_WHOLE")
    ]


def test_a_month_comes_back_when_what_spoke_against_it_is_gone_or_a_person_accepts_it(
    warehouse: Settings, tmp_path: Path
) -> None:
    ids = {
        month: land(
            warehouse,
            tmp_path,
            "police_uk",
            "street",
            f"{month}-city-of-london-street.csv",
            month_of_city(month, count),
        )
        for month, count in {"2024-01": 400, "2024-02": 60}.items()
    }
    set_aside.judge(warehouse)
    assert list(aside(warehouse)) == ["2024-02-city-of-london"]
    nightly_withdraw(warehouse, ids["2024-01"])
    assert set_aside.judge(warehouse) == []
    assert aside(warehouse) == {}
    assert rows(warehouse, "select count(*) from raw.police_uk__street") == [(60,)]
    land(warehouse, tmp_path, "police_uk", "street", "2024-03-city-of-london-street.csv", month_of_city("2024-03", 400))
    (again,) = set_aside.judge(warehouse)
    set_aside.accept(warehouse, again.load_id, "a strike", "an analyst")
    assert set_aside.judge(warehouse) == []
    assert rows(warehouse, "select part, rows_loaded from ops.load where state = 'loaded' order by 1") == [
        ("2024-02-city-of-london", 60), ("2024-03-city-of-london", 400),
    ]  # fmt: skip
    with refused_with("LOAD_IN_ANOTHER_STATE", match=f"load {again.load_id} "):
        set_aside.accept(warehouse, again.load_id, "again", "an analyst")


def nightly_withdraw(settings: Settings, load_id: int) -> None:
    with connect(settings, ADMIN, autocommit=True) as connection:
        connection.execute("delete from raw.police_uk__street where _load_id = %s", [load_id])
        connection.execute("update ops.load set state = 'withdrawn' where load_id = %s", [load_id])


def test_a_month_without_most_of_a_kind_of_crime_is_set_aside(warehouse: Settings, tmp_path: Path) -> None:
    thefts = ("Other theft",) * 9 + ("Violence and sexual offences",)
    for month, kinds in (("2024-01", KINDS), ("2024-02", thefts), ("2024-03", KINDS)):
        body = month_of_city(month, 600, kinds)
        land(warehouse, tmp_path, "police_uk", "street", f"{month}-city-of-london-street.csv", body)
    # 60 of 120 is half: few, and no sign that it is not the month.
    assert set_aside.judge(warehouse) == []
    body = month_of_city("2024-04", 600, ("Other theft",) * 29 + ("Violence and sexual offences",))
    land(warehouse, tmp_path, "police_uk", "street", "2024-04-city-of-london-street.csv", body)
    (found,) = set_aside.judge(warehouse)
    assert found.code == "MONTH_NOT_WHOLE"
    assert re.search("20 rows of Violence and sexual offences, .* 120 ", str(found.reason))


def test_a_month_of_the_met_alone_is_measured_by_its_own_count_of_offences(warehouse: Settings, tmp_path: Path) -> None:
    land(warehouse, tmp_path, "police_uk", "street", "2024-01-metropolitan-street.csv", street(*[crime(MET)] * 1500))
    assert set_aside.judge(warehouse) == []
    land(warehouse, tmp_path, "mps", "borough_recent", "mps.csv", borough_file("202401", "202402"))
    ((offences,),) = rows(warehouse, "select (totals ->> '2024-01')::int from ops.load where source = 'mps'")
    (found,) = set_aside.judge(warehouse)
    assert found.code == "LESS_THAN_ANOTHER_FEED"
    assert re.search(f"has 1,504 in 2024-01, .* 25% of the {offences:,} offences", str(found.reason))


@pytest.mark.parametrize("order", [1, -1], ids=["old to new", "new to old"])
def test_a_first_file_of_homicides_is_measured_by_those_that_the_files_by_borough_have(
    warehouse: Settings, tmp_path: Path, order: int
) -> None:
    header, line = (
        VICTIMS_2025,
        ["1", 1, "13 to 19", "Male", "Shooting", "0", "", "Murder", "Solved", "Camden", "White"],
    )
    (category,) = [n for n, (_, minor) in enumerate(categories("connect_2025")) if minor == "HOMICIDE"]
    there = {month: sum(mps_files.count(category, area, month) for area in range(32)) for month in ("202401", "202402")}
    # Of two thirds of them nobody can say that they are all.
    here = [
        [*line[:6], when, *line[7:]]
        for month, when in (("202401", "Jan-24"), ("202402", "Feb-24"))
        for _ in range(there[month] * 2 // 3)
    ]
    files = [
        ("homicide_victims", "homicide victims.csv", csv_bytes(header, here)),
        ("borough_recent", "mps.csv", borough_file("202401", "202402")),
    ]
    for dataset, name, body in files[::order]:
        land(warehouse, tmp_path, "mps", dataset, name, body)
    (found,) = set_aside.judge(warehouse)
    assert found.code == "LESS_THAN_ANOTHER_FEED"
    assert re.search(rf"has {len(here):,} in 2024-01 to 2024-02, .* 70% .* homicides", str(found.reason))


def test_wards_are_measured_by_the_offences_of_the_boroughs_but_in_the_month_that_leaves_the_file(
    warehouse: Settings, tmp_path: Path
) -> None:
    land(warehouse, tmp_path, "mps", "borough_recent", "mps.csv", borough_file("202401", "202403"))
    totals = dict(rows(warehouse, "select key, value::int from ops.load, jsonb_each_text(totals)"))
    each = 32 * len(categories("connect_2025"))
    for number, (share, codes) in enumerate(((0.9, []), (0.5, ["LESS_THAN_ANOTHER_FEED"]))):
        counts = [0, *(round(int(str(totals[month])) * share / each) for month in ("2024-02", "2024-03"))]
        body = ward_file(["202401", "202402", "202403"], counts)
        land(warehouse, tmp_path, "mps", ("ward_recent", "ward_historical")[number], f"ward{number}.csv", body)
        assert [one.code for one in set_aside.judge(warehouse)] == codes


def test_no_load_is_looked_for_where_what_failed_is_made_from_none(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(warehouse, tmp_path, "mps", "borough_recent", "mps.csv", borough_file("202401", "202402"))
    builds = []

    def fail(*_: object, **__: object) -> None:
        builds.append(1)
        raise transform.BuildFailed("BUILD_FAILED", "the build failed: boroughs (a seed)")

    monkeypatch.setattr(transform, "build", fail)
    with refused_with("BUILD_FAILED"):
        candidate.build(warehouse, "run")
    assert builds == [1]
    assert rows(warehouse, "select state from ops.load") == [("loaded",)]


def test_a_failed_model_is_made_from_the_sources_above_it(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    above = {
        "test.vru.t": ["model.vru.mart"],
        "model.vru.mart": ["model.vru.int", "seed.vru.boroughs"],
        "model.vru.int": ["source.vru.raw_mps.mps__vawg", "source.vru.ops.load", "model.vru.mart"],
        "seed.vru.boroughs": [],
    }
    manifest.write_text(json.dumps({"parent_map": above}), encoding="utf-8")
    assert transform._sources_of("test.vru.t", manifest) == {"mps"}
    assert transform._sources_of("seed.vru.boroughs", manifest) == set()
    assert "nomis" in transform._sources_of("seed.vru.boroughs", tmp_path / "none.json")


def test_a_load_with_which_the_build_fails_is_left_out_and_named_once_and_the_others_are_published(
    to_build: Settings, tmp_path: Path
) -> None:
    land(to_build, tmp_path, "mps", "borough_recent", "mps.csv", borough_file("202401", "202402"))
    bad = land(to_build, tmp_path, "nomis", "jobs_density", "jobs.csv", answer(jobs(AREAS)))
    # What no reader foresaw, in raw as if it had come so: no cast to a number takes it.
    with connect(to_build, ADMIN) as connection:
        connection.execute(
            sql.SQL("update {} set obs_value = 'x' where _row_number = 3").format(
                sql.Identifier("raw", "nomis__jobs_density")
            )
        )
    assert build_and_publish(to_build)
    ((code, reason),) = rows(
        to_build, f"select code, reason from ops.load where load_id = {bad} and state = 'set_aside'"
    )
    assert code == "BUILD_FAILS_WITH_IT"
    assert "int_nomis_" in str(reason)
    assert rows(to_build, "select distinct source from marts.fct_measure as f inner join marts.dim_measure using (measure_code)") == [
        ("mps",)
    ]  # fmt: skip
    assert rows(to_build, "select state from marts.data_status where dataset = 'jobs_density'") == [("held",)]
    ((code, subject),) = rows(to_build, "select code, subject from ops.alert")
    assert code == "BUILD_FAILS_WITH_IT"
    assert "nomis jobs_density, file jobs.csv was set aside" in str(subject)
    # By the same code it is not tried again, and nobody is told again.
    assert set_aside.judge(to_build) == []
    assert build_and_publish(to_build)
    assert rows(to_build, "select count(*) from ops.alert") == [(1,)]
    with refused_with("LOAD_IN_ANOTHER_STATE"):
        set_aside.accept(to_build, bad, "it is right", "an analyst")
