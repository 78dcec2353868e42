"""The gate, on a candidate that is small and complete: what is wrong with it is named, and what cannot be judged blocks."""

from __future__ import annotations

import datetime as dt
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from expectations import data_docs, engine, gate
from expectations.gate import Verdict
from expectations.scope import Result
from expectations.suite import SUITES, read_suites
from ingest.errors import Refusal
from tests.conftest import Server
from warehouse.platform.connection import ADMIN, GATE, TRANSFORMER, connect
from warehouse.platform.settings import Settings

TODAY = dt.date(2025, 11, 10)
FIRST_MONTH = "2024-10-01"
LAST_MONTH = "2025-10-01"
MONTHS = 13
BOROUGHS = 32
CANDIDATE = "c 1"  # a space must survive the way into Great Expectations' session

CAMDEN, BARNET, HACKNEY = "E09000007", "E09000003", "E09000012"
MARTS = (
    "dim_borough", "dim_similar_area", "dim_area", "dim_month", "dim_measure", "dim_source", "series_break", "fct_measure",
    "rpt_borough_month", "rpt_gap", "rpt_data_quality",
)  # fmt: skip

# Values are a borough's number plus a constant, so every total can be worked out on paper. A hundredth has no borough.
RAW = f"""
insert into ops.load (source, dataset, release_date, sha256, file_name, landed_path, bytes, landed_at, loaded_at,
    classification, first_period, last_period, rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
values
    ('mps', 'borough_historical', '2025-11-01', 'a', 'h.csv', 'h', 1, '2025-11-01', '2025-11-01', 'connect_2025',
     '{FIRST_MONTH}', '2024-11-01', 66, 66, 0, 'loaded', true),
    ('mps', 'borough_recent', '2025-11-01', 'b', 'r.csv', 'r', 1, '2025-11-01', '2025-11-01', 'connect_2025',
     '2024-12-01', '{LAST_MONTH}', 66, 66, 0, 'loaded', true);

create temporary table cell as
select c.major_text, c.minor_text, a.name as borough_name, m.month::date as month,
    case when a.position = 33 then 12 else c.base + a.position end as offences,
    row_number() over (partition by m.month order by c.minor_text, a.position) as row_number
from (values ('SEXUAL OFFENCES', 'RAPE', 5), ('ROBBERY', 'ROBBERY OF PERSONAL PROPERTY', 60)) as c (major_text, minor_text, base)
cross join (
    select position, case when position = 33 then 'Unknown' when position = 6 then ' camden ' else 'Borough ' || position end as name
    from generate_series(1, 33) as position
) as a
cross join generate_series(timestamp '{FIRST_MONTH}', timestamp '{LAST_MONTH}', interval '1 month') as m (month);

update ops.load as l set totals = t.totals
from (
    select case when month < '2024-12-01' then 1 else 2 end as load_id, jsonb_object_agg(to_char(month, 'YYYY-MM'), offences) as totals
    from (select month, sum(offences) as offences from cell group by month) as months group by 1
) as t
where t.load_id = l.load_id;

insert into raw.mps__borough_historical
select major_text, minor_text, borough_name, to_char(month, 'YYYYMM'), offences::text, 1, row_number
from cell where month < '2024-12-01';
insert into raw.mps__borough_recent
select major_text, minor_text, borough_name, to_char(month, 'YYYYMM'), offences::text, 2, row_number
from cell where month >= '2024-12-01';
"""

MEANING = """
create table intermediate.area_aliases as
select 'mps' as source, case when p = 33 then 'unknown' when p = 6 then 'Camden' else 'Borough ' || p end as published_name,
    case when p = 33 then 'UNALLOCATED' else 'E09' || lpad((p + 1)::text, 6, '0') end as area_code
from generate_series(1, 33) as p;
create table intermediate.mps_category (category_vintage text, published_major text, published_minor text, measure_code text,
    group_measure_code text, series_measure_code text, is_required boolean, is_zero_when_absent boolean);
insert into intermediate.mps_category values
    ('connect_2025', 'Sexual  Offences', 'Rape', 'mps_rape', null, null, true, true),
    ('connect_2025', 'Robbery', 'Robbery of Personal Property', 'mps_robbery_personal', null, null, true, true);
create table intermediate.known_unallocated_months (source text, month_start_date date, note text);
insert into intermediate.known_unallocated_months values ('mps', '2025-03-01', 'known');
create table intermediate.int_mps_winner as
select 'mps_all_offences' as measure_code, m.month::date as month_start_date, l.load_id
from ops.load as l cross join lateral generate_series(l.first_period::timestamp, l.last_period::timestamp, interval '1 month') as m (month);
create table intermediate.int_mps_category_measure as
select unnest('{mps_all_offences,mps_rape,mps_robbery_personal}'::text[]) as measure_code;
create table intermediate.known_gap (source text, dataset text, part text, first_month date, last_month date, note text);
create table intermediate.measure_part as
select 'mps_all_offences' as measure_code, p.part as part_measure_code, p.relation
from (values ('mps_rape', 'counted'), ('mps_robbery_personal', 'published')) as p (part, relation);
create table intermediate.residents_caveat as select 'E09000007' as area_code, 'few live here' as residents_caveat;
create table intermediate.similar_area as
select 'E09' || lpad((p + 1)::text, 6, '0') as borough_code, case p when 32 then 'E09000032' else 'E09000033' end as similar_area_code, 1 as rank
from generate_series(1, 32) as p;
"""

