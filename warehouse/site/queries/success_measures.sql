select
    area_code, success_measure_code, variant, success_measure_name, availability, measure_code, period_start_date, period_end_date,
    numerator, value, lower_95, upper_95, baseline_start_date, baseline_end_date, baseline_value, significance, change_in_words,
    reason, feed_needed, classification, source_release
from marts.rpt_success_measures
where is_page_row and area_code = any(%(areas)s)
order by area_code, success_measure_code, variant, answer_number
