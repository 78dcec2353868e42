select
    area_code, area_name, measure_code, measure_name, window_start_date, window_end_date, window_count, denominator, rate_per, rate, rate_lower_95,
    rate_upper_95, london_rate, similar_areas_rate, rank_in_london, rank_basis, share_of_london_percent, significance_against_london,
    funnel_lower_95, funnel_upper_95, funnel_lower_998, funnel_upper_998, count_year_before, change_on_year_before_percent,
    is_comparable_on_year_before, residents_caveat, value_note, is_provisional, source_release
from marts.rpt_borough_comparison
where measure_code = any(%(headlines)s)
order by measure_code, rank_in_london, area_name
