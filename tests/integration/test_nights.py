"""Nights through Airflow, as a person runs them: green, quiet, held, refused, back to green; then rollback and rebuild.

The tests of this file tell one story and share one home, each leaving it as it found it or as its name says; a night takes
half a minute, and each alone would need several.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

import sandbox
from ingest.declaration import find_source
from sandbox.server import Publisher
from tests.conftest import PROJECT
from warehouse import embedded
from warehouse.connection import ADMIN, ANALYST, connect
from warehouse.settings import Settings, read_settings
from warehouse.transform import dbt

TODAY = dt.date(2026, 11, 22)
VRU = str(Path(sys.executable).with_name("vru"))
RECENT = "MPS Borough Level Crime (most recent 24 months)"
# Where each business rule is: area lookup, month assignment, revision choice, sums, breaks, windows and change on zero, age bands, revisions, data quality.
RULED = {
    *("stg_mps__borough_recent", "stg_police_uk__street", "int_safestats_event"),
    *("stg_mps__dashboard_knife", "stg_safestats__ambulance_london", "stg_police_uk__stop_and_search"),
    *(
        "int_mps_claim",
        "int_mps_winner",
        "int_mps_category_measure",
        "int_mps_borough_month",
        "int_mps_composite_month",
    ),
    *("int_series_break", "int_series_break_month", "rpt_borough_month", "fct_measure", "int_nomis_measure"),
    *("int_mps_borough_revision", "int_nomis_revision", "rpt_revision", "rpt_revision_release"),
    *("int_safestats_event_quality", "rpt_data_quality"),
}


class Home:
    """A home of its own, whose publisher is the stand-in of this test."""

    def __init__(self, folder: Path, publisher: Publisher) -> None:
        self.publisher = publisher
        self.folder = folder
        self.today = TODAY

    @property
    def environment(self) -> dict[str, str]:
        return {
            "VRU_HOME": str(self.folder),
            "VRU_TODAY": self.today.isoformat(),
            "VRU_BASE_URLS": json.dumps({"mps": self.publisher.base_url}),
        }

    @property
    def settings(self) -> Settings:
        return read_settings(self.environment)

    def vru(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [VRU, *arguments], env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in result.stderr, result.stderr
        return result

    def night(self) -> subprocess.CompletedProcess[str]:
        """A night of one source, the police: the story is the same for all, and the scheduler's test runs them all."""
        return self.vru("nightly", "--sources", "mps")

    def rows(self, query: str, role: str = ANALYST) -> list[tuple[object, ...]]:
        with connect(self.settings, role) as connection:
            return connection.execute(query.encode()).fetchall()

    def marts(self) -> dict[str, str]:
        """A hash of every row of every mart, and of its history."""
        with connect(self.settings, ADMIN) as connection:
            tables = connection.execute(
                """select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
                   where n.nspname in ('marts', 'marts_history') and c.relkind = 'r' order by 1, 2"""
            ).fetchall()
            return {
                f"{schema}.{table}": hashlib.sha256(
                    b"".join(_copied(connection, f"select * from {schema}.{table} as t order by t::text"))
                ).hexdigest()
                for schema, table in tables
            }

    def written(self) -> int:
        """Rows ever inserted, updated or deleted in raw, the marts and their history."""
        with connect(self.settings, ADMIN) as connection:
            row = connection.execute(
                """select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_all_tables
                   where schemaname in ('raw', 'marts', 'marts_history')"""
            ).fetchone()
        assert row is not None
        return int(row[0])

    def alerts(self) -> list[dict[str, object]]:
        return list(json.loads(self.vru("alerts", "--json").stdout))


def _copied(connection: psycopg.Connection, query: str) -> Iterator[bytes]:
    with connection.cursor().copy(f"copy ({query}) to stdout".encode()) as copy:
        yield from (bytes(block) for block in copy)


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    folder = Path(tempfile.mkdtemp(prefix="vru-"))
    try:
        with sandbox.serve(today=TODAY, seed=1) as publisher:
            one = Home(folder, publisher)
            first = one.night()
            assert first.returncode == 0, first.stdout + first.stderr
            assert "SYNTHETIC DATA" in first.stderr
            assert "release 1 (synthetic)" in first.stdout
            assert "marts.rpt_borough_month" in first.stdout
            yield one
    finally:
        embedded.stop(folder / "postgres")
        shutil.rmtree(folder)


