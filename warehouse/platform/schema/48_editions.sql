-- Which files of publishers stand behind a figure. A view over the ledger and functions over the marts: nothing is stored, nothing built.
create or replace view marts.edition as
with
-- What a release that changed nothing was built of is what the marts hold.
current_candidate as (
    select candidate_id from ops.release
    where state in ('published', 'unchanged')
    order by release_id desc limit 1
),

-- A file that was loaded again has several lines: the newest says how it stands.
newest as (
    select distinct on (l.source, l.dataset, l.sha256)
        l.source,
        l.dataset,
        l.sha256,
        l.release_date,
        l.part,
        l.url,
        l.landed_at,
        l.loaded_at,
        l.first_period,
        l.last_period,
        l.bytes,
        l.rows_in_file,
        l.rows_loaded,
        l.rows_quarantined,
        l.state,
        l.code,
        l.is_synthetic,
        bool_or(c.load_id is not null) over (partition by l.source, l.dataset, l.sha256) as is_in_release
    from ops.load as l
    left join ops.candidate_load as c
        on l.load_id = c.load_id and c.candidate_id = (select r.candidate_id from current_candidate as r)
    order by l.source asc, l.dataset asc, l.sha256 asc, l.load_id desc
)

select
    n.source,
    n.dataset,
    n.sha256,
    n.dataset || ' ' || n.release_date || ' sha256:' || left(n.sha256, 8) as source_release,
    d.title,
    d.publisher,
    n.release_date,
    nullif(n.part, '') as part,
    -- Other addresses end in the name that its sender gave the file, which may hold a person's.
    case when n.url ~ '^https?://' then n.url when n.url is null then 'landed by hand' else split_part(n.url, ':', 1) end as address,
    n.landed_at as fetched_at,
    n.loaded_at,
    n.first_period as first_period_date,
    n.last_period as last_period_date,
    n.bytes as byte_count,
    n.rows_in_file as row_count,
    n.rows_loaded as loaded_row_count,
    n.rows_quarantined as quarantined_row_count,
    n.state,
    n.code,
    n.is_in_release,
    d.licence,
    d.licence_url,
    d.attribution,
    d.classification,
    d.publish_rule,
    case when n.is_synthetic then 'synthetic' else 'real' end as data_kind
from newest as n
left join ops.dataset as d on n.source = d.source and n.dataset = d.dataset;
comment on view marts.edition is
'Grain: one row a publisher''s file and dataset that reached the loader, as the ledger has it now; what a release was built of stays here when a newer file takes its place.';
comment on column marts.edition.source is 'Source of dim_source. Unit code. Source this project.';
comment on column marts.edition.dataset is 'Dataset of dim_source. Unit code. Source this project.';
comment on column marts.edition.sha256 is 'SHA-256 of the file as published, its key in landing. Unit hash. Source the file.';
comment on column marts.edition.source_release is 'What the marts call it (source_release): dataset, release date and first eight digits of the hash. Unit none. Source the loader.';
comment on column marts.edition.title is 'Title of the dataset. Unit none. Source the publisher.';
comment on column marts.edition.publisher is 'Who published it. Unit none. Source the declaration.';
comment on column marts.edition.release_date is 'When the publisher put it out. Unit date. Source the publisher.';
comment on column marts.edition.part is 'What it is about besides its release: a force and month, an indicator; null where it is about all of its dataset. Unit none. Source the publisher.';
comment on column marts.edition.address is 'Where it was fetched from; inbox, or landed by hand. Unit none. Source the loader.';
comment on column marts.edition.fetched_at is 'When it was landed (UTC). Unit time. Source the loader.';
comment on column marts.edition.loaded_at is 'When it was loaded, or refused, last (UTC). Unit time. Source the loader.';
comment on column marts.edition.first_period_date is 'First day or month that it tells of; null where it says none. Unit date. Source the file.';
comment on column marts.edition.last_period_date is 'Last day or month that it tells of; null where it says none. Unit date. Source the file.';
comment on column marts.edition.byte_count is 'Its size. Unit bytes. Source the file.';
comment on column marts.edition.row_count is 'Its data rows. Unit rows. Source the loader.';
comment on column marts.edition.loaded_row_count is 'Rows of it that were loaded. Unit rows. Source the loader.';
comment on column marts.edition.quarantined_row_count is 'Rows of it that were refused. Unit rows. Source the loader.';
comment on column marts.edition.state is
'loaded: it stands; superseded: it did, until a newer one spoke for all it says; refused; withdrawn: its owner took it back; set_aside: no build takes it for now. Unit none. Source the loader.';
comment on column marts.edition.code is 'Why it was refused or is set aside: a code of `vru explain`. Unit code. Source the loader.';
comment on column marts.edition.is_in_release is 'Whether the release that the marts hold was built of it. Unit truth. Source the publisher of the marts.';
comment on column marts.edition.licence is 'Terms. Unit none. Source the publisher.';
comment on column marts.edition.licence_url is 'Where the terms are. Unit none. Source the publisher.';
comment on column marts.edition.attribution is 'How it is to be named. Unit none. Source the publisher.';
comment on column marts.edition.classification is 'Classification of its source. Unit none. Source the declaration.';
comment on column marts.edition.publish_rule is 'How its owner lets counts out. Unit code. Source the declaration.';
comment on column marts.edition.data_kind is 'real, or synthetic: invented by a stand-in publisher. Unit none. Source the loader.';

