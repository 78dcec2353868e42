select
    t.area_code, t.measure_code, t.measure_name, t.month_start_date, t.rolling_12_count, t.rate_per, t.rate, t.rate_lower_95, t.rate_upper_95,
    t.london_rate, t.similar_areas_rate, t.is_newest, t.is_provisional, t.holds_break, b.break_kinds, b.break_labels,
    coalesce(b.is_cut, false) as is_cut
from marts.bi_rolling_12 as t
left join marts.series_break_month as b
    on t.area_code = b.area_code and t.measure_code = b.measure_code and t.month_start_date = b.month_start_date
where
    t.area_code = any(%(areas)s) and t.measure_code = any(%(headlines)s)
    and t.month_start_date > (select max(window_end_date) - interval '120 months' from marts.rpt_borough_comparison)
order by t.area_code, t.measure_code, t.month_start_date
