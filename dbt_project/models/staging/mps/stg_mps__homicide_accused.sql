with accused as (
    select
        _load_id as load_id,
        _row_number as row_number,
        {{ mps_day('btrim(proceedings_date)') }} as month_start_date,
        borough as published_area_name,
        count_of_ppa::numeric::integer as accused_count,
        {{ mps_homicide_code('accused_age', 'age_group') }} as age_band,
        {{ mps_homicide_code('sex', 'gender') }} as sex,
        {{ mps_homicide_code('offence', 'offence_type') }} as offence_type,
        {{ mps_homicide_code('charged', 'charged_summonsed') }} as proceedings,
        {{ mps_homicide_code('ethnicity', 'self_classified_ethnicity') }} as self_classified_ethnicity
    from {{ source('raw', 'mps__homicide_accused') }}
),

areas as (
    {{ mps_area_of(source('raw', 'mps__homicide_accused'), 'borough') }}
)

select
    accused.load_id,
    accused.row_number,
    date_trunc('month', accused.month_start_date)::date as month_start_date,
    accused.published_area_name,
    case when lower(btrim(accused.published_area_name)) in ('', 'null') then 'UNALLOCATED' else areas.area_code end as area_code,
    accused.accused_count,
    accused.age_band,
    accused.sex,
    accused.offence_type,
    accused.proceedings,
    accused.self_classified_ethnicity
from accused
left join areas on accused.published_area_name = areas.label
