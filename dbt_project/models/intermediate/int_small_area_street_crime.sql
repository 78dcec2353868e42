-- Violence and the like by LSOA, by the Metropolitan Police, as police.uk places them: the only count of sexual offences at this level.
with loads as (
    select
        files.load_id,
        files.month_start_date >= span.window_start_date as is_in_window
    from {{ ref('int_police_uk_force_month') }} as files
    inner join {{ ref('int_small_area_span') }} as span
        on span.area_level = 'lsoa_police_uk' and files.month_start_date between span.previous_start_date and span.window_end_date
    where files.dataset = 'street' and files.force_code = 'metropolitan' and files.state = 'loaded'
),

counted as (
    select
        street.lsoa_code,
        street.published_crime_type,
        max(street.lsoa_name) as lsoa_name,
        sum(street.row_count) filter (where loads.is_in_window) as window_count,
        sum(street.row_count) filter (where not loads.is_in_window) as previous_window_count
    from {{ ref('int_police_uk_street_count') }} as street
    inner join loads on street.load_id = loads.load_id
    group by street.lsoa_code, street.published_crime_type
)

select
    counted.lsoa_code,
    max(counted.lsoa_name) as lsoa_name,
    lsoas.area_code,
    types.code as crime_type_code,
    coalesce(sum(counted.window_count), 0) as window_count,
    coalesce(sum(counted.previous_window_count), 0) as previous_window_count
from counted
inner join {{ ref('lsoa_borough') }} as lsoas on counted.lsoa_code = lsoas.lsoa_code
inner join {{ ref('boroughs') }} as borough on lsoas.area_code = borough.borough_code
inner join {{ ref('police_uk_label') }} as types
    on
        types.label_list = 'crime_type'
        and types.code in ('violence_and_sexual_offences', 'robbery', 'possession_of_weapons', 'anti_social_behaviour')
        and {{ normalised_label('counted.published_crime_type') }} = {{ normalised_label('types.published_label') }}
group by counted.lsoa_code, lsoas.area_code, types.code
