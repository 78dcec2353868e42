"""A build makes what new files touch, and comes to what a build of everything comes to."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import psycopg
import pytest

from ingest.connectors import file_drop
from ingest.declaration import find_source, read_sources
from ingest.sources.police_uk.checks import ALWAYS
from tests.mps_files import borough_file
from tests.refused import refused_with
from warehouse import steps
from warehouse.build import transform
from warehouse.platform.connection import ADMIN, TRANSFORMER, connect
from warehouse.platform.settings import Settings

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)
FORCE = "Metropolitan Police Service"


# What a month of the Met always has besides robberies: one row of each.
OTHERS = sorted({*ALWAYS["metropolitan"]} - {"Robbery"})


def street(month: str, robberies: int) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(HEADER.split(","))
    for number in range(robberies):
        place = ["-0.120961", "51.530607", "On or near High Road", "E01000938", "Camden 024B"]
        rows.writerow([f"{number:064x}", month, FORCE, FORCE, *place, "Robbery", "Under investigation", ""])
    for kind in OTHERS:
        rows.writerow(["f" * 64, month, FORCE, FORCE, *["", "", "No Location", "", ""], kind, "", ""])
    return text.getvalue().encode()


def load(settings: Settings, folder: Path, source: str, dataset: str, name: str, body: bytes) -> None:
    file = folder / name
    file.write_bytes(body)
    landed = file_drop.take(settings.landing, find_source(source), dataset, file, settings.now())
    steps.load_one(settings, find_source(source), dataset, landed)


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with connect(settings, ADMIN) as connection:
        return connection.execute(query.encode()).fetchall()


def tables(settings: Settings) -> dict[object, object]:
    """The file of each table of schema intermediate, which is another one where the table was filled again."""
    return {
        name: int(str(number))
        for name, number in rows(
            settings,
            "select relname, relfilenode from pg_class where relnamespace = 'intermediate'::regnamespace and relkind = 'r'",
        )
    }


def contents(settings: Settings) -> dict[object, object]:
    """How many rows each table that a build makes has, and the sum of a hash of each."""
    found = rows(
        settings,
        "select schemaname || '.' || tablename from pg_tables where schemaname in ('intermediate', 'candidate')",
    )
    return {
        name: rows(settings, f"select count(*), sum(hashtextextended(t::text, 0)::numeric) from {name} as t")
        for (name,) in found
    }


def counted_files(settings: Settings) -> dict[object, tuple[int, object, object]]:
    """Of each street file that is counted: its crimes, and the transactions that wrote them down by LSOA and by borough."""
    found = rows(
        settings,
        """select load_id, l.row_count, b.row_count, l.written, b.written
           from (select load_id, sum(row_count) as row_count, min(xmin::text) as written
                 from intermediate.int_police_uk_street_count group by load_id) as l
           full join (select load_id, sum(row_count) as row_count, min(xmin::text) as written
                      from intermediate.int_police_uk_last_outcome group by load_id) as b using (load_id)""",
    )
    assert [row for row in found if row[1] != row[2]] == []
    return {load_id: (int(str(count)), by_lsoa, by_borough) for load_id, count, _, by_lsoa, by_borough in found}


def test_a_new_month_builds_what_it_touches_and_comes_to_what_a_whole_build_does(
    to_build: Settings, tmp_path: Path
) -> None:
    load(to_build, tmp_path, "mps", "borough_recent", "mps.csv", borough_file("202401", "202402"))
    load(to_build, tmp_path, "police_uk", "street", "2024-01-metropolitan-street.csv", street("2024-01", 3))
    load(to_build, tmp_path, "police_uk", "street", "2024-02-metropolitan-street.csv", street("2024-02", 5))
    transform.build(to_build)
    before, counted = tables(to_build), counted_files(to_build)
    assert sorted(count - len(OTHERS) for count, *_ in counted.values()) == [3, 5]

    # A month is new, another is revised, the third is what it was.
    load(to_build, tmp_path, "police_uk", "street", "2024-03-metropolitan-street.csv", street("2024-03", 7))
    load(to_build, tmp_path, "police_uk", "street", "2024-02-metropolitan-street.csv", street("2024-02", 6))
    transform.build(to_build)
    after, recounted = tables(to_build), counted_files(to_build)
    assert sorted(count - len(OTHERS) for count, *_ in recounted.values()) == [3, 6, 7]
    (unrevised,) = counted.keys() & recounted.keys()
    assert recounted[unrevised] == counted[unrevised]
    anew = {name for name in after if after[name] != before[name]}
    assert "int_police_uk_month" in anew
    assert [name for name in anew if str(name).startswith(("int_mps_", "int_nomis_", "int_fingertips_"))] == []
    assert not anew & {"boroughs", "police_uk_label"}

    partial = contents(to_build)
    transform.build(to_build, whole=True)
    assert {name for name, number in tables(to_build).items() if after[name] == number} == set()
    assert contents(to_build) == partial


@pytest.mark.parametrize(
    ("code", "is_built", "settled"),
    [
        (transform.code_version(), True, sorted(read_sources().keys() - {"police_uk"})),
        ("of other code", True, None),
        (transform.code_version(), False, None),
    ],
)
def test_what_an_early_ended_build_or_other_code_left_is_not_relied_on(
    warehouse: Settings, tmp_path: Path, code: str, is_built: bool, settled: list[str] | None
) -> None:
    load(warehouse, tmp_path, "mps", "borough_recent", "mps.csv", borough_file("202401", "202402"))
    load(warehouse, tmp_path, "police_uk", "street", "2024-01-metropolitan-street.csv", street("2024-01", 3))
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind, built_at)
               values ('before', '', %s, 'real', case when %s then now() end)""",
            [code, is_built],
        )
        connection.execute(
            "insert into ops.candidate_load select 'before', load_id from ops.load where source = 'mps'",
        )
    with connect(warehouse, ADMIN) as connection:
        assert transform._settled_sources(connection, transform.inputs(warehouse)) == settled


