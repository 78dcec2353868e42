-- Weights of the European Standard Population for the bands a source has: those of five years, or whole numbers of them.
with weight as (
    select
        bands.age_band,
        sum(standard.standard_population)::numeric as standard_population
    from (
        select distinct age_band from {{ ref('int_profile_count') }}
        where is_by_age and age_band ~ '^\d'
    ) as bands
    inner join {{ ref('esp2013') }} as standard
        on
            split_part(replace(standard.age_band, '+', '-'), '-', 1)::integer
            >= split_part(replace(bands.age_band, '+', '-'), '-', 1)::integer
            and (
                bands.age_band like '%+'
                or split_part(standard.age_band || '-999', '-', 2)::integer <= split_part(bands.age_band, '-', 2)::integer
            )
    where bands.age_band <> '0-24'
    group by bands.age_band
)

select
    rows_by_age.area_code,
    rows_by_age.measure_code,
    rows_by_age.period_kind,
    rows_by_age.period_start_date,
    rows_by_age.sex,
    sum(rows_by_age.person_count) as events,
    sum(weight.standard_population * rows_by_age.person_count / (rows_by_age.residents * rows_by_age.months_held / 12.0)) / 100000
        as rate,
    sum(
        weight.standard_population * weight.standard_population * rows_by_age.person_count
        / (rows_by_age.residents * rows_by_age.months_held / 12.0) ^ 2
    ) / 100000.0 ^ 2 as variance
from {{ ref('report_victim_residents') }} as rows_by_age
inner join weight on rows_by_age.age_band = weight.age_band
where
    rows_by_age.is_standardised
    and rows_by_age.is_by_age
    and not rows_by_age.is_by_ethnicity
    and rows_by_age.is_known
    and rows_by_age.months_held = rows_by_age.whole_months
group by
    rows_by_age.area_code,
    rows_by_age.measure_code,
    rows_by_age.period_kind,
    rows_by_age.period_start_date,
    rows_by_age.sex
-- Nobody of an age without residents is known: a rate that leaves them out is none.
having bool_and(coalesce(rows_by_age.residents, 0) > 0)
