-- Of each measure and month the newest release speaks.
with cells as (
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
),

winner as (
    select distinct on (spoken.measure_code, spoken.month_start_date)
        spoken.measure_code,
        spoken.month_start_date,
        load.load_id,
        load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release
    from (select distinct
        cells.load_id,
        cells.measure_code,
        cells.month_start_date
    from cells) as spoken
    inner join {{ ref('stg_ops__load') }} as load on spoken.load_id = load.load_id
    order by
        spoken.measure_code asc,
        spoken.month_start_date asc,
        load.release_date desc,
        load.landed_at desc,
        load.load_id desc
)

select
    cells.measure_code,
    cells.area_code,
    cells.month_start_date,
    cells.load_id,
    winner.source_release,
    false as is_provisional,
    cells.month_count
from cells
inner join winner
    on
        cells.load_id = winner.load_id
        and cells.measure_code = winner.measure_code
        and cells.month_start_date = winner.month_start_date
