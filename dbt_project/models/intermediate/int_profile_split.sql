-- Counts by the splits that are few enough to be shown: see rpt_victim_profile for the rule.
with measure as (
    select * from {{ ref('victim_profile_measure') }}
),

member as (
    select
        borough.borough_code as of_area_code,
        sums.area_code
    from {{ ref('boroughs') }} as borough
    cross join lateral (values (borough.borough_code), ('LONDON_32'), (upper(borough.ons_inner_outer))) as sums (area_code)
),

-- Months are summed before areas are: a year of a borough is small, whatever its months are.
summed as (
    select
        period.measure_code,
        period.period_kind,
        period.period_start_date,
        person.area_code,
        person.ethnicity_basis,
        person.sex,
        person.age_band,
        person.ethnicity,
        sum(person.person_count) as person_count
    from {{ ref('int_profile_person') }} as person
    inner join {{ ref('int_profile_month') }} as covered
        on person.measure_code = covered.measure_code and person.month_start_date = covered.month_start_date
    inner join {{ ref('int_profile_period') }} as period
        on
            person.measure_code = period.measure_code
            and person.month_start_date between period.period_start_date and period.period_end_date
    group by
        period.measure_code,
        period.period_kind,
        period.period_start_date,
        person.area_code,
        person.ethnicity_basis,
        person.sex,
        person.age_band,
        person.ethnicity
),

split as (
    select
        person.measure_code,
        person.period_kind,
        person.period_start_date,
        member.area_code,
        person.ethnicity_basis,
        grouping(person.sex) = 0 as is_by_sex,
        grouping(person.age_band) = 0 as is_by_age,
        grouping(person.ethnicity) = 0 as is_by_ethnicity,
        coalesce(person.sex, 'all') as sex,
        coalesce(person.age_band, 'all') as age_band,
        coalesce(person.ethnicity, 'all') as ethnicity,
        sum(person.person_count)::bigint as person_count
    from summed as person
    inner join member on person.area_code = member.of_area_code
    group by
        person.measure_code,
        person.period_kind,
        person.period_start_date,
        member.area_code,
        person.ethnicity_basis,
        grouping sets (
            (), (person.sex), (person.age_band), (person.ethnicity), (person.sex, person.age_band), (person.age_band, person.ethnicity)
        )
),

shown as (
    select split.*
    from split
    inner join measure on split.measure_code = measure.measure_code
    inner join {{ ref('int_profile_area') }} as area on split.area_code = area.area_code
    where
        -- A measure without ages or ethnicities has no split but the whole.
        (not split.is_by_ethnicity or measure.ethnicity_basis <> 'not_split')
        and (split.is_by_ethnicity or split.ethnicity_basis = measure.ethnicity_basis)
        and (not (split.is_by_sex or split.is_by_age) or measure.ethnicity_basis <> 'not_split' or measure.is_standardised)
        -- The rule on small numbers.
        and (
            area.area_type = 'aggregate'
            or not (split.is_by_sex or split.is_by_age or split.is_by_ethnicity)
            or (
                measure.is_split_in_boroughs
                and not (split.is_by_age and split.is_by_ethnicity)
                and (not measure.is_rare or (split.period_kind = 'rolling_36_months' and not (split.is_by_sex and split.is_by_age)))
            )
        )
        and (area.area_type = 'aggregate' or not measure.is_rare or split.period_kind = 'rolling_36_months')
)

-- Under 25 is what the Duty asks for: the bands that end by 24 are whole within it in every source.
select * from shown
union all
select
    measure_code,
    period_kind,
    period_start_date,
    area_code,
    ethnicity_basis,
    is_by_sex,
    is_by_age,
    is_by_ethnicity,
    sex,
    '0-24' as age_band,
    ethnicity,
    sum(person_count)::bigint as person_count
from shown
where is_by_age and case when age_band ~ '^\d+-\d+$' then split_part(age_band, '-', 2)::integer end <= 24
group by
    measure_code,
    period_kind,
    period_start_date,
    area_code,
    ethnicity_basis,
    is_by_sex,
    is_by_age,
    is_by_ethnicity,
    sex,
    ethnicity
