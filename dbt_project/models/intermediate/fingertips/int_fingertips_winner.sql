-- An indicator is released by itself, so of each the newest load that has it speaks.
with present as (
    select distinct
        load_id,
        indicator_id
    from {{ ref('stg_fingertips__data') }}
)

select distinct on (present.indicator_id)
    present.indicator_id,
    present.load_id,
    load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release
from present
inner join {{ ref('stg_ops__load') }} as load on present.load_id = load.load_id
order by
    present.indicator_id asc,
    load.release_date desc,
    load.landed_at desc,
    load.load_id desc
