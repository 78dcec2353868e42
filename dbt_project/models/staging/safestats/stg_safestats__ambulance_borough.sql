-- Labels are normalised once per spelling and not once per cell.
with spellings as (
    select distinct borough_name as published_area_name from {{ source('raw_safestats', 'safestats__ambulance_borough') }}
),

areas as (
    select
        spellings.published_area_name,
        aliases.area_code
    from spellings
    inner join {{ ref('area_aliases') }} as aliases
        on {{ normalised_label('spellings.published_area_name') }} = {{ normalised_label('aliases.published_name') }}
    where aliases.source = 'safestats'
)

select
    cells._load_id as load_id,
    cells._row_number as row_number,
    cells.sheet as published_sheet,
    cells.borough_code as published_area_code,
    cells.borough_name as published_area_name,
    areas.area_code,
    {{ safestats_month('cells.month_header') }} as month_start_date,
    cells.cell::numeric::integer as incident_count
from {{ source('raw_safestats', 'safestats__ambulance_borough') }} as cells
left join areas on cells.borough_name = areas.published_area_name
