select
    area_code,
    extract(year from period_start_date)::integer as year,
    sex,
    age_band,
    value::bigint as residents,
    source_release
from {{ ref('int_nomis_measure') }}
where measure_code = 'nomis_population' and ethnicity = 'all' and value is not null
