select
    area_code, measure_code, small_area_code, small_area_name, window_start_date, window_end_date, count_12_months, previous_count_12_months,
    rank_in_borough, share_of_borough_percent, cumulative_share_of_borough_percent,
    rate_per_1000, rate_per_1000_lower_95, rate_per_1000_upper_95, class_in_borough, change_in_words, note, is_provisional, source_release
from marts.rpt_hotspots
where
    area_level = 'ward' and area_code = any(%(areas)s)
    and measure_code in ('mps_violence_with_injury', 'mps_robbery_personal', 'mps_weapons_possession')
order by area_code, measure_code, rank_in_borough, small_area_name
