with measure as (
    select
        profile.*,
        catalogue.source,
        btrim(split_part(catalogue.datasets, ',', 1)) as dataset
    from {{ ref('victim_profile_measure') }} as profile
    inner join {{ ref('dim_measure') }} as catalogue on profile.measure_code = catalogue.measure_code
),

years_of_estimate as (
    select distinct year from {{ ref('int_residents_band') }}
),

span as (
    select distinct
        period_start_date,
        period_end_date
    from {{ ref('int_profile_count') }}
),

-- The estimate of the year in which the middle of the period lies; while that is not out, of the newest year before.
period as (
    select
        spans.period_start_date,
        spans.period_end_date,
        max(estimates.year) as residents_year
    from span as spans
    left join years_of_estimate as estimates
        on estimates.year <= extract(year from spans.period_start_date + (spans.period_end_date - spans.period_start_date) / 2)
    group by spans.period_start_date, spans.period_end_date
),

census as (
    select
        area_code,
        lower(ethnicity) as ethnicity,
        value::bigint as residents
    from {{ ref('int_nomis_measure') }}
    where measure_code = 'nomis_census_ethnic_group' and value is not null and ethnicity not like '%:%'
),

counted as (
    select
        found.*,
        measure.role,
        measure.whole_sex,
        measure.whole_age_band,
        measure.whole_measure_code,
        measure.is_standardised,
        not(found.is_by_sex or found.is_by_age or found.is_by_ethnicity) as is_whole,
        'unknown' not in (found.sex, found.age_band, found.ethnicity) and found.ethnicity <> 'not_stated' as is_known,
        case when found.period_kind = 'rolling_36_months' then 36 else 12 end as whole_months,
        period.residents_year as year_of_estimate
    from {{ ref('int_profile_count') }} as found
    inner join measure on found.measure_code = measure.measure_code
    inner join period on found.period_start_date = period.period_start_date and found.period_end_date = period.period_end_date
),

-- What a row is a share of: a split of its own measure, a whole of the measure that holds it.
against as (
    select
        counted.*,
        whole.person_count as whole_count,
        case
            when counted.is_whole then whole.person_count
            else
                sum(counted.person_count) filter (where counted.is_known and (counted.age_band <> '0-24' or not counted.is_by_age))
                    over splits
        end::bigint as known_count,
        whole.whole_sex as against_sex,
        whole.whole_age_band as against_age_band
    from counted
    left join counted as whole
        on
            whole.is_whole
            and whole.measure_code = case when counted.is_whole then counted.whole_measure_code else counted.measure_code end
            and counted.period_kind = whole.period_kind
            and counted.period_start_date = whole.period_start_date
            and counted.area_code = whole.area_code
            and not (counted.is_whole and counted.whole_measure_code = counted.measure_code)
    window splits as (
        partition by
            counted.measure_code,
            counted.period_kind,
            counted.period_start_date,
            counted.area_code,
            counted.ethnicity_basis,
            counted.is_by_sex,
            counted.is_by_age,
            counted.is_by_ethnicity
    )
)

select
    against.area_code,
    against.measure_code,
    against.period_kind,
    against.period_start_date,
    against.period_end_date,
    against.months_held,
    against.whole_months,
    against.source_release,
    against.role,
    against.is_standardised,
    against.ethnicity_basis,
    against.is_by_sex,
    against.is_by_age,
    against.is_by_ethnicity,
    against.is_known,
    against.sex,
    against.age_band,
    against.ethnicity,
    against.person_count,
    against.whole_count,
    against.known_count,
    against.withheld_note,
    coalesce(estimate.residents, census.residents) as residents,
    case when estimate.residents is not null then against.year_of_estimate when census.residents is not null then 2021 end
        as residents_year,
    case
        -- The same people above and below: a share of residents would be 1 and say nothing.
        when (against.sex, against.age_band, against.ethnicity) = (against.against_sex, against.against_age_band, 'all') then null
        else 100.0 * coalesce(estimate.residents, census.residents) / nullif(coalesce(of_estimate.residents, of_census.residents), 0)
    end as residents_share_percent
from against
left join {{ ref('int_residents_band') }} as estimate
    on
        not against.is_by_ethnicity
        and against.area_code = estimate.area_code
        and against.year_of_estimate = estimate.year
        and against.sex = estimate.sex
        and against.age_band = estimate.age_band
left join {{ ref('int_residents_band') }} as of_estimate
    on
        not against.is_by_ethnicity
        and against.area_code = of_estimate.area_code
        and against.year_of_estimate = of_estimate.year
        and against.against_sex = of_estimate.sex
        and against.against_age_band = of_estimate.age_band
-- The census table counts ethnic groups of all ages and both sexes together.
left join census
    on
        against.is_by_ethnicity
        and not against.is_by_age
        and against.area_code = census.area_code
        and against.ethnicity = census.ethnicity
left join census as of_census
    on
        against.is_by_ethnicity
        and not against.is_by_age
        and against.area_code = of_census.area_code
        and of_census.ethnicity = 'all'
