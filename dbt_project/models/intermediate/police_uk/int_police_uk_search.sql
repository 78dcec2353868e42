-- The searches of each force, and of all three in the months that each published or is known not to have: as int_police_uk_count places and dates them.
with files as (
    select
        force_month.load_id,
        force_month.force_code,
        force_month.month_start_date
    from {{ ref('int_police_uk_force_month') }} as force_month
    where force_month.dataset = 'stop_and_search' and force_month.load_id is not null
),

published as (
    select
        scope,
        month_start_date,
        unnest(forces) as force_code
    from {{ ref('int_police_uk_published') }}
    where dataset = 'stop_and_search'
)

select
    published.scope,
    coalesce(own.month_start_date, files.month_start_date) as month_start_date,
    coalesce(points.area_code, 'UNALLOCATED') as area_code,
    date_trunc('hour', searches.searched_at at time zone 'UTC') as utc_hour,
    searches.is_of_person,
    searches.sex,
    searches.age_band,
    searches.ethnicity,
    searches.officer_defined_ethnicity,
    count(*)::integer as search_count
from {{ ref('stg_police_uk__stop_and_search') }} as searches
inner join files on searches.load_id = files.load_id
left join files as own on files.force_code = own.force_code and searches.month_start_date = own.month_start_date
inner join published
    on
        files.force_code = published.force_code
        and coalesce(own.month_start_date, files.month_start_date) = published.month_start_date
left join {{ ref('int_police_uk_map_point') }} as points
    on searches.longitude = points.longitude and searches.latitude = points.latitude
group by
    published.scope,
    coalesce(own.month_start_date, files.month_start_date),
    coalesce(points.area_code, 'UNALLOCATED'),
    date_trunc('hour', searches.searched_at at time zone 'UTC'),
    searches.is_of_person,
    searches.sex,
    searches.age_band,
    searches.ethnicity,
    searches.officer_defined_ethnicity
