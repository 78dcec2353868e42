select
    area_code, role, measure_code, period_start_date, period_end_date, months_held, sex, age_band, ethnicity, ethnicity_basis, person_count,
    whole_count, known_count, share_percent, share_lower_95_percent, share_upper_95_percent, share_of_known_percent, residents_share_percent, disproportionality, disproportionality_lower_95,
    disproportionality_upper_95, rate_per_100000, rate_lower_95, rate_upper_95, is_below_5, withheld_reason, residents_caveat, has_series_break,
    classification, source_release
from marts.rpt_victim_profile
where
    area_code = any(%(areas)s)
    and (
        measure_code = 'mps_homicide_victims' and period_kind = 'rolling_36_months'
        or measure_code in ('safestats_las_violence_dispatches', 'police_uk_people_searched') and period_kind = 'rolling_12_months'
    )
    and (
        measure_code, area_code, period_start_date
    ) in (
        select measure_code, area_code, max(period_start_date) from marts.rpt_victim_profile
        where period_kind in ('rolling_12_months', 'rolling_36_months') group by measure_code, area_code
    )
order by area_code, measure_code, ethnicity_basis, sex, age_band, ethnicity
