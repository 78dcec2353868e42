select
    r.area_code, r.measure_code, m.measure_name, r.period_start_date, r.earlier_value, r.value, r.difference, r.difference_percent,
    r.earlier_release, r.source_release
from marts.rpt_revision as r
inner join marts.dim_measure as m on r.measure_code = m.measure_code
where
    r.compared_with = 'previous' and r.sex = 'all' and r.age_band = 'all' and r.ethnicity = 'all' and r.area_code = any(%(areas)s)
    and r.measure_code in (
        'mps_homicide', 'mps_violence_with_injury', 'mps_robbery_personal', 'mps_weapons_possession', 'mps_rape', 'mps_knife_crime',
        'mps_knife_crime_with_injury', 'mps_gun_crime', 'safestats_las_assaults', 'sv_core_separable'
    )
    and r.period_start_date > (select max(period_start_date) - interval '24 months' from marts.rpt_revision)
order by r.area_code, r.period_start_date desc, r.measure_code
