with area as (
    select
        borough_code as area_code,
        borough_name as area_name,
        'borough' as area_type,
        borough_code,
        ons_inner_outer,
        true as is_in_london_32,
        null::text as area_note
    from {{ ref('dim_borough') }}
    union all
    select
        area_code,
        area_name,
        area_type,
        null as borough_code,
        null as ons_inner_outer,
        false as is_in_london_32,
        area_note
    from {{ ref('other_areas') }}
)

select
    area.area_code,
    area.area_name,
    area.area_type,
    area.borough_code,
    area.ons_inner_outer,
    area.is_in_london_32,
    area.area_note,
    caveats.residents_caveat
from area
left join {{ ref('residents_caveat') }} as caveats on area.area_code = caveats.area_code