create or replace function marts.editions_named(source_release text) returns table (dataset text, sha256_start text)
language sql immutable parallel safe
begin atomic
    select
        found.parts[1] as dataset,
        hash.digits as sha256_start
    from regexp_matches($1, '(\w+) \d{4}-\d\d-\d\d sha256:([0-9a-f+]+)', 'g') as found (parts)
    cross join string_to_table(found.parts[2], '+') as hash (digits);
end;
comment on function marts.editions_named(text) is
'The editions that a source_release names: dataset and first digits of the hash of each ("street 2026-10-01 sha256:c1a7dc94+bcb49572" names two).';

-- The months, areas and measures that a cell is made of. In plpgsql, as the marts are not there yet when this is made.
create or replace function marts.spans_of(report text, cell jsonb)
returns table (behind text, area_level text, measure_code text, area_code text, first_date date, last_date date)
language plpgsql stable parallel safe as $$
declare
    measure text := cell ->> 'measure_code';
    area text := cell ->> 'area_code';
    month date := cell ->> 'month_start_date';
    is_year boolean := report in ('fct_window', 'rpt_borough_month', 'rpt_ambulance_month', 'rpt_sna_facts_archive');
    first date := coalesce(
        cell ->> 'window_start_date', cell ->> 'period_start_date', (month - case when is_year then interval '11 months' else '0' end)::date::text
    );
    last date := coalesce(cell ->> 'window_end_date', cell ->> 'period_end_date', (month + interval '1 month - 1 day')::date::text);
    -- Wards and LSOAs have files of their own; every other area stands in fct_measure.
    small text := case
        when report = 'rpt_ward_measure' or cell ->> 'area_level' = 'ward' or cell ->> 'source_release' like 'ward\_%' then 'ward'
        when coalesce(cell ->> 'area_level', cell ->> 'place_level') = 'lsoa' and measure like 'police\_uk\_%' then 'lsoa_police_uk'
        when coalesce(cell ->> 'area_level', cell ->> 'place_level') = 'lsoa' or cell ->> 'source_release' like 'lsoa\_%' then 'lsoa'
        else 'area'
    end;
    back integer := extract(year from last)::integer - 2019;