BUILD = f"""
create table candidate.dim_borough as
select 'E09' || lpad((p + 1)::text, 6, '0') as borough_code,
    case p when 2 then 'Barnet' when 6 then 'Camden' when 11 then 'Hackney' else 'Borough ' || p end as borough_name, 'outer' as ons_inner_outer
from generate_series(1, 32) as p;

create table candidate.dim_similar_area as
select b.borough_code, (select max(o.borough_code) from candidate.dim_borough as o where o.borough_code <> b.borough_code) as similar_area_code,
    1 as similarity_rank
from candidate.dim_borough as b;

create table candidate.dim_area as
select borough_code as area_code, borough_name as area_name, 'borough' as area_type, true as is_in_london_32,
    case borough_code when 'E09000007' then 'few live here' end as residents_caveat, ons_inner_outer
from candidate.dim_borough
union all
select a.*, false, null, null from (values ('E09000001', 'City of London', 'city_of_london'), ('E92000001', 'England', 'country'),
    ('LONDON_32', 'London (32 boroughs)', 'aggregate'), ('LONDON_33', 'London and the City', 'aggregate'),
    ('INNER', 'Inner London', 'aggregate'), ('OUTER', 'Outer London', 'aggregate'),
    ('UNALLOCATED', 'No borough recorded', 'unplaced'), ('AVIATION', 'Airports', 'unplaced'), ('NON_MPS', 'Elsewhere', 'unplaced')) as a;

create table candidate.dim_month as
select m::date as month_start_date from generate_series(timestamp '2024-01-01', timestamp '2026-12-01', interval '1 month') as m;

create table candidate.dim_measure as
select m.*, 'mps' as source, 'borough_historical, borough_recent' as datasets, 'offences' as unit, 'what it says' as definition,
    'Offences' as numerator, null::text as denominator, 'lower_is_better' as polarity, true as is_summable_over_areas,
    true as is_summable_over_time, 'none' as caveat, 'OGL' as licence, 'MPS' as attribution, 'exact' as exactness, 'none' as proxy_of,
    'none' as proxy_reason, 'none' as definition_part, 'none' as definition_branch, 'none' as definition_lens, 1000 as rate_per,
    'none' as denominator_population, 'open' as publish_rule
from (values ('mps_all_offences', 'total'), ('mps_rape', 'category'), ('mps_robbery_personal', 'category')) as m (measure_code, measure_kind);
create table intermediate.measures as select * from candidate.dim_measure;

create table candidate.dim_source as
select source, dataset, licence, attribution, classification, publish_rule from ops.dataset
where source = 'mps' and dataset like 'borough%';

create table candidate.series_break as
select 'mps_rape' as measure_code, null::text as area_code, date '2025-01-01' as break_month, 'step' as break_kind, 'a label' as break_label,
    'a reason' as reason;
create table intermediate.series_breaks as select * from candidate.series_break;

create table candidate.fct_measure (area_code text, period_kind text, period_start_date date, period_end_date date,
    measure_code text, sex text, age_band text, ethnicity text, numerator numeric(18, 4), denominator numeric(18, 4),
    value numeric(18, 4), value_note text, source_release text, is_provisional boolean);
insert into candidate.fct_measure
with value as (
    select case when p = 33 then 'UNALLOCATED' else 'E09' || lpad((p + 1)::text, 6, '0') end as area_code, m.month::date as month,
        c.measure_code, case when p = 33 then 12 * c.categories else c.base + c.categories * p end as offences
    from generate_series(1, 33) as p
    cross join (values ('mps_rape', 5, 1), ('mps_robbery_personal', 60, 1), ('mps_all_offences', 65, 2)) as c (measure_code, base, categories)
    cross join generate_series(timestamp '{FIRST_MONTH}', timestamp '{LAST_MONTH}', interval '1 month') as m (month)
),
together as (
    select area_code, month, measure_code, offences from value
    union all
    select 'LONDON_32', month, measure_code, sum(offences) from value where area_code like 'E09%' group by 2, 3
)
select area_code, 'month', month, (month + interval '1 month' - interval '1 day')::date, measure_code, 'all', 'all', 'all',
    offences, null, offences, null,
    case when month < '2024-12-01' then 'borough_historical 2025-11-01 sha256:a' else 'borough_recent 2025-11-01 sha256:b' end, true
from together;

create table candidate.rpt_borough_month as
select f.area_code, f.period_start_date as month_start_date, f.measure_code, f.value::bigint as month_count,
    case when f.period_start_date >= '2025-09-01' then 12 * f.value::bigint end as rolling_12_month_count,
    null::bigint as previous_rolling_12_month_count, null::numeric as change_on_year_percent,
    round(100 * f.value / l.value, 3) as share_of_london_percent,
    null::numeric as rolling_12_month_share_of_london_percent,
    case when f.period_start_date >= '2025-09-01' and f.area_code <> 'LONDON_32' then 1 end as rank_in_london
from candidate.fct_measure as f
inner join candidate.fct_measure as l
    on l.area_code = 'LONDON_32' and l.measure_code = f.measure_code and l.period_start_date = f.period_start_date
where f.area_code <> 'UNALLOCATED';

create table candidate.rpt_gap as
select n as question_number, 1 as part_number, case when n = 1 then 'partly' else 'answered' end as status, 'fct_measure' as answered_by,
    'all' as answered, w.what as missing, w.what as missing_feed, w.what as feed_holder, w.what as legal_gateway,
    case when n = 1 then 'partly' else 'answered' end as state, null::text as feed_gap, null::text as feed_gap_holder
from generate_series(1, 35) as n
cross join lateral (select case when n = 1 then 'some' end as what) as w;

create table candidate.rpt_data_quality as
select 'mps' as source, d as dataset, 'all' as site_code, date '{LAST_MONTH}' as month_start_date, 'quarantined' as quality_code,
    'all' as field_name, 0::bigint as numerator, 66::bigint as denominator, 0::double precision as value, 'percent' as unit
from unnest('{{borough_historical,borough_recent}}'::text[]) as d;

insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind, begun_at, built_at) values
    ('{CANDIDATE}', 'f', 'v1', 'synthetic', '2025-11-10', '2025-11-10');
insert into ops.candidate_load select '{CANDIDATE}', load_id from ops.load;
"""


def judge(settings: Settings, candidate_id: str, *, suites: Path | None = None) -> Verdict:
    """Judge by our own suites, but for those of marts that this small candidate does not have."""
    if suites is not None:
        return gate.judge(settings, candidate_id, suites=suites)
    ours = settings.home / "suites"
    if not ours.exists():
        for folder in ("landing", "templates"):
            shutil.copytree(SUITES / folder, ours / folder)
        (ours / "marts").mkdir()
        for mart in MARTS:
            shutil.copy(SUITES / "marts" / f"{mart}.yml", ours / "marts")
    return gate.judge(settings, candidate_id, suites=ours)


@pytest.fixture
def candidate(warehouse: Settings) -> Settings:
    """A warehouse whose candidate is complete and right: 32 boroughs and UNALLOCATED, 13 months, 3 measures."""
    settings = warehouse.model_copy(update={"today": TODAY})
    as_role(settings, ADMIN, RAW)
    as_role(settings, TRANSFORMER, MEANING + BUILD)
    return settings


def as_role(settings: Settings, role: str, statements: str) -> None:
    with connect(settings, role) as connection:
        connection.execute(statements)


def change(settings: Settings, statements: str) -> None:
    """Break something, or put it right, as nobody but an administrator could."""
    as_role(settings, ADMIN, statements)


def result(verdict: Verdict, check: str, suite: str = "marts/fct_measure") -> Result:
    found = [r for r in verdict.results if r.check == check and r.suite == suite]
    assert len(found) == 1, (
        f"{check} of {suite} has {len(found)} results among {[(r.suite, r.check) for r in verdict.results]}"
    )
    return found[0]


def not_passed(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(r.suite, r.check, r.outcome) for r in verdict.results if r.outcome != "passed"]


def test_a_candidate_without_a_fault_passes_every_check(candidate: Settings) -> None:
    verdict = judge(candidate, CANDIDATE)
    assert [(r.suite, r.check, r.outcome, r.detail) for r in verdict.results if r.outcome != "passed"] == []
    assert verdict.verdict == "passed"


