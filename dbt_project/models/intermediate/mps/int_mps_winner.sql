-- Of each measure and month the newest edition speaks.
select
    measure_code,
    month_start_date,
    load_id,
    source_release,
    is_provisional
from {{ ref('int_mps_claim') }}
where claim_number = 1
