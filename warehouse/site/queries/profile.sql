select
    area_code, measure_code, measure_name, window_end_date, window_count, rate_per, rate, rate_lower_95, rate_upper_95, london_rate,
    similar_areas_rate, rank_in_london, significance_against_london, lowest_rate, rate_ranked_24, rate_ranked_16, rate_ranked_8, highest_rate,
    is_provisional, source_release
from marts.rpt_borough_comparison
where
    area_code = any(%(areas)s) and rate is not null and rank_in_london is not null
    and measure_code in (
        'sv_core_separable', 'mps_homicide_victims', 'mps_violence_with_injury', 'mps_violence_without_injury_incl_stalking',
        'mps_robbery_personal', 'mps_knife_crime', 'mps_knife_crime_with_injury', 'mps_gun_crime', 'mps_weapons_possession', 'mps_rape',
        'mps_other_sexual_offences', 'mps_stalking_harassment', 'mps_domestic_abuse', 'mps_hate_crime', 'mps_public_order',
        'mps_criminal_damage', 'mps_drug_trafficking', 'safestats_las_assaults', 'safestats_las_knife_injuries'
    )
order by area_code, measure_name
