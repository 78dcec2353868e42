with published as (
    select
        _load_id as load_id,
        _row_number as row_number,
        sheet,
        lower(btrim(sheet)) = 'offence count location' as is_offence_by_place,
        lower(btrim(sheet)) = 'offence count classification' as is_offence_by_class,
        {{ mps_day('recorded_month') }} as month_start_date,
        -- The publisher writes 1900-01-01 where it does not know.
        case
            when committed_month <> '' and {{ mps_day('committed_month') }} > date '1900-01-01' then {{ mps_day('committed_month') }}
        end as committed_month_start_date,
        borough_name as published_area_name,
        ward_name,
        crimsec_group,
        crimsec_code_expansion,
        crimsec_offences,
        vawg_offence,
        age_group,
        ethnic_group,
        count::numeric::integer as recorded_count
    from {{ source('raw', 'mps__vawg') }}
),

areas as (
    {{ mps_area_of(source('raw', 'mps__vawg'), 'borough_name') }}
)

select
    published.load_id,
    published.row_number,
    published.sheet,
    published.is_offence_by_place,
    published.is_offence_by_class,
    published.month_start_date,
    published.committed_month_start_date,
    published.published_area_name,
    areas.area_code,
    published.ward_name,
    published.crimsec_group,
    published.crimsec_code_expansion,
    published.crimsec_offences,
    published.vawg_offence,
    published.age_group,
    published.ethnic_group,
    published.recorded_count
from published
left join areas on published.published_area_name = areas.label
