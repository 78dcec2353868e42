select distinct
    area_code, measure_code, site_code, month_start_date, site_count, weapon_stated_percent, place_stated_percent, source_release
from marts.rpt_ed_attendance
where area_code = any(%(areas)s)
order by area_code, measure_code, site_code, month_start_date
