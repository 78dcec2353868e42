select
    m.area_code, m.area_name, m.measure_code, m.measure_name, m.month_start_date, m.window_count, m.chart_centre, m.chart_lower, m.chart_upper,
    m.chart_signal, m.is_provisional, m.source_release
from marts.rpt_borough_measure as m
inner join marts.dim_area as a on m.area_code = a.area_code
where
    m.window_kind = 'month' and m.sex = 'all' and m.age_band = 'all' and m.chart_signal <> 'none' and m.chart_centre >= %(fewest_a_month)s and a.is_in_london_32 and a.area_type = 'borough'
    and m.month_start_date = (select max(month_start_date) from marts.bi_month where measure_code = 'sv_core_separable')
    and m.measure_code in (
        'sv_core_separable', 'mps_homicide', 'mps_violence_with_injury', 'mps_violence_without_injury_incl_stalking', 'mps_robbery_personal',
        'mps_weapons_possession', 'mps_rape', 'mps_stalking_harassment', 'mps_theft_from_person', 'mps_public_order'
    )
order by m.chart_signal in ('eight_above_centre', 'eight_below_centre'), m.measure_name, m.area_name
