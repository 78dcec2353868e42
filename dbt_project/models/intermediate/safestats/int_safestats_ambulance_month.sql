-- Of each measure and month the newest edition speaks.
select
    cells.measure_code,
    cells.area_code,
    cells.month_start_date,
    cells.load_id,
    claims.source_release,
    false as is_provisional,
    cells.month_count
from {{ ref('int_safestats_ambulance_cell') }} as cells
inner join {{ ref('int_safestats_ambulance_claim') }} as claims
    on
        cells.load_id = claims.load_id
        and cells.measure_code = claims.measure_code
        and cells.month_start_date = claims.month_start_date
where claims.claim_number = 1
