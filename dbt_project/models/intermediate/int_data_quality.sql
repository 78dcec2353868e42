with files as (
    select * from {{ ref('int_data_quality_file') }}
),

-- The measures that count all of their dataset.
total (measure_code) as (
    values ('mps_all_offences'), ('mps_tno'), ('mps_vawg_dashboard_offences'), ('mps_homicide_victims'), ('mps_homicide_accused')
),

mps_month as (
    select
        split_part(counted.source_release, ' ', 1) as dataset,
        counted.month_start_date,
        sum(counted.month_count) filter (where counted.area_code = 'UNALLOCATED') as unplaced,
        sum(counted.month_count) as everything
    from (
        {% for model in ['int_mps_borough_month', 'int_mps_dashboard_month', 'int_mps_homicide_month', 'int_mps_vawg_month'] %}
        select
            measure_code,
            area_code,
            month_start_date,
            source_release,
            month_count
        from {{ ref(model) }}
        {% if not loop.last %}union all{% endif %}
        {% endfor %}
    ) as counted
    inner join total on counted.measure_code = total.measure_code
    where counted.area_code <> 'LONDON_PUBLISHED'
    group by split_part(counted.source_release, ' ', 1), counted.month_start_date
),

force_month as (
    select
        dataset,
        force_code,
        month_start_date,
        sum(row_count) filter (where area_code = 'UNALLOCATED') as unplaced,
        sum(row_count) as everything
    from {{ ref('int_police_uk_count') }}
    group by dataset, force_code, month_start_date
),

fingertips_period as (
    select
        found.period_start_date,
        count(found.value) as given,
        count(*) as everything
    from {{ ref('int_fingertips_value') }} as found
    inner join {{ ref('boroughs') }} as borough on found.area_code = borough.borough_code
    where found.is_headline
    group by found.period_start_date
),

-- A file that is a piece of one speaks for nothing: here it is told that it was there.
left_out as (
    select distinct on (dataset, last_month_start_date)
        dataset,
        last_month_start_date as month_start_date,
        borough_count
    from {{ ref('int_mps_dashboard_release') }}
    where not is_whole
    order by dataset asc, last_month_start_date asc, release_date desc, landed_at desc, load_id desc
),

checks as (
    select
        source,
        dataset,
        site_code,
        month_start_date,
        'quarantined' as quality_code,
        'all' as field_name,
        rows_quarantined as numerator,
        rows_in_file as denominator,
        null::integer as days
    from files
    union all
    select
        source,
        dataset,
        site_code,
        month_start_date,
        'released_after' as quality_code,
        'all' as field_name,
        null as numerator,
        null as denominator,
        release_date - (month_start_date + interval '1 month' - interval '1 day')::date as days
    from files
    where release_date is not null and is_newest_of_release
    union all
    select
        'mps' as source,
        dataset,
        'all' as site_code,
        month_start_date,
        'file_left_out' as quality_code,
        'all' as field_name,
        borough_count as numerator,
        (select count(*) from {{ ref('boroughs') }}) as denominator,
        null as days
    from left_out
    union all
    select
        'mps' as source,
        dataset,
        'all' as site_code,
        month_start_date,
        'unplaced' as quality_code,
        'all' as field_name,
        coalesce(unplaced, 0) as numerator,
        everything as denominator,
        null as days
    from mps_month
    union all
    select
        'police_uk' as source,
        dataset,
        force_code as site_code,
        month_start_date,
        'unplaced' as quality_code,
        'all' as field_name,
        coalesce(unplaced, 0) as numerator,
        everything as denominator,
        null as days
    from force_month
    union all
    select
        'police_uk' as source,
        calendar.dataset,
        calendar.force_code as site_code,
        calendar.month_start_date,
        'submitted' as quality_code,
        'all' as field_name,
        coalesce(files.rows_loaded, 0) as numerator,
        null as denominator,
        null as days
    from {{ ref('int_police_uk_force_month') }} as calendar
    left join files
        on
            files.source = 'police_uk'
            and calendar.dataset = files.dataset
            and calendar.force_code = files.site_code
            and calendar.month_start_date = files.month_start_date
    union all
    select
        'fingertips' as source,
        'data' as dataset,
        'all' as site_code,
        period_start_date as month_start_date,
        'completeness' as quality_code,
        'value' as field_name,
        given as numerator,
        everything as denominator,
        null as days
    from fingertips_period
    union all
    select
        'safestats' as source,
        dataset,
        site_code,
        month_start_date,
        quality_code,
        field_name,
        numerator,
        denominator,
        null as days
    from {{ ref('int_safestats_event_quality') }}
)

select
    source,
    dataset,
    site_code,
    month_start_date,
    quality_code,
    field_name,
    numerator::bigint as numerator,
    denominator::bigint as denominator,
    days
from checks
-- The calendar begins in 2000.
where month_start_date >= date '2000-01-01'
