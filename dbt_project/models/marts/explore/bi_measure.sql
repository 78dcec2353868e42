select
    measure_code,
    measure_name,
    source,
    unit,
    polarity,
    rate_per,
    exactness,
    proxy_of,
    definition,
    caveat,
    licence,
    attribution
from {{ ref('dim_measure') }}
where is_summable_over_time
