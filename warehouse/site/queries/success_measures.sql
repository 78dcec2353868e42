select
    s.area_code, s.success_measure_code, s.variant, s.success_measure_name, s.availability, s.measure_code, m.measure_name,
    s.period_start_date, s.period_end_date, s.numerator, s.value, s.lower_95, s.upper_95, s.baseline_start_date, s.baseline_end_date,
    s.baseline_value, s.significance, s.change_in_words, s.reason, s.feed_needed, s.classification, s.source_release
from marts.rpt_success_measures as s
left join marts.dim_measure as m on s.measure_code = m.measure_code
where s.is_page_row and s.area_code = any(%(areas)s)
order by s.area_code, s.success_measure_code, s.variant, s.answer_number
