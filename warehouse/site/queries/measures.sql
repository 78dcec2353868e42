select
    measure_code, measure_name, unit, polarity, rate_per, exactness, proxy_of, proxy_reason, definition, caveat, licence, attribution, source,
    classification
from marts.dim_measure
order by measure_code
