with present as (
    select distinct
        load_id,
        measure_code
    from {{ ref('int_mps_dashboard_cell') }}
)

select
    present.measure_code,
    covered.month_start_date::date as month_start_date,
    release.load_id,
    release.source_release,
    (row_number() over newest_first)::integer as claim_number,
    (count(*) over (partition by present.measure_code, covered.month_start_date))::integer as claim_count
from present
inner join {{ ref('int_mps_dashboard_release') }} as release on present.load_id = release.load_id
cross join
    lateral generate_series(
        release.first_month_start_date::timestamp, release.last_month_start_date::timestamp, interval '1 month'
    )
        as covered (month_start_date)
where release.is_whole
window newest_first as (
    partition by present.measure_code, covered.month_start_date
    order by release.release_date desc, release.landed_at desc, release.load_id desc
)