def test_a_figure_differs_that_is_gone_is_another_or_is_no_number(server: Server) -> None:
    figures = {
        (None, None, 0.1): False, (1.0, 1.05, 0.1): False, (1.0, 1.2, 0.1): True, (None, 1.0, 0.1): True, (1.0, None, 0.1): True,
        (None, None, None): False, (1.0, 1.0, None): True, (math.nan, 1.0, 0.1): True, (math.nan, math.nan, 0.1): True,
        (math.inf, math.inf, 0.1): True,
    }  # fmt: skip
    with connect(server.settings, GATE) as connection:
        found = {
            asked: (connection.execute("select ops.differs(%s, %s, %s)", asked).fetchone() or (None,))[0]
            for asked in figures
        }
    assert found == figures


def test_the_verdict_and_every_result_are_recorded_for_the_candidate(candidate: Settings) -> None:
    verdict = judge(candidate, CANDIDATE)
    with connect(candidate, GATE) as connection:
        releases = connection.execute(
            """select release_id, candidate_id, verdict, verdict_reason, state, judged_at, published_at, code_version, data_kind
               from ops.release"""
        ).fetchall()
        results = connection.execute(
            "select suite, check_name, severity, outcome, unexpected_count, detail, checked_at from ops.quality_result order by 1, 2"
        ).fetchall()
    assert releases == [
        (
            verdict.release_id, CANDIDATE, "passed", f"all {len(verdict.results)} checks passed", "judged",
            verdict.judged_at, None, "v1", "synthetic",
        )
    ]  # fmt: skip
    assert results == sorted(
        (r.suite, r.check, r.severity, r.outcome, r.unexpected_count, r.detail, verdict.judged_at)
        for r in verdict.results
    )


def test_no_connection_is_left_open(candidate: Settings) -> None:
    judge(candidate, CANDIDATE)
    with connect(candidate, ADMIN) as connection:
        (left,) = connection.execute(
            "select count(*) from pg_stat_activity where usename = 'vru_gate' and datname = current_database()"
        ).fetchone() or (None,)
    assert left == 0


def test_nothing_is_printed_logged_or_written_beside_the_home(
    candidate: Settings, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(elsewhere))
    change(candidate, "update candidate.fct_measure set value = null where measure_code = 'mps_rape'")
    judge(candidate, CANDIDATE)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert list(elsewhere.iterdir()) == []


def test_faults_in_the_facts_are_each_named_by_area_and_month(candidate: Settings) -> None:
    change(
        candidate,
        f"""
        delete from candidate.fct_measure
        where area_code = '{CAMDEN}' and period_start_date = '2025-03-01' and measure_code = 'mps_rape';
        update candidate.fct_measure set numerator = -4
        where area_code = '{BARNET}' and period_start_date = '2025-02-01' and measure_code = 'mps_rape';
        update candidate.fct_measure set numerator = 'NaN'
        where area_code = '{HACKNEY}' and period_start_date = '2025-01-01' and measure_code = 'mps_rape';
        update candidate.fct_measure set value = null
        where area_code = '{BARNET}' and period_start_date = '2025-04-01' and measure_code = 'mps_robbery_personal';
        """,
    )
    verdict = judge(candidate, CANDIDATE)
    assert verdict.verdict == "blocked"
    assert result(verdict, "every_borough_stands_in_every_month").detail == "Camden 2025-03 mps_rape"
    assert result(verdict, "every_numerator_is_0_or_more").detail == "2 of 1325 rows"
    assert result(verdict, "no_value_is_missing_without_a_note").detail == "Barnet 2025-04 mps_robbery_personal"
    assert (
        result(verdict, "no_count_is_missing", "landing/mps/reconciliation").detail
        == "Barnet 2025-04 mps_robbery_personal"
    )
    for check in (
        "every_borough_stands_in_every_month",
        "every_numerator_is_0_or_more",
    ):
        assert f"{check} (marts/fct_measure) failed: " in verdict.reason
    assert "Camden 2025-03 mps_rape" in verdict.reason


def test_a_part_greater_than_its_whole_blocks_unless_a_publisher_has_it_so_in_one_month_of_a_borough(
    candidate: Settings,
) -> None:
    # Camden has 77 offences a month. Rape is counted here from the rows of the whole, robbery is published beside it.
    change(
        candidate,
        f"""
        update candidate.fct_measure set value = case period_start_date when '2025-03-01' then 79 when '2025-04-01' then 80 else 78 end
        where area_code = '{CAMDEN}' and (measure_code = 'mps_robbery_personal' and period_start_date in ('2025-03-01', '2025-04-01')
            or measure_code = 'mps_rape' and period_start_date = '2025-05-01');
        """,
    )
    verdict = judge(candidate, CANDIDATE)
    blocking, warning = (
        result(verdict, check)
        for check in ("no_part_is_greater_than_its_whole", "no_published_part_is_greater_by_more_than_2")
    )
    assert (blocking.severity, blocking.detail) == ("critical", "Camden 2025-05 mps_rape (part 78, whole 77)")
    assert (warning.severity, warning.detail) == (
        "warning",
        "Camden 2025-04 mps_robbery_personal (part 80, whole 77); known: Camden 2025-03 mps_robbery_personal (part 79, whole 77)",
    )
    change(
        candidate,
        f"update candidate.fct_measure set value = 78 where area_code = '{CAMDEN}' and measure_code = 'mps_robbery_personal'",
    )
    assert result(judge(candidate, CANDIDATE), "no_part_is_greater_than_its_whole").unexpected_count == 14


def test_a_gap_month_is_named_critical_in_the_total_and_a_warning_in_a_category(candidate: Settings) -> None:
    change(candidate, "delete from candidate.fct_measure where period_start_date = '2025-06-01'")
    verdict = judge(candidate, CANDIDATE)
    total = result(verdict, "no_month_is_missing_within_a_total_or_a_series")
    assert (total.severity, total.outcome, total.detail) == ("critical", "failed", "2025-06 mps_all_offences")
    category = result(verdict, "no_month_is_missing_within_a_category")
    assert (category.severity, category.outcome, category.detail) == (
        "warning",
        "failed",
        "2025-06 mps_rape, mps_robbery_personal",
    )
    recon = result(verdict, "every_month_adds_up_to_the_file", "landing/mps/reconciliation")
    assert recon.detail == "2025-06 (in file 3160, in candidate missing, usually missing)"


def test_a_month_that_is_not_over_is_named(candidate: Settings) -> None:
    verdict = judge(candidate.model_copy(update={"today": dt.date(2025, 10, 31)}), CANDIDATE)
    future = result(verdict, "no_month_lies_in_the_future")
    assert future.detail == "2025-10 mps_all_offences, mps_rape, mps_robbery_personal"
    assert verdict.verdict == "blocked"
    assert judge(candidate.model_copy(update={"today": dt.date(2025, 11, 1)}), CANDIDATE).verdict == "passed"


