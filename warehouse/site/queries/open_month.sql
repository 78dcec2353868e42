select
    area_code, area_name, measure_code, measure_name, period_start_date, value, is_suppressed, value_note, is_provisional, unit, caveat, licence,
    attribution
from marts_open.measure
where
    area_code = any(%(areas)s) and period_kind = 'month' and sex = 'all' and age_band = 'all' and ethnicity = 'all'
    and measure_code = 'safestats_las_assaults'
order by area_code, measure_code, period_start_date
