-- Searches carry coordinates and no area. They are put on the same anonymised map points as street-level crimes, which carry an LSOA.
with points as (
    select distinct
        longitude,
        latitude
    from {{ ref('stg_police_uk__stop_and_search') }}
    where longitude <> '' and latitude <> ''
),

crimes as (
    select
        street.longitude,
        street.latitude,
        min(street.area_code) as area_code
    from {{ ref('stg_police_uk__street') }} as street
    inner join points on street.longitude = points.longitude and street.latitude = points.latitude
    where street.area_code <> 'UNALLOCATED'
    group by street.longitude, street.latitude
),

outlined as (
    select
        points.longitude,
        points.latitude,
        min(outlines.area_code) as area_code
    from points
    inner join {{ ref('borough_outlines') }} as outlines
        on outlines.outline::polygon @> point(points.longitude::float8, points.latitude::float8)
    group by points.longitude, points.latitude
)

select
    points.longitude,
    points.latitude,
    coalesce(crimes.area_code, outlined.area_code, 'OUTSIDE_LONDON') as area_code,
    crimes.area_code is not null as is_point_of_a_crime
from points
left join crimes on points.longitude = crimes.longitude and points.latitude = crimes.latitude
left join outlined on points.longitude = outlined.longitude and points.latitude = outlined.latitude
