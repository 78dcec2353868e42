select
    load_id,
    split_part(dataset, '_', 1) as area_level,
    dataset,
    category_vintage,
    release_date,
    landed_at,
    first_month_start_date,
    last_month_start_date,
    -- The 24-month file is re-cut every month. What the newest of them no longer has is final.
    dataset like '%recent'
    and row_number() over (partition by dataset order by release_date desc, landed_at desc, load_id desc) = 1 as is_provisional,
    dataset || ' ' || release_date || ' sha256:' || left(sha256, 8) as source_release
from {{ ref('stg_ops__load') }}
where source = 'mps' and dataset in ('ward_historical', 'ward_recent', 'lsoa_historical', 'lsoa_recent')
