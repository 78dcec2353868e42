"""A candidate that is small and complete, whose totals can be worked out on paper: how it is made, changed, published and judged."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from collections.abc import Iterable
from pathlib import Path
from unittest import mock

from expectations import data_docs, gate
from expectations.gate import Verdict
from expectations.scope import Result
from expectations.suite import SUITES
from warehouse.platform.connection import ADMIN, TRANSFORMER, connect
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


def fill(settings: Settings) -> None:
    """Make the candidate in an empty warehouse: 32 boroughs and UNALLOCATED, 13 months, 3 measures."""
    as_role(settings, ADMIN, RAW)
    as_role(settings, TRANSFORMER, MEANING + BUILD)


def judge(
    settings: Settings,
    candidate_id: str = CANDIDATE,
    *,
    only: Iterable[str] = (),
    suites: Path | None = None,
    with_pages: bool = False,
) -> Verdict:
    """Judge by our own suites, but for those of marts that this small candidate does not have.

    Args:
        settings: whose warehouse.
        candidate_id: the build that is judged.
        only: of our suites these alone (such as marts/fct_measure), in a third of the time. Marts without a suite block, so the verdict
            says nothing then, and each result does.
        suites: a folder that stands in for our suites.
        with_pages: write the verdict's pages too, which costs as much as a quarter of the checks.
    """
    with contextlib.nullcontext() if with_pages else mock.patch.object(data_docs, "write"):
        return gate.judge(settings, candidate_id, suites=suites or _ours(settings, sorted(only)))


def _ours(settings: Settings, only: list[str]) -> Path:
    folder = settings.home / "-".join(["suites", *(name.replace("/", "-") for name in only)])
    if not folder.exists():
        shutil.copytree(SUITES / "templates", folder / "templates")
        names = only or [
            *(file.relative_to(SUITES).with_suffix("").as_posix() for file in (SUITES / "landing").rglob("*.yml")),
            *(f"marts/{mart}" for mart in MARTS),
        ]
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SUITES / f"{name}.yml", (folder / name).parent)
    return folder


def as_role(settings: Settings, role: str, statements: str) -> None:
    """Run statements as one of the warehouse's roles."""
    with connect(settings, role) as connection:
        connection.execute(statements)


def change(settings: Settings, statements: str) -> None:
    """Break something, or put it right, as nobody but an administrator could."""
    as_role(settings, ADMIN, statements)


def publish(settings: Settings) -> None:
    """Stand in for the publisher: the marts hold what the candidate holds, and the ledger says so."""
    tables = "".join(f"create table marts.{t} as select * from candidate.{t};" for t in MARTS)
    change(
        settings,
        "set role vru_publisher;" + tables + "reset role;"
        f"""insert into ops.release (candidate_id, verdict, state, judged_at, code_version, data_kind)
            values ('{CANDIDATE}', 'passed', 'published', now(), 'v1', 'synthetic')""",
    )


def result(verdict: Verdict, check: str, suite: str = "marts/fct_measure") -> Result:
    """The one result of a check."""
    found = [r for r in verdict.results if r.check == check and r.suite == suite]
    assert len(found) == 1, (
        f"{check} of {suite} has {len(found)} results among {[(r.suite, r.check) for r in verdict.results]}"
    )
    return found[0]


def not_passed(verdict: Verdict) -> list[tuple[str, str, str]]:
    """Suite, check and outcome of each result that is not passed."""
    return [(r.suite, r.check, r.outcome) for r in verdict.results if r.outcome != "passed"]


def check(name: str, severity: str = "critical", **what: object) -> str:
    """A check as a line of a suite's file."""
    body = ", ".join(f"{key}: {value}" for key, value in {"name": name, "severity": severity, **what}.items())
    return f"  - {{{body}}}\n"
