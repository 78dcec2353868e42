-- Every published file has all 32 boroughs. One with rows of less than half is a piece that somebody cut out: what it lacks is not 0.
with borough as (
    select
        cell.load_id,
        count(distinct cell.area_code) as borough_count
    from {{ ref('int_mps_dashboard_cell') }} as cell
    inner join {{ ref('boroughs') }} as boroughs on cell.area_code = boroughs.borough_code
    group by cell.load_id
)

select
    load.load_id,
    load.dataset,
    load.release_date,
    load.landed_at,
    load.first_month_start_date,
    load.last_month_start_date,
    coalesce(borough.borough_count, 0) as borough_count,
    coalesce(borough.borough_count, 0) >= 16 as is_whole,
    row_number() over (
        partition by load.dataset, coalesce(borough.borough_count, 0) >= 16
        order by load.release_date desc, load.landed_at desc, load.load_id desc
    ) = 1 and coalesce(borough.borough_count, 0) >= 16 as is_newest,
    load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release
from {{ ref('stg_ops__load') }} as load
left join borough on load.load_id = borough.load_id
where load.source = 'mps' and load.dataset in ('dashboard_tno', 'dashboard_knife', 'dashboard_other')