def test_a_figure_that_is_one_off_from_the_file_is_named(candidate: Settings) -> None:
    change(
        candidate,
        f"""
        update candidate.fct_measure set value = value + 1, numerator = numerator + 1
        where area_code in ('{CAMDEN}', 'LONDON_32') and period_start_date = '2024-11-01'
            and measure_code in ('mps_rape', 'mps_all_offences');
        """,
    )
    verdict = judge(candidate, CANDIDATE)
    assert not_passed(verdict) == [("landing/mps/reconciliation", "every_month_adds_up_to_the_file", "failed")]
    month = result(verdict, "every_month_adds_up_to_the_file", "landing/mps/reconciliation")
    assert month.detail == "2024-11 (in file 3160, in candidate 3161, usually 3160)"


def test_offences_without_a_borough_pass_to_2_warn_to_5_and_block_above_5_percent_of_a_month(
    candidate: Settings,
) -> None:
    def unplaced(month: str, offences: int) -> str:
        """Make so many robberies of a month unplaced, in the file and in the marts; 3136 others have a borough."""
        return f"""
        update ops.load set totals = totals || '{{"{month[:4]}-{month[4:]}": {3136 + offences}}}' where load_id = 2;
        update candidate.fct_measure set value = case measure_code when 'mps_all_offences' then {offences} else {offences - 12} end
        where area_code = 'UNALLOCATED' and to_char(period_start_date, 'YYYYMM') = '{month}' and measure_code <> 'mps_rape';
        """

    suite = "landing/mps/reconciliation"
    change(candidate, unplaced("202503", 400) + unplaced("202504", 80))
    verdict = judge(candidate, CANDIDATE)
    assert (verdict.verdict, not_passed(verdict)) == (
        "warned",
        [(suite, "at_most_2_percent_of_a_month_has_no_borough", "failed")],
    )
    assert verdict.may_be_published
    warning = result(verdict, "at_most_2_percent_of_a_month_has_no_borough", suite)
    assert warning.detail == (
        "2025-04 (usually 3191, percent 2.49, usually below 2); known: 2025-03 (usually 3165, percent 11.31, usually below 100)"
    )
    warned = "2025-04 (usually 3191, percent 2.49, usually below 2)"
    assert verdict.reason == f"at_most_2_percent_of_a_month_has_no_borough ({suite}) warned: {warned}"
    with connect(candidate, GATE) as connection:
        assert connection.execute("select verdict, state from ops.release").fetchall() == [("warned", "judged")]

    change(candidate, unplaced("202504", 200))
    verdict = judge(candidate, CANDIDATE)
    assert not_passed(verdict) == [(suite, "at_most_5_percent_of_a_month_has_no_borough", "failed")]
    assert (verdict.verdict, verdict.reason) == (
        "blocked",
        f"at_most_5_percent_of_a_month_has_no_borough ({suite}) failed: 2025-04 (usually 3191, percent 6, may be 5)",
    )
    with connect(candidate, GATE) as connection:
        newest = connection.execute(
            "select verdict, state from ops.release order by release_id desc limit 1"
        ).fetchall()
        assert newest == [("blocked", "held")]

    # Known is not unlimited.
    change(candidate, unplaced("202504", 24) + unplaced("202503", 1200))
    verdict = judge(candidate, CANDIDATE)
    assert result(verdict, "at_most_5_percent_of_a_month_has_no_borough", suite).detail == (
        "2025-03 (usually 3160, percent 27.68, may be 25); known: 2025-03 (usually 3160, percent 27.68, may be 25)"
    )


def publish(settings: Settings) -> None:
    """Stand in for the publisher: the marts hold what the candidate holds, and the ledger says so."""
    tables = "".join(f"create table marts.{t} as select * from candidate.{t};" for t in MARTS)
    as_role(
        settings,
        ADMIN,
        "set role vru_publisher;" + tables + "reset role;"
        f"""insert into ops.release (candidate_id, verdict, state, judged_at, code_version, data_kind)
            values ('{CANDIDATE}', 'passed', 'published', now(), 'v1', 'synthetic')""",
    )


def test_a_delivery_much_smaller_than_the_last_release_blocks_by_month(candidate: Settings) -> None:
    publish(candidate)
    assert judge(candidate, CANDIDATE).verdict == "passed"
    change(
        candidate,
        """
        update marts.fct_measure set value = value * 1.25 where period_start_date in ('2025-07-01', '2025-08-01');
        update marts.fct_measure set value = value * 1.17 where period_start_date = '2025-06-01' and measure_code = 'mps_all_offences';
        """,
    )
    verdict = judge(candidate, CANDIDATE)
    assert not_passed(verdict) == [
        ("landing/mps/reconciliation", "no_month_moves_15_percent_from_what_is_published", "failed")
    ]
    moved = result(verdict, "no_month_moves_15_percent_from_what_is_published", "landing/mps/reconciliation")
    assert moved.detail == "2025-08 (offences 3160, published 3950), 2025-07 (offences 3160, published 3950)"
    change(candidate, "update marts.fct_measure set value = value * 2 where measure_code = 'mps_rape'")
    moved = result(judge(candidate, CANDIDATE), "london_moves_less_than_15_percent_from_what_is_published")
    assert (moved.severity, moved.outcome, moved.detail) == (
        "warning",
        "failed",
        "mps_rape (published 18576, found 8944)",
    )


AGAINST = "landing/mps/against_what_is_published"


def test_what_is_published_may_not_fall_away_vanish_or_double_while_the_category_list_is_the_same(
    candidate: Settings,
) -> None:
    publish(candidate)
    found: dict[str, str] = {}
    for name, statement in {
        "no_measure_of_london_moves_by_a_third_in_a_month": """update marts.fct_measure set value = value * 1.6
            where measure_code = 'mps_rape' and period_start_date = '2025-09-01'""",
        "no_measure_of_london_moves_by_a_quarter_in_two_years": """update marts.fct_measure set value = value * 1.4
            where measure_code = 'mps_rape'""",
        "no_measure_of_a_borough_moves_by_half_in_two_years": """update marts.fct_measure set value = value * 3
            where measure_code = 'mps_rape' and area_code = 'E09000008'""",
        "no_borough_moves_by_half_in_a_month": """update marts.fct_measure set value = value * 3
            where measure_code = 'mps_all_offences' and area_code = 'E09000008' and period_start_date = '2025-09-01'""",
        "no_new_month_is_far_above_what_is_usual": """
            delete from marts.fct_measure where period_start_date = '2025-10-01';
            update candidate.fct_measure set value = value * 4, numerator = numerator * 4
            where measure_code = 'mps_rape' and period_start_date = '2025-10-01'""",
    }.items():
        change(candidate, "drop table if exists kept; create table kept as select * from marts.fct_measure")
        change(candidate, statement)
        verdict = judge(candidate, CANDIDATE)
        assert verdict.verdict == "blocked", name
        found[name] = result(verdict, name, AGAINST).detail
        change(candidate, "truncate marts.fct_measure; insert into marts.fct_measure select * from kept")
    assert (
        found["no_measure_of_a_borough_moves_by_half_in_two_years"] == "Borough 7 mps_rape (found 156, published 468)"
    )
    assert (
        found["no_borough_moves_by_half_in_a_month"] == "Borough 7 2025-09 mps_all_offences (found 79, published 237)"
    )
    assert "London (32 boroughs) 2025-09 mps_rape (found " in found["no_measure_of_london_moves_by_a_third_in_a_month"]
    assert "London (32 boroughs) mps_rape (found " in found["no_measure_of_london_moves_by_a_quarter_in_two_years"]
    assert "London (32 boroughs) 2025-10 mps_rape (found " in found["no_new_month_is_far_above_what_is_usual"]


