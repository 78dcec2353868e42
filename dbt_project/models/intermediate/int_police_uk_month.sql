-- What is published: for each force and for all of them together, dense over areas and kinds, zeros written out, London summed up.
with published as (
    select
        dataset,
        force_code as scope,
        month_start_date,
        array[force_code] as forces,
        dataset || ' ' || release_date || ' sha256:' || sha as source_release,
        null::text as value_note
    from {{ ref('int_police_uk_force_month') }}
    where state = 'loaded'
    union all
    -- Together only where each force published, or is known not to have: a sum that lacks a force unsaid is worse than none.
    select
        dataset,
        'together' as scope,
        month_start_date,
        array_agg(force_code) filter (where state = 'loaded') as forces,
        dataset || ' ' || max(release_date) || ' sha256:' || string_agg(sha, '+' order by force_code) as source_release,
        string_agg(gap_note, ' ' order by force_code) as value_note
    from {{ ref('int_police_uk_force_month') }}
    group by dataset, month_start_date
    having
        bool_and(state <> 'missing')
        and bool_or(force_code = 'metropolitan' and state = 'loaded')
),

kinds as (
    select
        'street' as dataset,
        code as kind_code,
        code as measure_suffix,
        'all' as age_band,
        'all' as ethnicity
    from {{ ref('police_uk_label') }}
    where label_list = 'crime_type'
    union all
    -- Anti-social behaviour is no crime.
    select
        'street' as dataset,
        code as kind_code,
        'all_crime' as measure_suffix,
        'all' as age_band,
        'all' as ethnicity
    from {{ ref('police_uk_label') }}
    where label_list = 'crime_type' and code <> 'anti_social_behaviour'
    union all
    select distinct
        'outcomes' as dataset,
        codes.code as kind_code,
        suffixes.measure_suffix,
        'all' as age_band,
        'all' as ethnicity
    from {{ ref('police_uk_label') }} as codes
    inner join (values ('outcomes', null), ('outcomes_charged', 'charged')) as suffixes (measure_suffix, only_code)
        on suffixes.only_code is null or codes.code = suffixes.only_code
    where codes.label_list = 'outcome'
    union all
    select
        'stop_and_search' as dataset,
        'stop_and_search' as kind_code,
        'stop_and_search' as measure_suffix,
        splits.age_band,
        splits.ethnicity
    from (
        select
            'all' as age_band,
            'all' as ethnicity
        union all
        select distinct
            code as age_band,
            'all' as ethnicity
        from {{ ref('police_uk_label') }}
        where label_list = 'age_range'
        union all
        select distinct
            'all' as age_band,
            code as ethnicity
        from {{ ref('police_uk_label') }}
        where label_list = 'ethnicity'
        union all
        select
            'not_recorded' as age_band,
            'all' as ethnicity
        union all
        select
            'all' as age_band,
            'not_recorded' as ethnicity
    ) as splits
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
        true as is_borough,
        ons_inner_outer
    from {{ ref('boroughs') }}
    union all
    select
        area_code,
        false as is_borough,
        null as ons_inner_outer
    from {{ ref('other_areas') }}
    where area_code in ('E09000001', 'UNALLOCATED', 'OUTSIDE_LONDON')
),

counted as (
    select
        published.dataset,
        published.scope,
        published.month_start_date,
        kinds.measure_suffix,
        kinds.age_band,
        kinds.ethnicity,
        split.area_code,
        sum(split.row_count) as row_count
    from published
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
    group by
        published.dataset,
        published.scope,
        published.month_start_date,
        kinds.measure_suffix,
        kinds.age_band,
        kinds.ethnicity,
        split.area_code
),

dense as (
    select
        cells.scope,
        cells.month_start_date,
        cells.measure_suffix,
        cells.age_band,
        cells.ethnicity,
        cells.area_code,
        cells.is_borough,
        cells.ons_inner_outer,
        cells.source_release,
        cells.value_note,
        coalesce(counted.row_count, 0) as row_count
    from (
        select
            published.dataset,
            published.scope,
            published.month_start_date,
            published.source_release,
            published.value_note,
            named.measure_suffix,
            named.age_band,
            named.ethnicity,
            areas.area_code,
            areas.is_borough,
            areas.ons_inner_outer
        from published
        inner join (select distinct dataset, measure_suffix, age_band, ethnicity from kinds) as named
            on published.dataset = named.dataset
        cross join areas
    ) as cells
    left join counted
        on
            cells.dataset = counted.dataset
            and cells.scope = counted.scope
            and cells.month_start_date = counted.month_start_date
            and cells.measure_suffix = counted.measure_suffix
            and cells.age_band = counted.age_band
            and cells.ethnicity = counted.ethnicity
            and cells.area_code = counted.area_code
)

select
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
    figures.value_note,
    figures.source_release,
    true as is_provisional
from (
    select
        area_code,
        scope,
        month_start_date,
        measure_suffix,
        age_band,
        ethnicity,
        row_count,
        value_note,
        source_release
    from dense
    union all
    select
        aggregates.area_code,
        dense.scope,
        dense.month_start_date,
        dense.measure_suffix,
        dense.age_band,
        dense.ethnicity,
        sum(dense.row_count) as row_count,
        min(dense.value_note) as value_note,
        min(dense.source_release) as source_release
    from dense
    cross join lateral (values ('LONDON_32'), (upper(dense.ons_inner_outer))) as aggregates (area_code)
    where dense.is_borough
    group by
        aggregates.area_code,
        dense.scope,
        dense.month_start_date,
        dense.measure_suffix,
        dense.age_band,
        dense.ethnicity
) as figures
