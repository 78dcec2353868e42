"""The gate, on a candidate that is small and complete: what is wrong with it is named, and what cannot be judged blocks."""

from __future__ import annotations

import datetime as dt

import pytest

from expectations.gate import Result, Verdict, judge
from warehouse.connection import ADMIN, TRANSFORMER, connect
from warehouse.settings import Settings

TODAY = dt.date(2025, 11, 10)
FIRST_MONTH = "2024-10-01"
LAST_MONTH = "2025-10-01"
MONTHS = 13
BOROUGHS = 32
CANDIDATE = "c 1"  # a space must survive the way into Great Expectations' session

CAMDEN, BARNET, HACKNEY = "E09000007", "E09000003", "E09000012"
MARTS = (
    "dim_borough", "dim_area", "dim_month", "dim_measure", "dim_source", "series_break", "fct_measure", "rpt_borough_month",
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
"""

BUILD = f"""
create table candidate.dim_borough as
select 'E09' || lpad((p + 1)::text, 6, '0') as borough_code,
    case p when 2 then 'Barnet' when 6 then 'Camden' when 11 then 'Hackney' else 'Borough ' || p end as borough_name
from generate_series(1, 32) as p;

create table candidate.dim_area as
select borough_code as area_code, borough_name as area_name, 'borough' as area_type from candidate.dim_borough
union all
values ('E09000001', 'City of London', 'city_of_london'), ('E92000001', 'England', 'country'),
    ('LONDON_32', 'London (32 boroughs)', 'aggregate'), ('LONDON_33', 'London and the City', 'aggregate'),
    ('INNER', 'Inner London', 'aggregate'), ('OUTER', 'Outer London', 'aggregate'),
    ('UNALLOCATED', 'No borough recorded', 'unplaced'), ('AVIATION', 'Airports', 'unplaced'), ('NON_MPS', 'Elsewhere', 'unplaced');

create table candidate.dim_month as
select m::date as month_start_date from generate_series(timestamp '2024-01-01', timestamp '2026-12-01', interval '1 month') as m;

create table candidate.dim_measure as
select m.*, 'mps' as source, 'offences' as unit, 'what it says' as definition, null::text as denominator,
    true as is_summable_over_areas, true as is_summable_over_time, 'OGL' as licence, 'MPS' as attribution
from (values ('mps_all_offences', 'total'), ('mps_rape', 'category'), ('mps_robbery_personal', 'category')) as m (measure_code, measure_kind);

create table candidate.dim_source as
select 'mps' as source, d as dataset, 'OGL' as licence, 'MPS' as attribution from unnest('{{borough_historical,borough_recent}}'::text[]) as d;

create table candidate.series_break as
select 'mps_rape' as measure_code, null::text as area_code, date '2025-01-01' as break_month, 'a reason' as reason;

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
    offences, null, offences, null, 'r', true
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

insert into ops.candidate values ('{CANDIDATE}', 'f', 'v1', 'synthetic', '2025-11-10');
insert into ops.candidate_load select '{CANDIDATE}', load_id from ops.load;
"""


@pytest.fixture
def candidate(warehouse: Settings) -> Settings:
    """A warehouse whose candidate is complete and right: 32 boroughs and UNALLOCATED, 13 months, 3 measures."""
    settings = warehouse.model_copy(update={"today": TODAY})
    as_role(settings, ADMIN, RAW)
    as_role(settings, TRANSFORMER, MEANING + BUILD)
    return settings


def as_role(settings: Settings, role: str, statements: str) -> None:
    with connect(settings, role) as connection:
        connection.execute(statements)  # type: ignore[call-overload]


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
