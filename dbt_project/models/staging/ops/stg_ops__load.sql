select
    load_id,
    source,
    dataset,
    release_date,
    sha256,
    part,
    landed_at,
    classification as category_vintage,
    date_trunc('month', first_period)::date as first_month_start_date,
    date_trunc('month', last_period)::date as last_month_start_date,
    rows_in_file,
    rows_loaded,
    rows_quarantined,
    is_synthetic
from {{ source('ops', 'load') }}
where state = 'loaded'
