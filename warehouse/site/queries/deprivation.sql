select
    area_code, measure_code, window_start_date, window_end_date, index_code, domain, quintile_basis, quintile, place_count, numerator, denominator,
    rate_per_1000, rate_per_1000_lower_95, rate_per_1000_upper_95, share_of_count_percent, share_of_residents_percent, slope_index_per_1000,
    relative_index_of_inequality, ratio_most_to_least_deprived, ratio_lower_95, ratio_upper_95, located_share_percent, note, is_provisional,
    source_release
from marts.rpt_deprivation
where
    area_code = any(%(areas)s) and place_level = 'lsoa' and domain = 'imd' and quintile_basis = 'london'
    and measure_code in ('mps_violence_with_injury', 'mps_robbery_personal', 'mps_weapons_possession')
order by area_code, measure_code, index_code, quintile