begin
    -- The boroughs of a fifth of deprivation are those of all London.
    if report = 'rpt_deprivation' and small = 'area' then
        area := 'LONDON_32';
    end if;
    return query
    with own as (
        select m.measure_code from unnest(
            array[measure, cell ->> 'health_measure_code', cell ->> 'police_measure_code']
        ) as m (measure_code) where m.measure_code is not null
    ),

    years as (
        select distinct y.value::integer as value from jsonb_each_text(cell) as y
        where y.key in ('residents_year', 'rolling_12_residents_year', 'denominator_year', 'london_denominator_year') and y.value is not null
    )

    select 'counted', small, o.measure_code, area, first, last from own as o
    union all
    select 'compared', small, o.measure_code, area, (first - n.years * interval '1 year')::date, (last + 1 - n.years * interval '1 year')::date - 1
    from own as o
    cross join generate_series(1, case when cell ->> 'mean_three_years' is null then 1 else 3 end) as n (years)
    where report in (
        'fct_window', 'rpt_borough_measure', 'rpt_borough_month', 'rpt_borough_comparison', 'rpt_ambulance_month', 'rpt_hotspots',
        'rpt_ward_measure', 'rpt_sna_facts'
    )
    union all
    -- A window of twelve months is compared with all of 2019 and of 2019/20, a shorter one with the same months of them.
    select 'compared', small, measure, area, c.first_date, c.last_date
    from (
        values
        (
            coalesce(cell ->> 'count_2019', cell ->> 'change_on_2019_percent'),
            case when last - first > 360 then date '2019-01-01' else (first - back * interval '1 year')::date end,
            case when last - first > 360 then date '2019-12-31' else (last + 1 - back * interval '1 year')::date - 1 end
        ),
        (
            cell ->> 'count_2019_20',
            case when last - first > 360 then date '2019-04-01' else (first - case when extract(month from last) < 4 then back - 1 else back end * interval '1 year')::date end,
            case when last - first > 360 then date '2020-03-31' else (last + 1 - case when extract(month from last) < 4 then back - 1 else back end * interval '1 year')::date - 1 end
        ),
        (cell ->> 'baseline_start_date', (cell ->> 'baseline_start_date')::date, (cell ->> 'baseline_end_date')::date)
    ) as c (figure, first_date, last_date)
    where c.figure is not null
    union all
    -- What a borough is ranked among and measured against.
    select 'benchmark', small, o.measure_code, b.area_code, first, last
    from own as o
    cross join (values ('LONDON_32'), ('LONDON_33'), ('E92000001')) as b (area_code)
    where small = 'area' and report in (
        'fct_window', 'rpt_borough_measure', 'rpt_borough_month', 'rpt_borough_comparison', 'rpt_police_health', 'rpt_sna_facts', 'rpt_drivers',
        'rpt_driver_comparison', 'rpt_success_measures'
    )
    union all
    select 'residents', 'area', r.measure_code, r.area_code, make_date(y.value, 1, 1), make_date(y.value, 12, 31)
    from years as y
    cross join (values ('nomis_population', area), ('nomis_population', 'LONDON_32'), ('nomis_census_ethnic_group', area))
        as r (measure_code, area_code)
    where small = 'area' and (r.measure_code = 'nomis_population' or report = 'rpt_victim_profile');
end
$$;
comment on function marts.spans_of(text, jsonb) is
'The measures, areas and spans of time that a row of a report is made of: what it counts, what it is compared with, its benchmarks and its residents.';

