select
    area_code, measure_code, month_start_date, month_count, count_12_months, previous_count_12_months, change_on_year_12_months_percent,
    per_1000_incidents_12_months, is_comparable_12_months, source_release
from marts.rpt_ambulance_month
where
    area_code = any(%(areas)s)
    and measure_code in ('safestats_las_assaults', 'safestats_las_knife_injuries', 'safestats_las_gun_injuries')
order by area_code, measure_code, month_start_date
