with present as (
    select distinct
        load_id,
        measure_code
    from {{ ref('int_mps_dashboard_cell') }}
),

winner as (
    select distinct on (present.measure_code, covered.month_start_date)
        present.measure_code,
        covered.month_start_date::date as month_start_date,
        release.load_id,
        release.source_release
    from present
    inner join {{ ref('int_mps_dashboard_release') }} as release on present.load_id = release.load_id
    cross join
        lateral generate_series(
            release.first_month_start_date::timestamp, release.last_month_start_date::timestamp, interval '1 month'
        )
            as covered (month_start_date)
    where release.is_whole
    order by
        present.measure_code asc,
        covered.month_start_date asc,
        release.release_date desc,
        release.landed_at desc,
        release.load_id desc
),

-- The files are sparse: a borough without a row had none.
covered_area as (
    select
        release.load_id,
        boroughs.borough_code as area_code
    from {{ ref('int_mps_dashboard_release') }} as release
    cross join {{ ref('boroughs') }} as boroughs
    union
    select
        load_id,
        area_code
    from {{ ref('int_mps_dashboard_cell') }}
)

select
    winner.measure_code,
    covered_area.area_code,
    winner.month_start_date,
    winner.load_id,
    winner.source_release,
    -- Each of the four years or so in a file may be revised by the next.
    true as is_provisional,
    coalesce(cell.recorded_count, 0)::bigint as month_count
from winner
inner join covered_area on winner.load_id = covered_area.load_id
left join {{ ref('int_mps_dashboard_cell') }} as cell
    on
        winner.load_id = cell.load_id
        and winner.measure_code = cell.measure_code
        and winner.month_start_date = cell.month_start_date
        and covered_area.area_code = cell.area_code
