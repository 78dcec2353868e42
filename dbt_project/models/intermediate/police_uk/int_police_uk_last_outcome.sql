{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_files_no_longer_loaded() }}') }}
-- depends_on: {{ ref('stg_ops__load') }}
with {{ police_uk_named_areas(ref('int_police_uk_street_count')) }},

located as (
    select
        counted.load_id,
        {{ police_uk_area_of('counted') }} as area_code,
        counted.published_crime_type,
        counted.published_last_outcome,
        counted.row_count
    from {{ ref('int_police_uk_street_count') }} as counted
    {{ police_uk_area_joins('counted') }}
    {% if is_incremental() %}
    where counted.load_id not in (select placed_before.load_id from {{ this }} as placed_before)
    {% endif %}
    -- Kept apart, what is grouped by is a column, which the planner takes to have few values: by the expression it would sort every row.
    limit all offset 0 -- noqa: AM09
),

placed as (
    select
        load_id,
        area_code,
        published_crime_type,
        published_last_outcome,
        sum(row_count)::bigint as row_count
    from located
    group by 1, 2, 3, 4
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
group by 1, 2, 3, 4
