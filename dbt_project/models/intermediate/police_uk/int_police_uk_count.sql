with street as (
    select
        load_id,
        area_code,
        crime_type_code as kind_code,
        'all' as age_band,
        'all' as ethnicity,
        sum(row_count)::bigint as row_count
    from {{ ref('int_police_uk_last_outcome') }}
    group by load_id, area_code, crime_type_code
),

-- Identical rows are separate: rows are counted, never made distinct.
outcomes as (
    select
        load_id,
        area_code,
        outcome_code as kind_code,
        'all' as age_band,
        'all' as ethnicity,
        count(*) as row_count
    from {{ ref('stg_police_uk__outcomes') }}
    group by load_id, area_code, outcome_code
),

searches as (
    select
        searched.load_id,
        searched.month_start_date,
        coalesce(points.area_code, 'UNALLOCATED') as area_code,
        searched.age_band,
        searched.ethnicity,
        count(*) as row_count
    from {{ ref('stg_police_uk__stop_and_search') }} as searched
    left join {{ ref('int_police_uk_map_point') }} as points
        on searched.longitude = points.longitude and searched.latitude = points.latitude
    group by searched.load_id, searched.month_start_date, coalesce(points.area_code, 'UNALLOCATED'), searched.age_band, searched.ethnicity
)

select
    files.dataset,
    files.force_code,
    files.month_start_date,
    counted.area_code,
    counted.kind_code,
    counted.age_band,
    counted.ethnicity,
    counted.row_count
from (
    select * from street
    union all
    select * from outcomes
) as counted
inner join {{ ref('int_police_uk_force_month') }} as files on counted.load_id = files.load_id
union all
-- A search belongs to the month it was made in, in London; where the force has no file of that month, to the file's.
select
    files.dataset,
    files.force_code,
    coalesce(own.month_start_date, files.month_start_date) as month_start_date,
    searches.area_code,
    'stop_and_search' as kind_code,
    searches.age_band,
    searches.ethnicity,
    sum(searches.row_count) as row_count
from searches
inner join {{ ref('int_police_uk_force_month') }} as files on searches.load_id = files.load_id
left join {{ ref('int_police_uk_force_month') }} as own
    on
        own.dataset = 'stop_and_search'
        and files.force_code = own.force_code
        and searches.month_start_date = own.month_start_date
        and own.load_id is not null
group by
    files.dataset,
    files.force_code,
    coalesce(own.month_start_date, files.month_start_date),
    searches.area_code,
    searches.age_band,
    searches.ethnicity
