with breaks as materialized (
    select
        a.area_code, s.measure_code, s.break_month,
        string_agg(s.break_kind, ', ' order by s.break_kind) as break_kind,
        string_agg(s.break_label, '; ' order by s.break_kind) as break_label
    from marts.series_break as s
    inner join marts.dim_area as a on coalesce(s.area_code, a.area_code) = a.area_code
    group by a.area_code, s.measure_code, s.break_month
)

select
    m.area_code, m.measure_code, m.measure_name, m.month_start_date, m.window_count, m.chart_centre, m.chart_lower, m.chart_upper,
    m.chart_signal, m.is_provisional, m.value_note, m.source_release, b.break_kind, b.break_label
from marts.rpt_borough_measure as m
left join breaks as b on m.area_code = b.area_code and m.measure_code = b.measure_code and m.month_start_date = b.break_month
where
    m.area_code = any(%(areas)s) and m.window_kind = 'month' and m.sex = 'all' and m.age_band = 'all'
    and m.measure_code in (
        'sv_core_separable', 'mps_homicide', 'mps_violence_with_injury', 'mps_robbery_personal', 'mps_weapons_possession', 'mps_rape',
        'mps_knife_crime', 'safestats_las_assaults'
    )
    and m.month_start_date > (select max(period_end_date) - interval '36 months' from marts.bi_latest_12_months)
order by m.area_code, m.measure_code, m.month_start_date
