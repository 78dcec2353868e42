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
    t.area_code, t.measure_code, t.measure_name, t.month_start_date, t.rolling_12_count, t.rate_per, t.rate, t.rate_lower_95, t.rate_upper_95,
    t.london_rate, t.similar_areas_rate, t.is_newest, t.is_provisional, b.break_kind, b.break_label,
    coalesce(w.hard_break_month_start_date > t.month_start_date - interval '11 months', false) as holds_break
from marts.bi_rolling_12 as t
inner join marts.fct_window as w
    on
        t.measure_code = w.measure_code and t.area_code = w.area_code and t.month_start_date = w.month_start_date
        and w.sex = 'all' and w.age_band = 'all'
left join breaks as b on t.area_code = b.area_code and t.measure_code = b.measure_code and t.month_start_date = b.break_month
where
    t.area_code = any(%(areas)s)
    and t.month_start_date > (select max(period_end_date) - interval '120 months' from marts.bi_latest_12_months)
    and t.measure_code in (
        'sv_core_separable', 'mps_homicide', 'mps_violence_with_injury', 'mps_robbery_personal', 'mps_weapons_possession', 'mps_rape',
        'mps_knife_crime', 'safestats_las_assaults'
    )
order by t.area_code, t.measure_code, t.month_start_date