def test_a_file_with_fewer_rows_than_the_last_release_blocks_unless_its_categories_changed(candidate: Settings) -> None:
    publish(candidate)
    change(
        candidate,
        """
        insert into ops.load (source, dataset, release_date, sha256, file_name, landed_path, bytes, landed_at, loaded_at,
            classification, first_period, last_period, rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
        values ('mps', 'borough_recent', '2025-10-01', 'c', 'c.csv', 'c', 1, '2025-10-01', '2025-10-01', 'connect_2025',
            '2024-12-01', '2025-10-01', 75, 75, 0, 'loaded', true);
        insert into raw.mps__borough_recent
        select major_text, minor_text, borough_name || n, month_header, cell, 3, _row_number
        from raw.mps__borough_recent, generate_series(0, 0) as n;
        insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind, begun_at, built_at) values
            ('older', 'f', 'v1', 'synthetic', '2025-10-10', '2025-10-10');
        insert into ops.candidate_load values ('older', 1), ('older', 3);
        update ops.release set candidate_id = 'older';
        """,
    )
    verdict = judge(candidate, CANDIDATE)
    rows = result(verdict, "rows_are_at_least_90_percent_of_the_last_release", "landing/mps/delivery")
    assert rows.detail == "borough_recent load 2 (rows loaded 66, rows of the last release 75)"
    assert verdict.verdict == "blocked"
    change(candidate, "update ops.load set classification = 'connect_2024' where load_id = 3")
    assert judge(candidate, CANDIDATE).verdict == "passed"


def test_losing_months_areas_or_rows_that_are_published_blocks(candidate: Settings) -> None:
    publish(candidate)
    change(
        candidate,
        """
        insert into marts.fct_measure
        select area_code, period_kind, m::date, m::date, measure_code, sex, age_band, ethnicity, 1, null, value, value_note, 'r', true
        from marts.fct_measure, generate_series(timestamp '2024-08-01', timestamp '2024-09-01', interval '1 month') as m
        where period_start_date = '2024-10-01';
        insert into marts.dim_source select source, dataset || n, licence, attribution, classification, publish_rule from marts.dim_source, generate_series(1, 2) as n;
        """,
    )
    verdict = judge(candidate, CANDIDATE)
    assert (
        result(verdict, "no_month_of_a_source_is_lost").detail
        == "2024-09 mps (measures found 0), 2024-08 mps (measures found 0)"
    )
    assert (
        result(verdict, "coverage_is_at_least_90_percent_of_what_is_published").detail
        == "mps (published 510, found 442)"
    )
    assert (
        result(verdict, "rows_are_at_least_90_percent_of_what_is_published", "marts/dim_source").detail
        == "found 2, published 6"
    )
    fewer = result(verdict, "rows_of_a_measure_are_at_least_90_percent_of_what_is_published")
    assert (fewer.severity, fewer.outcome, fewer.unexpected_count) == ("warning", "failed", 3)


def test_a_borough_that_drops_to_nothing_is_a_warning_that_names_it(candidate: Settings) -> None:
    change(
        candidate,
        f"""
        update ops.load set totals = totals || '{{"2025-09": 3094}}' where load_id = 2;
        update candidate.fct_measure set value = value - 66, numerator = numerator - 66
        where area_code in ('{CAMDEN}', 'LONDON_32') and period_start_date = '2025-09-01' and measure_code <> 'mps_rape';
        """,
    )
    verdict = judge(candidate, CANDIDATE)
    assert not_passed(verdict) == [("marts/fct_measure", "no_borough_drops_to_nothing", "failed")]
    assert verdict.verdict == "warned"
    assert verdict.reason == (
        "no_borough_drops_to_nothing (marts/fct_measure) warned: Camden 2025-09 mps_robbery_personal (usually 66)"
    )


def test_faults_in_the_delivery_are_each_named(candidate: Settings) -> None:
    change(
        candidate,
        """
        update ops.load set totals = '{"2024-10": "many"}' where load_id = 1;
        update ops.load set is_synthetic = false, rows_loaded = 65, rows_quarantined = 1 where load_id = 2;
        """,
    )
    verdict = judge(candidate, CANDIDATE)
    assert verdict.verdict == "blocked"
    assert (
        result(verdict, "real_and_synthetic_data_do_not_meet", "landing/mps/delivery").detail == "borough_recent load 2"
    )
    quarantined = result(verdict, "no_row_was_quarantined", "landing/mps/delivery")
    assert (quarantined.severity, quarantined.detail) == ("warning", "borough_recent load 2 (rows quarantined 1)")
    crashed = result(verdict, "every_month_adds_up_to_the_file", "landing/mps/reconciliation")
    assert (crashed.outcome, crashed.detail) == ("crashed", "InvalidTextRepresentation")


def test_a_newer_file_that_was_left_out_is_a_warning(candidate: Settings) -> None:
    change(
        candidate,
        """
        insert into ops.load (source, dataset, release_date, sha256, file_name, landed_path, bytes, landed_at, loaded_at,
            classification, first_period, last_period, rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
        values ('mps', 'borough_recent', '2025-11-01', 'c', 'c.csv', 'c', 1, '2025-11-02', '2025-11-02', 'connect_2025',
            '2024-12-01', '2025-10-01', 66, 66, 0, 'loaded', true)
        """,
    )
    verdict = judge(candidate, CANDIDATE)
    assert verdict.verdict == "warned"
    assert (
        result(verdict, "nothing_newer_was_left_out", "landing/mps/delivery").detail == "2025-10 borough_recent load 3"
    )


def test_an_empty_table_blocks_whatever_else_it_passes(candidate: Settings) -> None:
    for table in MARTS:
        change(candidate, f"create table keep_{table} as table candidate.{table}; delete from candidate.{table}")
    verdict = judge(candidate, CANDIDATE)
    assert [result(verdict, "the_table_has_rows", f"marts/{table}").outcome for table in MARTS] == ["failed"] * len(
        MARTS
    )
    assert result(verdict, "the_table_has_rows", "marts/series_break").blocks
    assert verdict.verdict == "blocked"