create or replace function marts.trace(report text, cell jsonb)
returns table (
    behind text, source text, dataset text, release_date date, part text, sha256 text, address text, fetched_at timestamptz,
    licence text, row_count bigint, state text, is_in_release boolean, data_kind text
)
language plpgsql stable parallel safe as $$
begin
    if to_regclass(format('marts.%I', report)) is null then
        raise exception 'there is no report % in schema marts', report;
    end if;
    if to_regclass('marts.edition_month') is null then
        raise exception 'the marts were built before figures could be traced: the next release has what this needs';
    end if;
    if report = 'bi_month_wide' then
        raise exception 'a row of bi_month_wide is of many measures: trace the row of bi_month of one of them';
    end if;
    -- A narrow view shows columns of one window of rpt_borough_measure, which knows what it is compared with and whose residents it divides by.
    if report in ('bi_month', 'bi_rolling_12', 'bi_latest_12_months', 'bi_financial_year') then
        return query
        select t.* from marts.rpt_borough_measure as r
        cross join lateral marts.trace('rpt_borough_measure', to_jsonb(r)) as t
        where r.measure_code = cell ->> 'measure_code' and r.area_code = cell ->> 'area_code' and r.sex = 'all' and r.age_band = 'all'
            and r.window_kind = case report when 'bi_month' then 'month' when 'bi_financial_year' then 'financial_year' else 'rolling_12' end
            and r.month_start_date = coalesce(
                (cell ->> 'month_start_date')::date, date_trunc('month', (cell ->> 'period_end_date')::date)::date,
                ((cell ->> 'year_start_date')::date + interval '11 months')::date
            );
        return;
    end if;
    return query
    with span as materialized (
        select * from marts.spans_of(report, cell)
    ),

    named as (
        select s.behind, f.source_release from span as s
        inner join marts.fct_measure as f
            on s.measure_code = f.measure_code and s.area_code = f.area_code
                and f.period_start_date >= s.first_date and f.period_end_date <= s.last_date
        where s.area_level = 'area'
        union
        select s.behind, f.source_release from span as s
        inner join marts.fct_indicator as f
            on s.measure_code = f.measure_code and s.area_code = f.area_code
                and f.period_start_date >= s.first_date and f.period_end_date <= s.last_date
        where s.area_level = 'area'
        union
        select s.behind, e.source_release from span as s
        inner join marts.edition_month as e on s.area_level = e.area_level and e.month_start_date between s.first_date and s.last_date
        union
        select n.behind, n.source_release from (
            values
            ('counted', cell ->> 'source_release'), ('counted', cell ->> 'health_release'), ('counted', cell ->> 'police_release'),
            ('earlier', cell ->> 'earlier_release')
        ) as n (behind, source_release)
        union
        -- A driver is compared with the period that ended the day before, or with the day a year before.
        select 'compared', d.source_release from marts.rpt_drivers as d
        where report in ('rpt_drivers', 'rpt_driver_comparison') and d.measure_code = cell ->> 'measure_code' and d.area_code = cell ->> 'area_code'
            and d.period_kind = cell ->> 'period_kind'
            and d.period_end_date in ((cell ->> 'period_start_date')::date - 1, ((cell ->> 'period_end_date')::date - interval '1 year')::date)
        union
        -- The index of a borough is of all its components, each beside London's.
        select case when i.measure_code = cell ->> 'measure_code' then 'counted' else 'component' end, d.source_release
        from marts.rpt_priority_index as i
        inner join marts.rpt_drivers as d
            on i.measure_code = d.measure_code and d.area_code in (i.area_code, 'LONDON_33')
                and i.period_kind = d.period_kind and i.period_start_date = d.period_start_date
        where report = 'rpt_priority_index' and i.area_code = cell ->> 'area_code'
        union
        select 'earlier', r.earlier_release from marts.rpt_revision as r
        where report = 'rpt_revision_release' and r.measure_code = cell ->> 'measure_code'
            and r.source_release = cell ->> 'source_release' and r.compared_with = cell ->> 'compared_with'
    ),

    found as (
        select n.behind, e.source, e.dataset, e.sha256 from named as n
        cross join lateral marts.editions_named(n.source_release) as s
        inner join marts.edition as e on s.dataset = e.dataset and e.sha256 like s.sha256_start || '%'
        union
        -- What no row of a mart names: residents of small areas, indices of deprivation, definitions of indicators, and checks of a feed.
        select w.behind, e.source, e.dataset, e.sha256
        from (
            values
            (
                'residents',
                case
                    when report in ('rpt_ward_measure', 'fct_ward_month') or cell ->> 'area_level' = 'ward' then 'census\_ward\_residents'
                    when cell ->> 'area_level' = 'lsoa' or cell ->> 'place_level' = 'lsoa' then 'imd\_%'
                end
            ),
            ('deprivation', case when report = 'rpt_deprivation' then cell ->> 'index_code' end),
            ('definition', case when cell ->> 'source_release' like 'data %' then 'metadata' end)
        ) as w (behind, dataset_like)
        inner join marts.edition as e on e.is_in_release and e.dataset like w.dataset_like
        union
        select 'counted', e.source, e.dataset, e.sha256 from marts.edition as e
        where report = 'rpt_data_quality' and e.is_in_release and e.source = cell ->> 'source' and e.dataset = cell ->> 'dataset'
            and (e.source <> 'police_uk' or substr(e.part, 9) = replace(cell ->> 'site_code', '_', '-'))
            -- A file of indicators says of no months that it is of them.
            and (
                e.first_period_date is null
                or (cell ->> 'month_start_date')::date between date_trunc('month', e.first_period_date) and e.last_period_date
            )
    )

    select f.behind, e.source, e.dataset, e.release_date, e.part, e.sha256, e.address, e.fetched_at, e.licence, e.row_count, e.state,
        e.is_in_release, e.data_kind
    from found as f
    inner join marts.edition as e on f.source = e.source and f.dataset = e.dataset and f.sha256 = e.sha256
    order by array_position(array['counted', 'compared', 'component', 'earlier', 'benchmark', 'residents', 'deprivation', 'definition'], f.behind),
        e.source, e.dataset, e.release_date, e.part, e.sha256;
end
$$;
comment on function marts.trace(text, jsonb) is
'The publishers'' files behind a row of a report (a table or view of schema marts, its row as to_jsonb gives it): counted, of every month of its window; compared, of the periods it is compared with; benchmark, of London and England; component, of the rest of an index; residents, deprivation and definition. rpt_gap holds no figure.';
