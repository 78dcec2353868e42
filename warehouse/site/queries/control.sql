select
    area_code, measure_code, measure_name, month_start_date, month_count, chart_centre, chart_lower, chart_warning_lower, chart_warning_upper,
    chart_upper, chart_signal, has_enough_events, break_kinds, break_labels, is_cut, is_provisional, value_note, source_release
from marts.rpt_control_chart
where
    area_code = any(%(areas)s) and measure_code = any(%(headlines)s)
    and month_start_date > (select max(window_end_date) - interval '36 months' from marts.rpt_borough_comparison)
order by area_code, measure_code, month_start_date
