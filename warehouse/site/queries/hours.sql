select
    area_code, measure_code, period_start_date, period_end_date, months_held, dimension, dimension_value, event_count, known_count, share_percent,
    share_lower_95_percent, share_upper_95_percent, expected_share_percent, index_to_expected, value_note, classification, source_release
from marts.rpt_temporal_profile
where
    area_code = any(%(areas)s) and period_kind = 'rolling_12_months'
    and measure_code in ('safestats_mps_violence_events', 'safestats_las_violence_dispatches')
    and dimension in ('weekday_hour', 'weekday_4_hours', 'school_day_hour', 'time_quality', 'day_kind', 'night_time_economy')
order by area_code, measure_code, dimension, dimension_value
