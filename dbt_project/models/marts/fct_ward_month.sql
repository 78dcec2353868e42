select
    ward_code,
    ward_name,
    area_code,
    month_start_date,
    {% for column, measure in mps_small_area_measures('ward') %}
    {{ column }},
    {% endfor %}
    source_release,
    is_provisional
from {{ ref('int_mps_ward_month') }}
