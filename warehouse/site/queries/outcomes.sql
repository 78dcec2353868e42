-- The newest month of recording that has been followed for a year, or for as long as any.
with followed as (
    select distinct on (area_code, measure_code)
        area_code, measure_code, month_start_date
    from marts.rpt_crime_outcome
    where months_followed is not null
    order by area_code, measure_code, abs(months_followed - 12), month_start_date desc
)

select
    o.area_code, o.measure_code, o.month_start_date, o.months_followed, o.outcome_code, o.crime_count, o.cohort_count, o.share_percent,
    o.share_lower_95_percent, o.share_upper_95_percent, o.value_note, o.source_release
from marts.rpt_crime_outcome as o
inner join followed as f on o.area_code = f.area_code and o.measure_code = f.measure_code and o.month_start_date = f.month_start_date
where
    o.area_code = any(%(areas)s)
    and o.measure_code in ('police_uk_metropolitan_violence_and_sexual_offences', 'police_uk_metropolitan_robbery', 'police_uk_metropolitan_all_crime')
order by o.area_code, o.measure_code, o.share_percent desc nulls last, o.outcome_code
