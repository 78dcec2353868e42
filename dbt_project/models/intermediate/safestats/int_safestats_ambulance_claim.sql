with spoken as (
    select distinct
        load_id,
        measure_code,
        month_start_date
    from {{ ref('int_safestats_ambulance_cell') }}
)

select
    spoken.measure_code,
    spoken.month_start_date,
    spoken.load_id,
    load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release,
    (row_number() over newest_first)::integer as claim_number,
    (count(*) over (partition by spoken.measure_code, spoken.month_start_date))::integer as claim_count
from spoken
inner join {{ ref('stg_ops__load') }} as load on spoken.load_id = load.load_id
window newest_first as (
    partition by spoken.measure_code, spoken.month_start_date
    order by load.release_date desc, load.landed_at desc, load.load_id desc
)
