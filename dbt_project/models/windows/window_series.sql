-- A series is what windows run along: the months of a measure, area, sex and age band. Numbered, because to sort and join by four texts takes
-- most of the time of what is made from it.
with series as (
    select distinct
        measure_code,
        area_code,
        sex,
        age_band
    from {{ ref('fct_measure') }}
    where period_kind = 'month' and ethnicity = 'all'
),

told as (
    select
        series.measure_code,
        series.area_code,
        series.sex,
        series.age_band,
        area.is_in_london_32 as is_borough,
        case
            when series.sex = 'all' and series.age_band = 'all' then split_part(measure.denominator_population, ':', 1)
            when measure.denominator_population is not null then series.sex
        end as residents_sex,
        case
            when series.sex = 'all' and series.age_band = 'all' then split_part(measure.denominator_population, ':', 2)
            when measure.denominator_population is not null then series.age_band
        end as residents_age_band
    from series
    inner join {{ ref('dim_measure') }} as measure on series.measure_code = measure.measure_code
    inner join {{ ref('dim_area') }} as area on series.area_code = area.area_code
    where measure.is_summable_over_time
)

select
    row_number() over (order by measure_code, sex, age_band, area_code)::integer as series_id,
    dense_rank() over (order by measure_code, sex, age_band)::integer as ranking_id,
    *
from told
