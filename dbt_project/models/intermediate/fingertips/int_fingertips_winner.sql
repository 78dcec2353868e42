-- An indicator is released by itself, so of each the newest load that has it speaks. A body that ends with an earlier period is an
-- older copy, whenever it came: landed by hand under another name it would take the newest year away.
with present as (
    select
        load_id,
        indicator_id,
        max(time_period_sortable) as newest_period
    from {{ ref('stg_fingertips__data') }}
    group by load_id, indicator_id
)

select distinct on (present.indicator_id)
    present.indicator_id,
    present.load_id,
    load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release
from present
inner join {{ ref('stg_ops__load') }} as load on present.load_id = load.load_id
order by
    present.indicator_id asc,
    present.newest_period desc,
    load.release_date desc,
    load.landed_at desc,
    load.sha256 desc
