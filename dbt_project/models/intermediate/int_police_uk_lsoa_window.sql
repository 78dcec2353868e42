-- Violence and the like by LSOA, by the Metropolitan Police, as police.uk places them: the only count of sexual offences at this level.
select
    crimes.lsoa_code,
    (array_agg(crimes.lsoa_name order by crimes.month_start_date desc))[1] as lsoa_name,
    crimes.area_code,
    crimes.crime_type_code,
    sum(crimes.crime_count) filter (where crimes.month_start_date >= span.window_start_date) as window_count,
    sum(crimes.crime_count) filter (where crimes.month_start_date < span.window_start_date) as previous_window_count
from (
    select
        street.load_id,
        street.lsoa_code,
        street.lsoa_name,
        street.area_code,
        street.crime_type_code,
        files.month_start_date,
        count(*) as crime_count
    from {{ ref('stg_police_uk__street') }} as street
    inner join {{ ref('int_police_uk_force_month') }} as files
        on street.load_id = files.load_id and files.dataset = 'street' and files.force_code = 'metropolitan'
    where
        files.month_start_date >= (
            select span.previous_start_date from {{ ref('int_small_area_span') }} as span
            where span.area_level = 'lsoa_police_uk'
        )
        and street.crime_type_code in ('violence_and_sexual_offences', 'robbery', 'possession_of_weapons', 'anti_social_behaviour')
    group by street.load_id, street.lsoa_code, street.lsoa_name, street.area_code, street.crime_type_code, files.month_start_date
) as crimes
inner join {{ ref('int_small_area_span') }} as span on span.area_level = 'lsoa_police_uk'
inner join {{ ref('boroughs') }} as borough on crimes.area_code = borough.borough_code
where crimes.lsoa_code <> ''
group by crimes.lsoa_code, crimes.area_code, crimes.crime_type_code
