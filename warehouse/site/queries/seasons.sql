select
    area_code, measure_code, period_start_date, period_end_date, dimension, dimension_value, event_count, known_count, share_percent,
    share_lower_95_percent, share_upper_95_percent, expected_share_percent, index_to_expected, has_series_break, value_note, source_release
from marts.rpt_temporal_profile
where area_code = any(%(areas)s) and period_kind = 'whole_years' and measure_code = 'mps_violence_with_injury' and dimension = 'month_of_year'
order by area_code, dimension_value
