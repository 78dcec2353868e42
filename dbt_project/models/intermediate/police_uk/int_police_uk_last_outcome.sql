with {{ police_uk_areas(ref('int_police_uk_street_count')) }},

placed as (
    select
        counted.load_id,
        areas.area_code,
        counted.published_crime_type,
        counted.published_last_outcome,
        sum(counted.row_count)::bigint as row_count
    from {{ ref('int_police_uk_street_count') }} as counted
    inner join areas on counted.lsoa_code = areas.lsoa_code and counted.lsoa_name = areas.lsoa_name
    group by counted.load_id, areas.area_code, counted.published_crime_type, counted.published_last_outcome
)

select
    placed.load_id,
    placed.area_code,
    types.code as crime_type_code,
    -- Anti-social behaviour and British Transport Police have no outcome in any row.
    case placed.published_last_outcome when '' then 'not_given' else outcomes.code end as outcome_code,
    sum(placed.row_count)::bigint as row_count
from placed
left join {{ police_uk_codes('placed', 'published_crime_type', 'crime_type') }} as types
    on placed.published_crime_type = types.published_label
left join {{ police_uk_codes('placed', 'published_last_outcome', 'outcome') }} as outcomes
    on placed.published_last_outcome = outcomes.published_label
group by
    placed.load_id,
    placed.area_code,
    types.code,
    case placed.published_last_outcome when '' then 'not_given' else outcomes.code end
