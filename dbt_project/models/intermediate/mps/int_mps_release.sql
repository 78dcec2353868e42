select
    load_id,
    dataset,
    category_vintage,
    release_date,
    landed_at,
    first_month_start_date,
    last_month_start_date,
    -- The 24-month file is re-cut every month. What the newest of them no longer has, a month or a category, is final.
    dataset = 'borough_recent'
    and row_number() over (partition by dataset order by release_date desc, landed_at desc, load_id desc) = 1 as is_provisional,
    dataset || ' ' || release_date || ' sha256:' || left(sha256, 8) as source_release
from {{ ref('stg_ops__load') }}
where source = 'mps' and dataset in ('borough_historical', 'borough_recent')
