select
    area_code, area_name, measure_code, measure_name, month_start_date, month_count, chart_centre, chart_lower, chart_upper, chart_signal,
    is_provisional, source_release
from marts.rpt_control_chart
where
    chart_signal <> 'none' and has_enough_events and area_code = any(array(select distinct area_code from marts.rpt_borough_comparison))
    and month_start_date = (
        select max(month_start_date) from marts.rpt_control_chart where measure_code = 'sv_core_separable' and month_count is not null
    )
    and measure_code in (
        'sv_core_separable', 'mps_homicide', 'mps_violence_with_injury', 'mps_violence_without_injury_incl_stalking', 'mps_robbery_personal',
        'mps_weapons_possession', 'mps_rape', 'mps_stalking_harassment', 'mps_theft_from_person', 'mps_public_order'
    )
order by chart_signal in ('eight_above_centre', 'eight_below_centre'), measure_name, area_name
