"""What an analyst finds after a first night of every source, as `make nightly` runs it: rules, keys, descriptions, and the README's answers."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator

import pytest

from ingest.declaration import read_sources
from tests.conftest import PROJECT
from tests.homes import Home, folder_of_a_home
from warehouse.connection import ADMIN
from warehouse.transform import dbt

# A first night of every source.
pytestmark = pytest.mark.timeout(600)

# The day of the README's answers.
TODAY = dt.date(2026, 11, 22)
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
    *(
        "int_series_break",
        "int_series_break_month",
        "fct_window",
        "rpt_borough_measure",
        "fct_measure",
        "int_nomis_measure",
    ),
    *("int_mps_borough_revision", "int_nomis_revision", "rpt_revision", "rpt_revision_release"),
    *("int_safestats_event_quality", "rpt_data_quality"),
}


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with folder_of_a_home() as folder:
        one = Home(folder, TODAY)
        night = one.vru("nightly", "--sources", "sandbox")
        assert night.returncode == 0, night.stdout + night.stderr
        yield one


def test_a_night_of_every_source_leaves_none_of_their_data_missing(home: Home) -> None:
    assert home.rows("select source, dataset from marts.data_status where state <> 'fresh' order by 1, 2") == []
    assert home.rows("select distinct source from marts.data_status order by 1") == [
        (n,) for n in sorted(read_sources())
    ]


def test_every_rule_of_the_models_does_what_its_unit_test_says(home: Home) -> None:
    # Here, because dbt takes the types of a unit test's columns from the tables of a whole build.
    result = dbt(home.settings, "test", "--select", "test_type:unit")
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads((home.folder / "dbt" / "run_results.json").read_text(encoding="utf-8"))["results"]
    ruled = {item["unique_id"].split(".")[2] for item in found if item["status"] == "pass"}
    assert ruled >= RULED, "a business rule has lost its unit test"


@pytest.mark.parametrize(("page", "questions"), [("README.md", 5), ("docs/questions.md", 11)])
def test_every_question_of_the_pages_has_the_answer_it_prints(home: Home, page: str, questions: int) -> None:
    text = (PROJECT / page).read_text(encoding="utf-8")
    pairs = re.findall(r"```sql\n(.*?)```\n\n```\n(.*?)```", text, flags=re.DOTALL)
    assert len(pairs) == questions
    for query, answer in pairs:
        printed = home.vru("sql", query)
        assert [line.rstrip() for line in printed.stdout.rstrip().splitlines()] == answer.rstrip().splitlines(), query


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