def test_a_column_without_a_value_blocks_by_name(candidate: Settings) -> None:
    change(candidate, "update candidate.fct_measure set source_release = null, is_provisional = null")
    verdict = judge(candidate, CANDIDATE)
    assert not_passed(verdict) == [("marts/fct_measure", "no_column_is_all_null", "failed")]
    assert verdict.reason == "no_column_is_all_null (marts/fct_measure) failed: source_release, is_provisional"


def test_a_missing_column_a_missing_table_and_a_mart_without_a_suite_each_block(candidate: Settings) -> None:
    change(candidate, "alter table candidate.fct_measure drop column is_provisional, drop column value_note")
    change(
        candidate,
        "drop table candidate.series_break; set role vru_transformer; create table candidate.rpt_new as select 1 as x",
    )
    verdict = judge(candidate, CANDIDATE)
    assert (
        not_passed(verdict)
        == [
            ("gate", "every_mart_has_a_suite", "failed"),
            ("landing/mps/reconciliation", "no_count_is_missing", "crashed"),
            ("marts/fct_measure", "no_value_is_missing_without_a_note", "crashed"),
            ("marts/series_break", "the_table_has_rows", "crashed"),
            ("marts/series_break", "every_break_has_a_reason", "crashed"),
            ("marts/series_break", "every_break_has_a_label", "crashed"),
            ("marts/series_break", "rows_are_at_least_90_percent_of_what_is_published", "passed"),
        ][:-1]
    )
    assert result(verdict, "no_value_is_missing_without_a_note").detail.startswith("UndefinedColumn: column")
    assert result(verdict, "the_table_has_rows", "marts/series_break").detail == (
        'UndefinedTable: relation "candidate.series_break" does not exist'
    )
    assert (
        result(verdict, "every_mart_has_a_suite", "gate").detail
        == "candidate.rpt_new (add expectations/marts/rpt_new.yml)"
    )
    assert verdict.verdict == "blocked"


def test_what_went_into_the_candidate_must_be_judged(candidate: Settings) -> None:
    change(
        candidate,
        f"""
        insert into ops.load (source, dataset, sha256, file_name, landed_path, bytes, landed_at, loaded_at,
            rows_in_file, rows_loaded, rows_quarantined, state, is_synthetic)
        values ('parks', 'incidents', 'd', 'd.csv', 'd', 1, now(), now(), 1, 1, 0, 'loaded', true);
        insert into ops.candidate_load values ('{CANDIDATE}', 3);
        """,
    )
    verdict = judge(candidate, CANDIDATE)
    assert (
        result(verdict, "every_source_has_a_suite", "gate").detail
        == "parks (add a suite to expectations/landing/parks/)"
    )
    assert (
        result(verdict, "every_dataset_that_went_in_is_described", "marts/dim_source").detail
        == "parks incidents (rows with terms 0)"
    )
    change(candidate, "delete from ops.candidate_load")
    verdict = judge(candidate, CANDIDATE)
    assert result(verdict, "every_source_has_a_suite", "gate").detail == "the candidate was built from no load"
    assert result(verdict, "every_source_with_values_went_in_by_a_load").detail == "mps"
    assert [r.suite for r in verdict.results if r.suite.startswith("landing/")] == []
    assert verdict.verdict == "blocked"


BOROUGHS_SUITE = """
describes: The boroughs.
target: candidate.dim_borough
minimum_checks: {minimum}
checks:
{checks}
"""


@pytest.fixture
def suites(candidate: Settings, tmp_path: Path) -> Callable[..., Path]:
    """Make a folder with one suite, for a candidate that holds that one table."""
    for table in MARTS[1:]:
        change(candidate, f"drop table candidate.{table}")

    def make(checks: str, minimum: int = 1) -> Path:
        folder = tmp_path / "suites"
        (folder / "marts").mkdir(parents=True, exist_ok=True)
        (folder / "landing" / "mps").mkdir(parents=True, exist_ok=True)
        (folder / "marts" / "dim_borough.yml").write_text(BOROUGHS_SUITE.format(minimum=minimum, checks=checks))
        (folder / "landing" / "mps" / "loads.yml").write_text(
            "describes: Loads.\ntarget: ops.load\nminimum_checks: 1\nmay_be_all_null: [url, reason, code]\n"
            "checks: [{name: there_are_two, severity: critical, expectation: ExpectTableRowCountToEqual, arguments: {value: 2}}]\n"
        )
        return folder

    return make


def check(name: str, severity: str = "critical", **what: object) -> str:
    body = ", ".join(f"{key}: {value}" for key, value in {"name": name, "severity": severity, **what}.items())
    return f"  - {{{body}}}\n"


def test_an_empty_suite_a_suite_cut_short_and_no_suites_at_all_block(
    candidate: Settings, suites: Callable[..., Path], tmp_path: Path
) -> None:
    there_are_32 = check("there_are_32", expectation="ExpectTableRowCountToEqual", arguments="{value: 32}")
    assert judge(candidate, CANDIDATE, suites=suites(there_are_32)).verdict == "passed"
    verdict = judge(candidate, CANDIDATE, suites=suites(there_are_32, minimum=2))
    assert verdict.reason == "the_suite_is_whole (marts/dim_borough) failed: it holds 1 checks and must hold 2"
    verdict = judge(candidate, CANDIDATE, suites=suites("  []"))
    assert verdict.reason == "the_suite_is_whole (marts/dim_borough) failed: it holds 0 checks and must hold 1"
    empty = tmp_path / "nothing"
    empty.mkdir()
    verdict = judge(candidate, CANDIDATE, suites=empty)
    assert verdict.verdict == "blocked"
    assert not_passed(verdict) == [
        ("gate", "every_mart_has_a_suite", "failed"),
        ("gate", "every_source_has_a_suite", "failed"),
    ]


def test_a_suite_that_cannot_be_read_blocks_by_file_and_key(candidate: Settings, suites: Callable[..., Path]) -> None:
    folder = suites(check("there_are_32", expectation="ExpectTableRowCountToEqual", argumnets="{value: 32}"))
    verdict = judge(candidate, CANDIDATE, suites=folder)
    assert verdict.verdict == "blocked"
    assert f"{folder}/marts/dim_borough.yml: is not a valid suite: checks.0.argumnets" in verdict.reason


