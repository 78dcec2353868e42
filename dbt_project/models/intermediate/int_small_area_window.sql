with span as (
    select * from {{ ref('int_small_area_span') }}
),

counted as (
    {{ small_area_window('ward', 'ward_code', 'ward_name') }}
    union all
    {{ small_area_window('lsoa', 'lsoa_code', 'lsoa_name') }}
    union all
    select
        'lsoa_police_uk' as area_level,
        places.lsoa_code as small_area_code,
        places.lsoa_name as small_area_name,
        places.area_code,
        'police_uk_metropolitan_' || places.crime_type_code as measure_code,
        places.window_count,
        case when span.has_previous then places.previous_window_count end as previous_window_count
    from {{ ref('int_small_area_street_crime') }} as places
    inner join span on span.area_level = 'lsoa_police_uk'
),

-- An LSOA that the census of 2021 left alone has one code in both vintages, and is one place in both.
vintaged as (
    select
        counted.area_level,
        counted.small_area_code,
        counted.small_area_name,
        counted.area_code,
        counted.measure_code,
        counted.window_count,
        counted.previous_window_count,
        case
            when counted.area_level = 'ward' then null
            when lsoas.is_lsoa_2011 and lsoas.is_lsoa_2021 then '2011 and 2021'
            when lsoas.is_lsoa_2011 then '2011'
            when lsoas.is_lsoa_2021 then '2021'
            else 'unknown'
        end as lsoa_vintage
    from counted
    left join {{ ref('lsoa_borough') }} as lsoas
        on counted.area_level <> 'ward' and counted.small_area_code = lsoas.lsoa_code
    where counted.window_count > 0 or counted.previous_window_count > 0
),

-- Whether each window counts by LSOAs of 2011, of 2021, or changes from one to the other on the way.
told as (
    select
        *,
        bool_or(lsoa_vintage = '2011' and window_count > 0) over level as window_has_2011,
        bool_or(lsoa_vintage = '2021' and window_count > 0) over level as window_has_2021,
        bool_or(lsoa_vintage = '2011' and previous_window_count > 0) over level as previous_has_2011,
        bool_or(lsoa_vintage = '2021' and previous_window_count > 0) over level as previous_has_2021
    from vintaged
    window level as (partition by area_level)
)

select
    case told.area_level when 'ward' then 'ward' else 'lsoa' end as area_level,
    told.small_area_code,
    told.small_area_name,
    told.area_code,
    told.lsoa_vintage,
    told.measure_code,
    span.window_start_date,
    span.window_end_date,
    told.window_count::integer as window_count,
    told.previous_window_count::integer as previous_window_count,
    -- Of a place that was split or merged, a window that used the other vintage at all counts a part or nothing.
    coalesce(
        (told.lsoa_vintage = '2021' and told.window_has_2011)
        or (told.lsoa_vintage = '2011' and told.window_has_2021),
        false
    ) as is_window_partial,
    coalesce(
        (told.lsoa_vintage = '2021' and told.previous_has_2011)
        or (told.lsoa_vintage = '2011' and told.previous_has_2021),
        false
    ) as is_previous_partial,
    span.source_release,
    span.is_provisional
from told
inner join span on told.area_level = span.area_level
