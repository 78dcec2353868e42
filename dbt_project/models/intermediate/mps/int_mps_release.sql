select
    load_id,
    dataset,
    category_vintage,
    release_date,
    landed_at,
    first_month_start_date,
    last_month_start_date,
    -- The 24-month file is re-cut every month, and its newest months move most.
    dataset = 'borough_recent' as is_provisional,
    dataset || ' ' || release_date || ' sha256:' || left(sha256, 8) as source_release
from {{ ref('stg_ops__load') }}
where source = 'mps' and dataset in ('borough_historical', 'borough_recent')
