{% set recorded = "coalesce(nullif(btrim(recorded_date), ''), btrim(recorded_month) || ' ' || btrim(recorded_year))" %}
with victims as (
    select
        _load_id as load_id,
        _row_number as row_number,
        {{ mps_day(recorded) }} as month_start_date,
        borough as published_area_name,
        count_of_victims::numeric::integer as victim_count,
        {{ mps_homicide_code('victim_age', 'age_group') }} as age_band,
        {{ mps_homicide_code('sex', 'sex') }} as sex,
        {{ mps_homicide_code('method', 'method_of_killing') }} as method_of_killing,
        {{ mps_homicide_code('domestic_abuse', 'domestic_abuse') }}::boolean as is_domestic_abuse,
        {{ mps_homicide_code('offence', 'homicide_offence_type') }} as offence_type,
        {{ mps_homicide_code('solved', 'solved_status') }}::boolean as is_solved,
        {{ mps_homicide_code('ethnicity', 'officer_observed_ethnicity') }} as officer_observed_ethnicity
    from {{ source('raw', 'mps__homicide_victims') }}
),

areas as (
    {{ mps_area_of(source('raw', 'mps__homicide_victims'), 'borough') }}
)

select
    victims.load_id,
    victims.row_number,
    date_trunc('month', victims.month_start_date)::date as month_start_date,
    victims.published_area_name,
    case when lower(btrim(victims.published_area_name)) in ('', 'null') then 'UNALLOCATED' else areas.area_code end as area_code,
    victims.victim_count,
    victims.age_band,
    victims.sex,
    victims.method_of_killing,
    victims.is_domestic_abuse,
    victims.offence_type,
    victims.is_solved,
    victims.officer_observed_ethnicity
from victims
left join areas on victims.published_area_name = areas.label
