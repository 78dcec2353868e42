"""From any figure of any report to the publishers' files behind it, as an analyst."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from tests.homes import Home
from tests.refused import refused_with
from warehouse import cli
from warehouse.platform.connection import ANALYST, GATE, connect
from warehouse.platform.settings import Settings
from warehouse.reports import tracing

REPORTS = (
    "fct_measure", "fct_window", "fct_indicator", "fct_ward_month", "rpt_ambulance_month", "rpt_borough_comparison", "rpt_borough_measure", "rpt_borough_month",
    "rpt_control_chart", "rpt_crime_outcome", "rpt_data_quality", "rpt_deprivation", "rpt_driver_comparison", "rpt_drivers", "rpt_ed_attendance", "rpt_hotspots", "rpt_police_health",
    "rpt_priority_index", "rpt_revision", "rpt_revision_release", "rpt_sna_facts", "rpt_sna_facts_archive", "rpt_success_measures",
    "rpt_temporal_profile", "rpt_victim_profile", "rpt_ward_measure",
)  # fmt: skip
EDITION = """select source, dataset, sha256, state, row_count, address, is_in_release, data_kind from marts.edition order by 1, 2, 3"""


def traced(home: Home, report: str, where: str) -> dict[str, Counter[tuple[str, str]]]:
    """The editions behind the rows of a report that meet a condition: dataset and month or part of each, by what they are behind."""
    rows = home.rows(
        f"""select distinct e.behind, e.dataset, e.sha256, coalesce(e.part, e.release_date::text) from marts.{report} as r,
            marts.trace('{report}', to_jsonb(r)) as e where {where}"""
    )
    found: dict[str, Counter[tuple[str, str]]] = {}
    for behind, dataset, _, part in rows:
        found.setdefault(str(behind), Counter())[str(dataset), str(part)] += 1
    return found


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_leads_to_whole_hashes_of_files_that_stand(first_night: Home, report: str) -> None:
    one_in = (
        "area_code = 'E09000022'"
        if report in ("rpt_borough_measure", "rpt_borough_month", "rpt_sna_facts_archive")
        else "true"
    )
    lost, cells, whole = first_night.rows(
        f"""select count(*) filter (where t.editions = 0), count(*), bool_and(t.is_whole)
            from (select to_jsonb(r) as cell from marts.{report} as r where {one_in} limit 40) as c
            cross join lateral (
                select count(*) filter (where e.behind = 'counted') as editions, bool_and(e.sha256 ~ '^[0-9a-f]{{64}}$' and e.is_in_release) as is_whole
                from marts.trace('{report}', c.cell) as e
            ) as t"""
    )[0]
    # What a success measure cannot say has no figure; of the stand-ins no series has ended.
    without = "select count(*) from (select * from marts.rpt_success_measures limit 40) as r where measure_code is null"
    assert lost == (first_night.rows(without)[0][0] if report == "rpt_success_measures" else 0)
    assert (cells > 0, whole) == ((False, None) if report == "rpt_sna_facts_archive" else (True, True))


def test_no_report_is_left_out(first_night: Home) -> None:
    there = first_night.rows(
        "select relname::text from pg_class where relnamespace = 'marts'::regnamespace and relkind in ('r', 'v') and relname ~ '^(fct|rpt)_'"
    )
    # rpt_gap holds no figure.
    assert {name for (name,) in there} == {*REPORTS, "rpt_gap"}


def test_a_window_has_the_editions_of_all_its_months_and_of_the_year_it_is_compared_with(first_night: Home) -> None:
    cell = "area_code = 'E09000022' and measure_code = 'mps_robbery_personal' and window_kind = 'rolling_12' and sex = 'all' and age_band = 'all'"
    crossing = traced(first_night, "rpt_borough_measure", f"{cell} and month_start_date = date '2025-04-01'")
    # The 24-month file begins with November 2024.
    assert crossing["counted"] == {("borough_historical", "2026-11-01"): 1, ("borough_recent", "2026-11-01"): 1}
    assert crossing["compared"] == {("borough_historical", "2026-11-01"): 1}
    newest = traced(first_night, "rpt_borough_measure", f"{cell} and month_start_date = date '2026-10-01'")
    assert newest["counted"] == {("borough_recent", "2026-11-01"): 1}
    assert newest["residents"] == {("population", "NM_2002_1_2023_2025"): 1}
    searches = traced(
        first_night,
        "fct_window",
        "area_code = 'LONDON_32' and measure_code = 'police_uk_stop_and_search' and month_start_date = date '2026-09-01' and age_band = 'all'",
    )
    counted = Counter(part[:7] for _, part in searches["counted"])
    assert sorted(counted) == sorted({f"2025-{n:02}" for n in (10, 11, 12)} | {f"2026-{n:02}" for n in range(1, 10)})


@pytest.mark.parametrize(
    ("view", "where", "window", "month"),
    [
        ("bi_month", "month_start_date = date '2026-10-01'", "month", "2026-10-01"),
        ("bi_rolling_12", "month_start_date = date '2026-10-01'", "rolling_12", "2026-10-01"),
        ("bi_latest_12_months", "true", "rolling_12", "2026-10-01"),
        ("bi_financial_year", "year_start_date = date '2025-04-01'", "financial_year", "2026-03-01"),
    ],
)
def test_a_narrow_view_leads_to_what_the_report_behind_it_does(
    first_night: Home, view: str, where: str, window: str, month: str
) -> None:
    cell = "area_code = 'E09000022' and measure_code = 'mps_robbery_personal'"
    behind = traced(
        first_night,
        "rpt_borough_measure",
        f"{cell} and sex = 'all' and age_band = 'all' and window_kind = '{window}' and month_start_date = date '{month}'",
    )
    assert behind.keys() >= {"counted", "compared", "benchmark", "residents"}
    assert traced(first_night, view, f"{cell} and {where}") == behind


def test_a_hotspot_has_every_month_s_file_of_both_its_windows(first_night: Home) -> None:
    (end,) = first_night.rows(
        "select max(window_end_date)::text from marts.rpt_hotspots where measure_code like 'police_uk%'"
    )[0]
    assert end == "2026-09-30"
    street = traced(first_night, "rpt_hotspots", "measure_code = 'police_uk_metropolitan_violence_and_sexual_offences'")
    months = [f"{year}-{month:02}-metropolitan" for year in (2024, 2025, 2026) for month in range(1, 13)]
    assert sorted(part for _, part in street["counted"]) == months[21:33]
    assert sorted(part for _, part in street["compared"]) == months[9:21]
    assert {dataset for dataset, _ in street["residents"]} == {"imd_2019", "imd_2025"}
    ward = traced(first_night, "rpt_hotspots", "area_level = 'ward'")
    assert ward["counted"] == {("ward_recent", "2026-11-01"): 1}
    assert {dataset for dataset, _ in ward["residents"]} == {"census_ward_residents"}


def test_the_index_of_drivers_has_the_editions_of_all_its_components(first_night: Home) -> None:
    components = first_night.rows(
        """select distinct split_part(d.source_release, ' ', 1), right(d.source_release, 8) from marts.rpt_priority_index as i
           inner join marts.rpt_drivers as d using (area_code, measure_code, period_kind, period_start_date) where i.area_code = 'E09000022'"""
    )
    found = first_night.rows(
        """select distinct e.dataset, left(e.sha256, 8) from marts.rpt_priority_index as i, marts.trace('rpt_priority_index', to_jsonb(i)) as e
           where i.area_code = 'E09000022' and e.behind in ('counted', 'component')"""
    )
    assert len(components) > 5
    assert set(components) <= set(found)
    one = traced(
        first_night,
        "rpt_priority_index",
        "area_code = 'E09000022' and measure_code = (select min(measure_code) from marts.rpt_priority_index)",
    )
    assert len(one["counted"]) == 1
    assert sum(one["component"].values()) >= len(components) - 1


def test_editions_are_the_files_of_the_ledger_each_once(first_night: Home) -> None:
    ledger = first_night.rows("select distinct source, dataset, sha256 from ops.load order by 1, 2, 3", GATE)
    editions = first_night.rows(EDITION)
    assert [row[:3] for row in editions] == ledger
    assert {row[3] for row in editions} == {"loaded"}
    assert {row[6:] for row in editions} == {(True, "synthetic")}
    # What a sender called its file stands in no address.
    assert {str(row[5]) for row in editions if row[0] == "safestats"} <= {"inbox", "landed by hand"}


def test_an_edition_that_a_newer_load_of_the_same_file_replaced_stands_once(warehouse: Settings) -> None:
    with connect(warehouse, "postgres") as connection:
        for state, rows in (("superseded", 1), ("loaded", 1), ("refused", 0)):
            connection.execute(
                """insert into ops.load (source, dataset, release_date, sha256, file_name, landed_path, url, bytes, landed_at, loaded_at,
                       rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
                   values ('mps', 'borough_recent', '2026-11-01', %s, 'x.csv', 'x', 'inbox:mps/borough_recent/Name.csv', 1, now(), now(),
                       1, %s::int, 1 - %s::int, %s, false)""",
                ["b" * 64 if state == "refused" else "a" * 64, rows, rows, state],
            )
    with connect(warehouse, ANALYST) as connection:
        assert connection.execute(EDITION).fetchall() == [  # type: ignore[arg-type] # a constant of this file
            ("mps", "borough_recent", "a" * 64, "loaded", 1, "inbox", False, "real"),
            ("mps", "borough_recent", "b" * 64, "refused", 1, "inbox", False, "real"),
        ]


@pytest.mark.parametrize(
    ("source_release", "named"),
    [
        (
            "stop_and_search 2026-10-01 sha256:fa828c6b+cb55c97d",
            [("stop_and_search", "fa828c6b"), ("stop_and_search", "cb55c97d")],
        ),
        ("a 2026-01-01 sha256:11111111, then b 2026-02-01 sha256:22222222", [("a", "11111111"), ("b", "22222222")]),
        ("street 2026-10-01", []),
        (None, []),
    ],
)
def test_editions_are_read_from_what_a_row_names(
    warehouse: Settings, source_release: str | None, named: list[tuple[str, str]]
) -> None:
    with connect(warehouse, ANALYST) as connection:
        assert connection.execute("select * from marts.editions_named(%s)", [source_release]).fetchall() == named


def test_a_home_without_releases_says_what_is_missing(warehouse: Settings) -> None:
    with connect(warehouse, ANALYST) as connection, pytest.raises(psycopg.errors.RaiseException, match="no report"):
        connection.execute("select * from marts.trace('rpt_nothing', '{}')")


def test_the_command_traces_a_figure_by_names_and_periods(first_night: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in first_night.environment.items():
        monkeypatch.setenv(name, value)

    def asked(*arguments: str) -> list[dict[str, Any]]:
        result = CliRunner().invoke(cli.main, ["trace", *arguments, "--json"])
        assert result.exit_code == 0, result.output
        return list(json.loads(result.stdout))

    (month,) = asked("mps_robbery_personal", "lambeth", "2026-10")
    assert (month["dataset"], len(month["sha256"]), month["behind"], month["licence"], month["data_kind"]) == (
        "borough_recent", 64, "counted", "Open Government Licence v3.0", "synthetic",
    )  # fmt: skip
    assert [row["dataset"] for row in asked("mps_robbery_personal", "E09000022", "2024/25")] == [
        "borough_historical",
        "borough_recent",
    ]
    year = asked("mps_robbery_personal", "Lambeth", "2026-10", "--report", "rpt_borough_measure")
    assert {row["behind"] for row in year} == {"counted", "compared", "benchmark", "residents"}
    with refused_with("FIGURE_UNKNOWN"):
        tracing.trace(first_night.settings, "mps_robbery_personal", "Lambeth", "1999-10", "fct_measure")
    with refused_with("OPTION_INVALID"):
        tracing.trace(first_night.settings, "mps_robbery_personal", "Lambeth", "2024/26", "fct_measure")
    with refused_with("TABLE_UNKNOWN"):
        tracing.trace(first_night.settings, "mps_robbery_personal", "Lambeth", "2024/25", "rpt_nothing")
    with refused_with("FIGURE_UNKNOWN"):
        tracing.trace(first_night.settings, "mps_robbery_personal", "Lambeth", "2024/25", "rpt_gap")
