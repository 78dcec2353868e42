-- A candidate has not been told to anyone. The publisher has what was: marts_open.first_told.
select
    measure_code,
    period_start_date,
    '' as counts_hash,
    false as has_small
from {{ ref('fct_measure') }}
where false
