select
    found.measure_code,
    found.site_code,
    found.area_code,
    found.month_start_date,
    found.weapon,
    found.place,
    found.weapon_group,
    found.place_group,
    -- Of a month of which too many have no area no area is told.
    case when unplaced.note is null then found.attendance_count end as attendance_count,
    (sum(found.attendance_count) over site_month)::bigint as site_count,
    {% for field in ['weapon', 'place'] %}
    round(
        100.0 * coalesce(sum(found.attendance_count) filter (where found.{{ field }}_group <> 'unknown') over site_month, 0)
        / sum(found.attendance_count) over site_month, 1
    )::double precision as {{ field }}_stated_percent,
    {% endfor %}
    unplaced.note as value_note,
    found.source_release
from {{ ref('int_safestats_ed_attendance') }} as found
left join {{ ref('int_unplaced_share') }} as unplaced
    on
        found.area_code <> 'UNALLOCATED'
        and found.measure_code = unplaced.measure_code
        and found.month_start_date = unplaced.month_start_date
        and unplaced.dimension = 'area'
        and unplaced.is_withheld
window site_month as (partition by found.measure_code, found.site_code, found.month_start_date)