def test_what_a_failed_build_says_names_the_table_and_quotes_no_row() -> None:
    # As dbt 1.11 writes it where a row breaks a constraint of a mart.
    message = """Database Error in model rpt_police_health (models/marts/rpt_police_health.sql)
  new row for relation "rpt_police_health" violates check constraint "rpt_police_health_health_count_check"
  DETAIL:  Failing row contains (E09000002, safestats_las_gun, month, 2026-09-01, 3).
  compiled code at run/models/marts/rpt_police_health.sql"""
    node = {"unique_id": "model.vru.rpt_police_health"}
    events = [
        {
            "data": {"node_info": node},
            "info": {"name": "RunResultFailure", "msg": "Failure in model rpt_police_health"},
        },
        {"data": {"node_info": node}, "info": {"name": "RunResultError", "msg": f"  {message}"}},
    ]
    failure = transform._failure("\n".join(json.dumps(event) for event in events), "")[1]
    assert failure.startswith("rpt_police_health (Database Error in model rpt_police_health")
    assert 'violates check constraint "rpt_police_health_health_count_check"' in failure
    assert "E09000002" not in failure


def test_a_build_that_fails_or_cannot_begin_says_in_dbts_words_what_and_where(
    to_build: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(to_build, tmp_path, "police_uk", "street", "2024-01-metropolitan-street.csv", street("2024-01", 3))
    with connect(to_build, ADMIN) as connection:
        connection.execute("drop view staging.stg_police_uk__street cascade")
    with refused_with("BUILD_FAILED", match=r"int_police_uk_\w+ \(Database Error .* does not exist"):
        transform.build(to_build)
    monkeypatch.setattr(transform, "DBT_PROJECT", tmp_path)
    with refused_with("BUILD_FAILED", match=r"dbt_project\.yml"):
        transform.build(to_build)


def test_a_build_of_other_code_relies_on_nothing_that_dbt_kept_of_its_parsing(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Seen in a home whose descriptions had moved to another file: "dbt found two schema.yml entries for the same resource".
    kept = warehouse.home / "dbt" / "partial_parse.msgpack"
    there: list[bool] = []

    def stand_in(_: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
        there.append(kept.exists())
        kept.touch()
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr(transform, "dbt", stand_in)
    for version, settled in (("one", None), ("one", ["nomis"]), ("one", None), ("two", None)):
        monkeypatch.setattr(transform, "code_version", lambda version=version: version)
        transform._run_dbt(warehouse, settled)
    assert there == [False, True, True, False]


def test_what_dbt_still_does_for_a_build_that_was_killed_is_ended_before_the_next_begins(warehouse: Settings) -> None:
    with connect(warehouse, TRANSFORMER) as orphan, connect(warehouse, TRANSFORMER, autocommit=True) as next_build:
        orphan.execute("set application_name = 'dbt'")
        orphan.execute("select 1")
        transform._end_orphaned_builds(next_build)
        with pytest.raises(psycopg.OperationalError):
            orphan.execute("select 1")
        assert next_build.execute("select 1").fetchone() == (1,)
