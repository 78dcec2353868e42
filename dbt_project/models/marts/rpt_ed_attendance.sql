select
    measure_code,
    site_code,
    area_code,
    month_start_date,
    weapon,
    place,
    weapon_group,
    place_group,
    attendance_count,
    (sum(attendance_count) over site_month)::bigint as site_count,
    {% for field in ['weapon', 'place'] %}
    round(
        100.0 * coalesce(sum(attendance_count) filter (where {{ field }}_group <> 'unknown') over site_month, 0)
        / sum(attendance_count) over site_month, 1
    )::double precision as {{ field }}_stated_percent,
    {% endfor %}
    source_release
from {{ ref('int_safestats_ed_attendance') }}
window site_month as (partition by measure_code, site_code, month_start_date)