def test_great_expectations_own_word_is_not_taken_for_it(candidate: Settings, suites: Callable[..., Path]) -> None:
    change(
        candidate,
        """
        alter table candidate.dim_borough add column nothing text, add column number double precision;
        update candidate.dim_borough set number = case borough_code when 'E09000007' then double precision 'NaN' else 1 end;
        """,
    )
    folder = suites(
        check("nothing_is_in_a_set", "warning", expectation="ExpectColumnValuesToBeInSet",
              arguments="{column: nothing, value_set: [a]}")
        + check("a_missing_column_is_bounded", "warning", expectation="ExpectColumnValuesToBeBetween",
                arguments="{column: absent, min_value: 0}")
        + check("a_mean_that_is_no_number", "warning", expectation="ExpectColumnMeanToBeBetween",
                arguments="{column: number, min_value: 0}")
        + check("a_query_that_does_not_parse", "warning", unexpected_rows='"select 1 from {batch} where where x"')
        + check("a_query_that_stumbles_on_a_value", "warning",
                unexpected_rows='"select 1 from {batch} where borough_name::integer > 0"')
        + check("an_expectation_nobody_knows", "warning", expectation="ExpectTheBest")
        + check("an_argument_nobody_knows", "warning", expectation="ExpectTableRowCountToEqual", arguments="{valu: 32}")
        + check("a_warning", "warning", expectation="ExpectTableRowCountToEqual", arguments="{value: 33}")
        + check("a_set_that_lacks_one", "warning", expectation="ExpectColumnDistinctValuesToContainSet",
                arguments="{column: borough_name, value_set: [Camden, Atlantis]}")
        + check("a_name_in_a_set", "warning", expectation="ExpectColumnValuesToBeInSet",
                arguments="{column: borough_name, value_set: [Camden]}")
    )  # fmt: skip
    verdict = judge(candidate, CANDIDATE, suites=folder)
    found = {
        r.check: (r.outcome, r.detail)
        for r in verdict.results
        if r.suite == "marts/dim_borough" and r.outcome != "passed"
    }
    unknown_argument = found.pop("an_argument_nobody_knows")
    assert unknown_argument[0] == "crashed"
    assert unknown_argument[1].startswith("ValidationError: ")
    assert found == {
        "no_column_is_all_null": ("failed", "nothing"),
        "nothing_is_in_a_set": ("failed", "there was no value to check"),
        "a_missing_column_is_bounded": ("crashed", 'The column "absent" in BatchData does not exist'),
        "a_mean_that_is_no_number": ("crashed", "it came back without an observed value"),
        "a_query_that_does_not_parse": ("crashed", 'SyntaxError: syntax error at or near "where"'),
        "a_query_that_stumbles_on_a_value": ("crashed", "InvalidTextRepresentation"),
        "an_expectation_nobody_knows": ("crashed", "LookupError: Great Expectations has no ExpectTheBest"),
        "a_warning": ("failed", "found 32"),
        "a_set_that_lacks_one": ("failed", "1 values missing, 0 not expected"),
        "a_name_in_a_set": ("failed", "31 of 32 rows"),
    }
    # Each is only a warning; those that crashed block all the same.
    assert verdict.verdict == "blocked"
    assert {r.check for r in verdict.results if r.blocks} == {
        "no_column_is_all_null", "a_missing_column_is_bounded", "a_mean_that_is_no_number", "a_query_that_does_not_parse",
        "a_query_that_stumbles_on_a_value", "an_expectation_nobody_knows", "an_argument_nobody_knows",
    }  # fmt: skip


def test_only_areas_months_and_numbers_of_a_row_reach_the_ledger(
    candidate: Settings, suites: Callable[..., Path]
) -> None:
    change(candidate, "alter table candidate.dim_borough add column victim text default 'Jo Bloggs'")
    folder = suites(
        check(
            "nobody_is_named",
            unexpected_rows="\"select borough_code as area_code, victim, 3 as found from {batch} where victim <> ''\"",
        )
    )
    verdict = judge(candidate, CANDIDATE, suites=folder)
    detail = result(verdict, "nobody_is_named", "marts/dim_borough").detail
    assert detail.startswith("E09000002 (found 3), E09000003 (found 3), ")
    assert detail.endswith(", E09000033 (found 3)")
    with connect(candidate, GATE) as connection:
        stored = connection.execute("select string_agg(q::text, '') from ops.quality_result as q").fetchone()
        verdicts = connection.execute("select string_agg(r::text, '') from ops.release as r").fetchone()
    assert "Bloggs" not in f"{stored}{verdicts}{verdict}"


