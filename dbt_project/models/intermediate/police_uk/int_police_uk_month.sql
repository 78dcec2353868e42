-- What is published: for each force and for all of them together, dense over areas and kinds, zeros written out, London summed up.
with kinds as (
    select * from {{ ref('int_police_uk_kind') }}
),

named as (
    select distinct
        dataset,
        measure_suffix,
        age_band,
        ethnicity
    from kinds
),

-- A count by age and by ethnicity, and not by both: most boroughs have a handful of each in a month.
split as (
    select
        dataset,
        force_code,
        month_start_date,
        area_code,
        kind_code,
        coalesce(age_band, 'all') as age_band,
        coalesce(ethnicity, 'all') as ethnicity,
        sum(row_count) as row_count
    from {{ ref('int_police_uk_count') }}
    where dataset = 'stop_and_search'
    group by dataset, force_code, month_start_date, area_code, kind_code, grouping sets ((), (age_band), (ethnicity))
    union all
    select
        dataset,
        force_code,
        month_start_date,
        area_code,
        kind_code,
        age_band,
        ethnicity,
        row_count
    from {{ ref('int_police_uk_count') }}
    where dataset <> 'stop_and_search'
),

areas as (
    select
        borough_code as area_code,
        upper(ons_inner_outer) as half_code
    from {{ ref('boroughs') }}
    union all
    select
        area_code,
        null as half_code
    from {{ ref('other_areas') }}
    where area_code in ('E09000001', 'UNALLOCATED', 'OUTSIDE_LONDON')
),

places as (
    select
        area_code as part_code,
        area_code
    from areas
    union all
    select
        areas.area_code as part_code,
        sums.area_code
    from areas
    cross join lateral (values ('LONDON_32'), (areas.half_code)) as sums (area_code)
    where areas.half_code is not null
),

-- Zeros are written out by adding them: joined, the planner would take the few cells it knows of for all there are.
cells as (
    select
        published.dataset,
        published.scope,
        published.month_start_date,
        kinds.measure_suffix,
        kinds.age_band,
        kinds.ethnicity,
        split.area_code,
        split.row_count
    from {{ ref('int_police_uk_published') }} as published
    inner join split
        on
            published.dataset = split.dataset
            and published.month_start_date = split.month_start_date
            and split.force_code = any(published.forces)
    inner join kinds
        on
            split.dataset = kinds.dataset
            and split.kind_code = kinds.kind_code
            and split.age_band = kinds.age_band
            and split.ethnicity = kinds.ethnicity
    union all
    select
        published.dataset,
        published.scope,
        published.month_start_date,
        named.measure_suffix,
        named.age_band,
        named.ethnicity,
        areas.area_code,
        0 as row_count
    from {{ ref('int_police_uk_published') }} as published
    inner join named on published.dataset = named.dataset
    cross join areas
),

-- Each area counts for itself, and a borough for London and its half of it.
figures as (
    select
        cells.dataset,
        cells.scope,
        cells.month_start_date,
        cells.measure_suffix,
        cells.age_band,
        cells.ethnicity,
        places.area_code,
        sum(cells.row_count) as row_count
    from cells
    inner join places on cells.area_code = places.part_code
    group by
        cells.dataset,
        cells.scope,
        cells.month_start_date,
        cells.measure_suffix,
        cells.age_band,
        cells.ethnicity,
        places.area_code
),

newest as (
    select
        dataset,
        max(month_start_date) as month_start_date
    from {{ ref('int_police_uk_published') }}
    group by dataset
)

select
    figures.dataset,
    figures.scope,
    figures.measure_suffix,
    figures.area_code,
    'month' as period_kind,
    figures.month_start_date as period_start_date,
    (figures.month_start_date + interval '1 month' - interval '1 day')::date as period_end_date,
    'police_uk_' || case when figures.scope <> 'together' then figures.scope || '_' else '' end
    || figures.measure_suffix as measure_code,
    'all' as sex,
    figures.age_band,
    figures.ethnicity,
    figures.row_count as numerator,
    null::numeric as denominator,
    figures.row_count as value,
    published.value_note,
    published.source_release,
    -- Every archive rewrites its 36 months.
    figures.month_start_date > newest.month_start_date - interval '36 months' as is_provisional
from figures
inner join {{ ref('int_police_uk_published') }} as published
    on
        figures.dataset = published.dataset
        and figures.scope = published.scope
        and figures.month_start_date = published.month_start_date
inner join newest on figures.dataset = newest.dataset
