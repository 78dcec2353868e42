-- The rungs are the figures of the boroughs that the mart ranks 1st, 8th, 16th, 24th and last: none is worked out here.
with newest as (
    select
        m.area_code, m.measure_code, m.measure_name, m.window_end_date, m.window_count, m.rate_per, m.rate, m.rate_lower_95, m.rate_upper_95,
        m.london_rate, m.similar_areas_rate, m.rank_in_london, m.significance_against_london, m.is_provisional, m.source_release
    from marts.rpt_borough_measure as m
    inner join marts.bi_latest_12_months as n
        on m.area_code = n.area_code and m.measure_code = n.measure_code and m.window_end_date = n.period_end_date
    where
        m.month_start_date = any(array(select distinct month_start_date from marts.bi_rolling_12 where is_newest))
        and m.window_kind = 'rolling_12' and m.sex = 'all' and m.age_band = 'all' and m.rate is not null and m.rank_in_london is not null
        and m.measure_code in (
            'sv_core_separable', 'mps_homicide_victims', 'mps_violence_with_injury', 'mps_violence_without_injury_incl_stalking',
            'mps_robbery_personal', 'mps_knife_crime', 'mps_knife_crime_with_injury', 'mps_gun_crime', 'mps_weapons_possession', 'mps_rape',
            'mps_other_sexual_offences', 'mps_stalking_harassment', 'mps_domestic_abuse', 'mps_hate_crime', 'mps_public_order',
            'mps_criminal_damage', 'mps_drug_trafficking', 'safestats_las_assaults', 'safestats_las_knife_injuries'
        )
),

rungs as (
    select
        measure_code,
        min(rate) as lowest_rate,
        min(rate) filter (where rank_in_london <= 24) as rate_ranked_24,
        min(rate) filter (where rank_in_london <= 16) as rate_ranked_16,
        min(rate) filter (where rank_in_london <= 8) as rate_ranked_8,
        max(rate) as highest_rate
    from newest
    group by measure_code
)

select
    n.*, r.lowest_rate, r.rate_ranked_24, r.rate_ranked_16, r.rate_ranked_8, r.highest_rate
from newest as n
inner join rungs as r on n.measure_code = r.measure_code
where n.area_code = any(%(areas)s)
order by n.area_code, n.measure_name