def test_a_candidate_that_is_replaced_while_it_is_judged_blocks(
    candidate: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = engine.run

    def meanwhile(statements: str) -> None:
        def replaced(*asked: Any) -> object:
            found = run(*asked)
            change(candidate, statements)
            return found

        monkeypatch.setattr(engine, "run", replaced)

    meanwhile("create table candidate.again as table candidate.dim_month; drop table candidate.dim_month;"
              "alter table candidate.again rename to dim_month; alter table candidate.dim_month owner to vru_transformer;"
              "grant select on candidate.dim_month to vru_gate")  # fmt: skip
    verdict = judge(candidate, CANDIDATE)
    assert (verdict.verdict, verdict.reason) == (
        "blocked",
        "the_candidate_stood_still (gate) crashed: schema candidate was built again while it was being judged",
    )
    meanwhile(
        "insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind, begun_at)"
        " values ('c 2', 'f', 'v1', 'synthetic', '2025-11-11')"
    )
    assert judge(candidate, CANDIDATE).verdict == "blocked"
    monkeypatch.setattr(engine, "run", run)
    verdict = judge(candidate, CANDIDATE)
    assert verdict.reason == (
        "the_candidate_stood_still (gate) crashed: the newest candidate is c 2, so schema candidate no longer holds this one"
    )
    assert (
        judge(candidate, "c 2").reason == "the_candidate_stood_still (gate) crashed: its build has not come to an end"
    )
    with connect(candidate, GATE) as connection:
        states = connection.execute(
            "select candidate_id, verdict, state from ops.release order by release_id"
        ).fetchall()
    assert states == [(CANDIDATE, "blocked", "held")] * 3 + [("c 2", "blocked", "held")]


def test_an_answer_that_does_not_come_back_blocks(candidate: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    run = engine.run

    def forgetful(*asked: Any) -> object:
        found = run(*asked)
        del found["marts/fct_measure", "no_borough_drops_to_nothing"]
        return found

    monkeypatch.setattr(engine, "run", forgetful)
    verdict = judge(candidate, CANDIDATE)
    assert (verdict.verdict, verdict.reason) == (
        "blocked",
        "no_borough_drops_to_nothing (marts/fct_measure) crashed: no answer came back",
    )

    def broken(*asked: Any) -> object:
        raise RuntimeError("Jo Bloggs")

    monkeypatch.setattr(engine, "run", broken)
    verdict = judge(candidate, CANDIDATE)
    assert verdict.verdict == "blocked"
    assert result(verdict, "every_check_was_run", "gate").detail == "Great Expectations did not run (RuntimeError)"


def test_the_results_are_written_before_the_verdict(candidate: Settings) -> None:
    change(candidate, "revoke insert on ops.release from vru_gate")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        judge(candidate, CANDIDATE)
    with connect(candidate, GATE) as connection:
        assert connection.execute("select count(*) > 50 from ops.quality_result").fetchone() == (True,)
        assert connection.execute("select count(*) from ops.release").fetchone() == (0,)


def test_the_pages_of_the_verdict_say_suite_check_outcome_and_count_and_no_value(candidate: Settings) -> None:
    change(
        candidate,
        f"update candidate.fct_measure set numerator = -4711 where area_code = '{CAMDEN}' and measure_code = 'mps_rape'",
    )
    judge(candidate, CANDIDATE)
    (marts,) = (candidate.home / "quality").glob("validations/marts/*/*/*.html")
    text = marts.read_text()
    assert "release-1-blocked" in marts.parts
    assert "marts/fct_measure: every numerator is 0 or more (critical)" in text
    assert f"failed, {MONTHS} rows break it" in text
    assert "4711" not in text
    assert marts.name in data_docs.page(candidate.home).read_text()


def test_pages_that_cannot_be_written_stop_nothing(candidate: Settings, caplog: pytest.LogCaptureFixture) -> None:
    (candidate.home / "quality.new").touch()  # a file where the folder is to be
    assert judge(candidate, CANDIDATE).verdict == "passed"
    assert not data_docs.page(candidate.home).exists()
    assert "the pages of the verdict could not be written" in caplog.text


def test_a_figure_with_text_or_without_a_number_is_none(candidate: Settings, suites: Callable[..., Path]) -> None:
    change(candidate, "alter table candidate.dim_borough add column victim text default 'Jo Bloggs'")
    folder = suites(
        check("text_leaves", of="people", expectation="ExpectColumnValuesToNotBeNull", arguments="{column: victim}")
        + check("a_number_is_none", of="nans", expectation="ExpectColumnValuesToBeBetween", arguments="{column: n, max_value: 1}")
        + check("it_stands", of="gone", expectation="ExpectColumnValuesToBeBetween", arguments="{column: n, max_value: 1}")
        + check("two_are_equal", of="pairs", expectation="ExpectColumnPairValuesToBeEqual", arguments="{column_A: n, column_B: m}")
    )  # fmt: skip
    file = folder / "marts" / "dim_borough.yml"
    file.write_text(
        file.read_text()
        + "definitions:\n  people: select victim from {batch}\n  nans: select 'NaN'::numeric as n\n  gone: select n from nowhere\n"
        + "  pairs: select v.area_code, v.n, v.m from (values ('E09000007', 1, 1), ('E09000003', 2, null)) as v (area_code, n, m)\n"
    )
    verdict = judge(candidate, CANDIDATE, suites=folder)
    found = {
        r.check: (r.outcome, r.detail)
        for r in verdict.results
        if r.outcome != "passed" and r.suite == "marts/dim_borough"
    }
    assert found == {
        "text_leaves": ("crashed", "a figure holds areas, months, measures and numbers, and victim is none of these"),
        "a_number_is_none": ("crashed", "it holds a figure that is not a number"),
        "it_stands": ("crashed", 'UndefinedTable: relation "nowhere" does not exist'),
        "two_are_equal": ("failed", "E09000003 (n 2, m missing)"),
    }
    assert verdict.verdict == "blocked"


def test_a_candidate_nobody_built_is_refused_by_name(candidate: Settings) -> None:
    with pytest.raises(Refusal, match="there is no candidate 'c 9' to judge"):
        judge(candidate, "c 9")


def test_checks_cannot_write(candidate: Settings, suites: Callable[..., Path]) -> None:
    change(candidate, "grant all on sequence ops.release_release_id_seq to vru_gate")
    folder = suites(
        check("it_writes", unexpected_rows="\"select 1 from {batch} where nextval('ops.release_release_id_seq') < 0\"")
    )
    found = result(judge(candidate, CANDIDATE, suites=folder), "it_writes", "marts/dim_borough")
    assert (found.outcome, found.detail) == ("crashed", "ReadOnlySqlTransaction")


def test_every_suite_of_what_the_candidate_uses_was_used(candidate: Settings) -> None:
    used = {"borough_historical", "borough_recent", None}
    in_force = {
        suite.name
        for suite in read_suites()
        if (
            suite.kind == "landing"
            and suite.source == "mps"
            and suite.dataset in used
            and (not suite.datasets or used & {*suite.datasets})
        )
        or (suite.kind == "marts" and suite.target.removeprefix("candidate.") in MARTS)
    }
    assert {"landing/mps/delivery", "marts/fct_measure"} < in_force
    assert {r.suite for r in judge(candidate, CANDIDATE).results} == {"gate", *in_force}


def test_a_mart_that_a_dataset_fills_may_be_empty_without_it_and_is_judged_with_it(
    candidate: Settings, suites: Callable[..., Path]
) -> None:
    for dataset, outcomes in (("safestats.ambulance_borough", set()), ("mps.borough_recent", {"failed"})):
        as_role(
            candidate,
            TRANSFORMER,
            "drop table if exists candidate.rpt_few; create table candidate.rpt_few (area_code text)",
        )
        folder = suites(check("it_is_judged", unexpected_rows='"select 1 as n from {batch}"'))
        text = (folder / "marts" / "dim_borough.yml").read_text().replace("dim_borough", "rpt_few")
        (folder / "marts" / "rpt_few.yml").write_text(text + f"rows_come_from: [{dataset}]\n")
        found = judge(candidate, CANDIDATE, suites=folder).results
        assert {r.outcome for r in found if (r.suite, r.check) == ("marts/rpt_few", "the_table_has_rows")} == outcomes


def test_a_mart_that_may_be_empty_may_not_once_it_was_published_with_rows(
    candidate: Settings, suites: Callable[..., Path]
) -> None:
    as_role(
        candidate,
        TRANSFORMER,
        "drop table if exists candidate.rpt_few; create table candidate.rpt_few (area_code text)",
    )
    folder = suites(check("it_is_judged", unexpected_rows='"select 1 as n from {batch}"'))
    text = (folder / "marts" / "dim_borough.yml").read_text().replace("dim_borough", "rpt_few")
    (folder / "marts" / "rpt_few.yml").write_text(text + "may_be_empty_because: few ask for it\n")

    def outcomes() -> set[str]:
        found = judge(candidate, CANDIDATE, suites=folder).results
        return {r.outcome for r in found if (r.suite, r.check) == ("marts/rpt_few", "the_table_has_rows")}

    assert outcomes() == set()
    change(
        candidate,
        """create table marts.rpt_few (area_code text); insert into marts.rpt_few values ('E09000002');
           grant select on marts.rpt_few to vru_gate""",
    )
    assert outcomes() == {"failed"}
    change(candidate, "drop table marts.rpt_few")


@pytest.mark.parametrize(("awaits_verdict", "verdict"), [(True, "passed"), (False, "blocked")])
def test_a_load_that_was_superseded_after_the_build_holds_nothing_while_its_rows_stand(
    candidate: Settings, awaits_verdict: bool, verdict: str
) -> None:
    change(candidate, f"update ops.load set state = 'superseded', awaits_verdict = {awaits_verdict} where load_id = 1")
    found = judge(candidate, CANDIDATE)
    assert found.verdict == verdict, found.reason
    assert result(found, "every_load_of_the_candidate_stands_in_raw", "landing/mps/delivery").blocks == (
        not awaits_verdict
    )
