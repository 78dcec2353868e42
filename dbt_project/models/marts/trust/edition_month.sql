select
    area_level,
    month_start_date,
    source_release
from {{ ref('int_mps_small_area_winner') }}
union all
select
    'lsoa_police_uk' as area_level,
    month_start_date,
    dataset || ' ' || release_date || ' sha256:' || sha as source_release
from {{ ref('int_police_uk_force_month') }}
where dataset = 'street' and force_code = 'metropolitan' and state = 'loaded'
