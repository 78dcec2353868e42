select
    area_code, measure_code, weapon_group, place_group, min(month_start_date) as first_month, max(month_start_date) as last_month,
    sum(attendance_count)::bigint as attendance_count, string_agg(distinct source_release, ', ' order by source_release) as source_release
from marts.rpt_ed_attendance
where area_code = any(%(areas)s)
group by area_code, measure_code, weapon_group, place_group
order by area_code, measure_code, weapon_group, place_group
