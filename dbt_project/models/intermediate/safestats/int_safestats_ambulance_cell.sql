select
    cell.load_id,
    series.measure_code,
    cell.area_code,
    cell.month_start_date,
    cell.incident_count::bigint as month_count
from {{ ref('stg_safestats__ambulance_borough') }} as cell
left join {{ ref('safestats_ambulance_series') }} as series on cell.published_sheet = series.published_sheet
union all
select
    figure.load_id,
    series.london_measure_code as measure_code,
    'LONDON_PUBLISHED' as area_code,
    figure.month_start_date,
    figure.figure::bigint as month_count
from {{ ref('stg_safestats__ambulance_london') }} as figure
left join {{ ref('safestats_ambulance_series') }} as series on figure.published_column = series.published_column
where figure.month_start_date is not null
