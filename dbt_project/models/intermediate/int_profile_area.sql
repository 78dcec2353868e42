select
    borough_code as area_code,
    'borough' as area_type
from {{ ref('boroughs') }}
union all
select
    area_code,
    area_type
from {{ ref('other_areas') }}
where area_code in ('LONDON_32', 'INNER', 'OUTER')
