select
    m.area_code, m.measure_code, m.measure_name, m.window_start_date, m.window_end_date, m.window_count, m.rate_per, m.rate, m.london_rate,
    m.significance_against_london, m.is_provisional, m.source_release
from marts.rpt_borough_measure as m
where
    m.area_code = any(%(areas)s) and m.window_kind = 'financial_year' and m.sex = 'all' and m.age_band = 'all' and m.rate is not null
    and m.month_start_date = any(array(select distinct year_start_date + interval '11 months' from marts.bi_financial_year where year_start_date >= date '2019-04-01')::date[])
    and m.measure_code in (
        'sv_core_separable', 'mps_violence_with_injury', 'mps_violence_without_injury_incl_stalking', 'mps_robbery_personal',
        'mps_weapons_possession', 'mps_rape', 'mps_other_sexual_offences', 'mps_stalking_harassment', 'mps_public_order', 'mps_criminal_damage',
        'mps_drug_trafficking', 'mps_homicide_victims'
    )
order by m.area_code, m.measure_name, m.window_start_date
