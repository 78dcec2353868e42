select
    m.area_code, m.area_name, m.measure_code, m.measure_name, m.window_start_date, m.window_end_date, m.window_count, m.denominator,
    m.rate_per, m.rate, m.rate_lower_95, m.rate_upper_95, m.london_rate, m.similar_areas_rate, m.rank_in_london, m.rank_basis,
    m.share_of_london_percent, m.significance_against_london, m.count_year_before, m.change_on_year_before_percent,
    m.is_comparable_on_year_before, m.residents_caveat, m.value_note, m.is_provisional, m.source_release
from marts.rpt_borough_measure as m
inner join marts.bi_latest_12_months as n
    on m.area_code = n.area_code and m.measure_code = n.measure_code and m.window_end_date = n.period_end_date
where
    m.month_start_date = any(array(select distinct month_start_date from marts.bi_rolling_12 where is_newest))
    and m.window_kind = 'rolling_12' and m.sex = 'all' and m.age_band = 'all'
    and m.measure_code in (
        'sv_core_separable', 'mps_homicide', 'mps_violence_with_injury', 'mps_robbery_personal', 'mps_weapons_possession', 'mps_rape',
        'mps_knife_crime', 'safestats_las_assaults'
    )
order by m.measure_code, m.rank_in_london, m.area_name
