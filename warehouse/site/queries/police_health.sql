select
    area_code, health_measure_code as measure_code, police_measure_code, period_start_date, period_end_date, health_count, police_count,
    health_per_police, health_per_police_lower_95, health_per_police_upper_95, london_health_per_police, index_to_london, compared_with_london,
    withheld_reason, caveat, classification, health_release, police_release as source_release
from marts.rpt_police_health
where area_code = any(%(areas)s) and period_kind = 'rolling_12_months'
order by area_code, health_measure_code, period_start_date
