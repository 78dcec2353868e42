select
    ward.ward_code,
    ward.ward_name,
    ward.area_code,
    ward.month_start_date,
    {% for column, measure in mps_small_area_measures('ward') %}
    ward.{{ column }},
    {% endfor %}
    residents.residents,
    residents.residents_year,
    ward.source_release,
    ward.is_provisional
from {{ ref('int_mps_ward_month') }} as ward
left join {{ ref('int_nomis_ward_residents') }} as residents on ward.ward_code = residents.ward_code