def offered(publisher: Publisher, name: str) -> bytes:
    """The newest file of that name that the stand-in offers now."""
    resources = requests.get(f"{publisher.base_url}/api/action/package_show?id=exy3m", timeout=10).json()["result"][
        "resources"
    ]
    url = next(r["url"] for r in resources if name in r["name"])
    return requests.get(url, timeout=10).content


def recounted(body: bytes, factor: float) -> bytes:
    """A borough file with every count multiplied."""
    rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(rows[0])
    writer.writerows([*row[:3], *(int(int(cell) * factor) for cell in row[3:])] for row in rows[1:])
    return text.getvalue().encode()


def test_every_rule_of_the_models_does_what_its_unit_test_says(home: Home) -> None:
    # Here, because dbt takes the types of a unit test's columns from the tables of a whole build.
    result = dbt(home.settings, "test", "--select", "test_type:unit")
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads((home.folder / "dbt" / "run_results.json").read_text(encoding="utf-8"))["results"]
    ruled = {item["unique_id"].split(".")[2] for item in found if item["status"] == "pass"}
    assert ruled >= RULED, "a business rule has lost its unit test"


def test_every_question_of_the_readme_has_the_answer_it_prints(home: Home) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    pairs = re.findall(r"```sql\n(.*?)```\n\n```\n(.*?)```", readme, flags=re.DOTALL)
    assert len(pairs) == 5
    for query, answer in pairs:
        printed = home.vru("sql", query)
        assert [line.rstrip() for line in printed.stdout.rstrip().splitlines()] == answer.rstrip().splitlines(), query


def test_london_and_what_could_not_be_placed_are_what_the_publisher_printed(home: Home) -> None:
    rows = list(csv.reader(io.StringIO(offered(home.publisher, RECENT).decode(), newline="")))
    for index, month in list(enumerate(rows[0]))[3:]:
        found = home.rows(
            f"""select sum(value)::bigint from marts.fct_measure where measure_code = 'mps_all_offences'
                and period_start_date = to_date('{month}', 'YYYYMM') and area_code not in ('INNER', 'OUTER')
                and area_code not in (select borough_code from marts.dim_borough)"""
        )
        assert found == [(sum(int(row[index]) for row in rows[1:]),)], month


def test_the_marts_hold_the_boroughs_keys_and_descriptions_they_promise(home: Home) -> None:
    assert home.rows("select count(*), min(borough_code), max(borough_code) from marts.dim_borough") == [
        (32, "E09000002", "E09000033")
    ]
    undescribed = home.rows(
        """select c.relname, a.attname from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
           left join pg_description as d on d.objoid = c.oid and d.objsubid = a.attnum
           where c.relnamespace = 'marts'::regnamespace and c.relkind in ('r', 'v') and d.description is null""",
        ADMIN,
    )
    assert undescribed == []
    keyless = home.rows(
        """select relname from pg_class as c where relnamespace = 'marts'::regnamespace and relkind = 'r'
           and not exists (select 1 from pg_constraint where conrelid = c.oid and contype = 'p')""",
        ADMIN,
    )
    assert keyless == []
    assert home.rows(
        """select confrelid::regclass::text from pg_constraint where conrelid = 'marts.fct_measure'::regclass
           and contype = 'f' order by 1""",
        ADMIN,
    ) == [("marts.dim_area",), ("marts.dim_measure",), ("marts.dim_month",)]


def test_a_night_on_which_nothing_changed_writes_nothing_and_builds_nothing(home: Home) -> None:
    marts, written = home.marts(), home.written()
    home.publisher.forget_requests()
    quiet = home.night()
    assert quiet.returncode == 0, quiet.stdout
    assert "nothing was new: release 1 stands" in quiet.stdout
    assert "nothing is new: the marts hold what this build would come to" in home.vru("build").stdout
    assert home.marts() == marts
    assert home.written() == written
    assert {r.status for r in home.publisher.requests if "/files/" in r.path} == {304}
    assert home.rows("select max(release_id) from marts.publication") == [(1,)]
    assert home.alerts() == []


def test_a_file_that_changed_its_form_is_refused_the_rest_goes_on_and_one_alert_says_so(home: Home) -> None:
    marts, before = home.marts(), len(home.alerts())
    body = offered(home.publisher, RECENT).replace(b"BoroughName", b"Ward", 1)
    home.publisher.misbehave("replace_body", path_contains=RECENT, body=body)
    night = home.night()
    home.publisher.behave()
    assert night.returncode == 1
    assert home.marts() == marts
    (alert, *rest) = home.alerts()
    assert len(rest) == before
    assert "header 'Ward' is not known (column 3)" in str(alert["body"])
    assert home.vru("loads", "--json").stdout.count('"refused"') == 1


