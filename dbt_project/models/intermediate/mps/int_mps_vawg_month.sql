with winner as (
    select distinct on (covered.month_start_date)
        covered.month_start_date::date as month_start_date,
        load.load_id,
        load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release
    from {{ ref('stg_ops__load') }} as load
    cross join
        lateral generate_series(
            load.first_month_start_date::timestamp, load.last_month_start_date::timestamp, interval '1 month'
        )
            as covered (month_start_date)
    where load.source = 'mps' and load.dataset = 'vawg'
    order by
        covered.month_start_date asc,
        load.release_date desc,
        load.landed_at desc,
        load.load_id desc
),

-- The same offences stand in the sheets by class, by age and by ethnic group again: one sheet counts them.
counted as (
    select
        load_id,
        month_start_date,
        area_code,
        sum(recorded_count) as month_count
    from {{ ref('stg_mps__vawg') }}
    where is_offence_by_place
    group by load_id, month_start_date, area_code
),

covered_area as (
    select
        loads.load_id,
        boroughs.borough_code as area_code
    from (select distinct load_id from counted) as loads
    cross join {{ ref('boroughs') }} as boroughs
    union
    select
        load_id,
        area_code
    from counted
)

select
    'mps_vawg_offences' as measure_code,
    covered_area.area_code,
    winner.month_start_date,
    winner.load_id,
    winner.source_release,
    winner.month_start_date > max(winner.month_start_date) over () - interval '{{ var('revised_months') }} months' as is_provisional,
    coalesce(counted.month_count, 0)::bigint as month_count
from winner
inner join covered_area on winner.load_id = covered_area.load_id
left join counted
    on
        winner.load_id = counted.load_id
        and winner.month_start_date = counted.month_start_date
        and covered_area.area_code = counted.area_code
