select
    area_code, measure_code, measure_name, theme, period_kind, period_start_date, period_end_date, value, lower_95_limit, upper_95_limit,
    london_value, england_value, z_score, rank_in_london, boroughs_ranked, polarity, compared_to_london, compared_to_england, trend,
    lowest_z_score, z_score_ranked_24, z_score_ranked_16, z_score_ranked_8, highest_z_score, note, is_provisional, source_release
from marts.rpt_driver_comparison
where area_code = any(%(areas)s)
order by area_code, theme, measure_name
