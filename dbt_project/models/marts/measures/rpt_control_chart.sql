select
    win.area_code,
    area.area_name,
    win.measure_code,
    measure.measure_name,
    win.month_start_date,
    win.month_count,
    win.chart_centre,
    win.chart_lower,
    -- The upper limit is three standard deviations above the centre; the lower one may end at 0.
    case
        when win.chart_centre is not null
            then round(greatest(win.chart_centre - 2 * (win.chart_upper - win.chart_centre) / 3, 0)::numeric, 2)::double precision
    end as chart_warning_lower,
    round((win.chart_centre + 2 * (win.chart_upper - win.chart_centre) / 3)::numeric, 2)::double precision as chart_warning_upper,
    win.chart_upper,
    win.chart_signal,
    win.chart_centre >= {{ var('fewest_events_a_month') }} as has_enough_events,
    broken.break_kinds,
    broken.break_labels,
    coalesce(broken.is_cut, false) as is_cut,
    win.value_note,
    win.source_release,
    win.is_provisional
from {{ ref('fct_window') }} as win
inner join {{ ref('dim_area') }} as area on win.area_code = area.area_code
inner join {{ ref('dim_measure') }} as measure on win.measure_code = measure.measure_code
left join {{ ref('series_break_month') }} as broken
    on win.area_code = broken.area_code and win.measure_code = broken.measure_code and win.month_start_date = broken.month_start_date
where win.sex = 'all' and win.age_band = 'all'