def test_a_publisher_that_is_down_makes_the_run_red_and_its_data_stale(home: Home) -> None:
    home.publisher.misbehave("status", path_contains="package_show", code=404)
    night = home.night()
    home.publisher.behave()
    assert night.returncode == 1
    assert home.rows("select distinct state from marts.data_status where source = 'mps'") == [("stale",)]
    assert home.rows("select count(*) from marts.data_status where why like '%status 404%'") == [
        (len(find_source("mps").datasets),)
    ]
    assert home.rows("select count(*) from marts.publication") == [(1,)]


def test_a_delivery_that_is_not_fit_is_held_and_the_marts_stand_byte_for_byte(home: Home) -> None:
    marts = home.marts()
    spoilt = recounted(offered(home.publisher, RECENT), 0.5)
    home.publisher.misbehave("replace_body", path_contains=RECENT, body=spoilt)
    night = home.night()
    home.publisher.behave()
    assert night.returncode == 1
    assert "HELD" in night.stdout
    assert home.marts() == marts
    assert set(home.rows("select state from marts.data_status where source = 'mps'")) == {("held",)}
    alert = home.alerts()[0]
    assert "no_month_moves_15_percent_from_what_is_published" in str(alert["body"])
    assert "2026-09" in str(alert["body"])


def test_the_next_good_month_publishes_by_itself(home: Home) -> None:
    home.today = dt.date(2026, 12, 8)
    home.publisher.advance_to(home.today)
    night = home.night()
    assert night.returncode == 0, night.stdout + night.stderr
    assert home.rows("select distinct state from marts.data_status where source = 'mps'") == [("fresh",)]
    assert home.rows("select max(period_start_date) from marts.fct_measure") == [(dt.date(2026, 11, 1),)]
    assert home.rows("select count(*) from marts.publication") == [(2,)]


def test_what_the_new_month_revised_is_what_the_release_before_said_otherwise(home: Home) -> None:
    # The marts' own history is the witness: it was written before anything was revised.
    changed = home.rows(
        """select n.measure_code, n.area_code, n.period_start_date, o.value::float, n.value::float
           from marts.fct_measure as n
           inner join marts_history.fct_measure_as_of(1) as o
             using (measure_code, area_code, period_kind, period_start_date, sex, age_band, ethnicity)
           inner join marts.dim_measure as m on m.measure_code = n.measure_code and m.datasets like 'borough%'
           where n.value <> o.value and m.measure_kind <> 'composite' and n.area_code not in ('INNER', 'OUTER') order by 1, 2, 3"""
    )
    assert changed
    told = home.rows(
        """select measure_code, area_code, period_start_date, earlier_value, value from marts.rpt_revision
           where compared_with = 'previous' and source_release like 'borough% 2026-12-%' order by 1, 2, 3"""
    )
    assert told == changed


def test_every_release_can_be_read_again_and_gone_back_to(home: Home) -> None:
    marts = home.rows("select * from marts.fct_measure order by 1, 2, 3, 5, 6, 7, 8")
    (newest,) = home.rows("select max(release_id) from marts.publication")[0]
    first = home.rows("select * from marts_history.fct_measure_as_of(1) order by 1, 2, 3, 5, 6, 7, 8")
    assert first != marts
    assert home.vru("rollback", "1").returncode == 0
    assert home.rows("select * from marts.fct_measure order by 1, 2, 3, 5, 6, 7, 8") == first
    assert home.vru("rollback", str(newest)).returncode == 0
    assert home.rows("select * from marts.fct_measure order by 1, 2, 3, 5, 6, 7, 8") == marts


def test_everything_can_be_rebuilt_from_landing_alone_row_for_row(home: Home) -> None:
    marts = home.marts()
    rebuilt = home.vru("rebuild")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert home.marts() == marts


def test_a_home_of_synthetic_data_refuses_real_files_and_the_real_publishers_by_name(home: Home) -> None:
    marts = home.marts()
    real = home.vru("nightly", "--sources", "live")
    assert real.returncode == 1
    assert "SOURCES=live asks for: brings real data, and this home holds synthetic data" in real.stderr
    file = home.folder / "real.csv"
    file.write_bytes(offered(home.publisher, RECENT))
    by_hand = home.vru("land", "mps", "borough_recent", str(file))
    assert by_hand.returncode == 1
    assert "real.csv: brings real data, and this home holds synthetic data: the two never meet" in by_hand.stderr
    assert home.marts() == marts
