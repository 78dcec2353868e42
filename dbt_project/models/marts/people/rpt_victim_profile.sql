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
),

with_residents as (
    select
        against.*,
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
),

-- Weights of the European Standard Population for the bands a source has: those of five years, or whole numbers of them.
weight as (
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
),

standardised as (
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
    from with_residents as rows_by_age
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
),

-- A break that opens the window lies before all of it.
breaks as (
    select
        windows.measure_code,
        windows.area_code,
        windows.period_kind,
        windows.period_start_date,
        {{ breaks_in_words('stepped') }} as break_reason
    from (
        select distinct
            measure_code,
            area_code,
            period_kind,
            period_start_date,
            period_end_date
        from {{ ref('int_profile_count') }}
    ) as windows
    inner join {{ ref('series_break') }} as stepped
        on
            windows.measure_code = stepped.measure_code
            and (stepped.area_code is null or windows.area_code = stepped.area_code)
            and windows.period_start_date < stepped.break_month
            and windows.period_end_date >= stepped.break_month
    group by windows.measure_code, windows.area_code, windows.period_kind, windows.period_start_date
),

derived as (
    select
        found.*,
        found.months_held = found.whole_months and found.residents > 0 as has_rate,
        found.residents * found.months_held / 12.0 as person_years,
        found.is_known
        and found.known_count >= 10
        and found.person_count <= found.known_count
        and found.residents_share_percent > 0 as has_ratio,
        -- Drawn or revised on different days, a part can exceed the whole.
        case when found.person_count <= found.whole_count then found.whole_count end as share_of,
        case when found.is_known and found.person_count <= found.known_count then found.known_count end as share_of_known,
        standardised.rate as standard_rate,
        standardised.variance as standard_variance,
        standardised.events as standard_events
    from with_residents as found
    left join standardised
        on
            found.area_code = standardised.area_code
            and found.measure_code = standardised.measure_code
            and found.period_kind = standardised.period_kind
            and found.period_start_date = standardised.period_start_date
            and found.sex = standardised.sex
            and not found.is_by_age
            and not found.is_by_ethnicity
)

select
    derived.area_code,
    derived.period_kind,
    derived.period_start_date,
    derived.period_end_date,
    derived.months_held,
    derived.role,
    derived.measure_code,
    derived.sex,
    derived.age_band,
    derived.ethnicity,
    derived.ethnicity_basis,
    derived.person_count,
    derived.whole_count,
    round(100.0 * derived.person_count / nullif(derived.share_of, 0), 3)::double precision as share_percent,
    round((100 * marts.wilson_lower(derived.person_count, derived.share_of, 0.95))::numeric, 3)::double precision
        as share_lower_95_percent,
    round((100 * marts.wilson_upper(derived.person_count, derived.share_of, 0.95))::numeric, 3)::double precision
        as share_upper_95_percent,
    derived.known_count,
    round(100.0 * derived.person_count / nullif(derived.share_of_known, 0), 3)::double precision as share_of_known_percent,
    derived.residents,
    derived.residents_year,
    case when derived.residents is not null then caveats.residents_caveat end as residents_caveat,
    case
        when derived.residents is null then null
        when derived.is_by_ethnicity then 'all_ages_both_sexes'
        else 'same_sex_and_ages'
    end as residents_basis,
    round(derived.residents_share_percent, 3)::double precision as residents_share_percent,
    case
        when derived.has_ratio
            then round(100.0 * derived.person_count / derived.known_count / derived.residents_share_percent, 3)
    end::double precision as disproportionality,
    case
        when derived.has_ratio
            then
                round(
                    (100 * marts.wilson_lower(derived.person_count, derived.known_count, 0.95))::numeric / derived.residents_share_percent,
                    3
                )
    end::double precision as disproportionality_lower_95,
    case
        when derived.has_ratio
            then
                round(
                    (100 * marts.wilson_upper(derived.person_count, derived.known_count, 0.95))::numeric / derived.residents_share_percent,
                    3
                )
    end::double precision as disproportionality_upper_95,
    case when derived.has_rate then round(100000 * derived.person_count / derived.person_years, 4) end::double precision
        as rate_per_100000,
    case
        when derived.has_rate
            then round((100000 * marts.poisson_lower(derived.person_count, 0.95))::numeric / derived.person_years, 4)
    end::double precision as rate_lower_95,
    case
        when derived.has_rate
            then round((100000 * marts.poisson_upper(derived.person_count, 0.95))::numeric / derived.person_years, 4)
    end::double precision as rate_upper_95,
    case when derived.standard_events >= 10 then round(100000 * derived.standard_rate, 4) end::double precision
        as standardised_rate_per_100000,
    round(
        (
            100000
            * marts.directly_standardised_lower(derived.standard_rate, derived.standard_variance, derived.standard_events, 0.95)
        )::numeric, 4
    )::double precision as standardised_rate_lower_95,
    round(
        (
            100000
            * marts.directly_standardised_upper(derived.standard_rate, derived.standard_variance, derived.standard_events, 0.95)
        )::numeric, 4
    )::double precision as standardised_rate_upper_95,
    nullif(
        concat_ws(
            '; ',
            derived.withheld_note,
            case
                when derived.months_held < derived.whole_months
                    then 'no rate: ' || derived.months_held || ' of ' || derived.whole_months || ' months are held'
            end,
            case when derived.residents is null and not derived.is_known then 'no rate: residents are not counted by what is unknown' end,
            case
                when derived.is_by_age and derived.is_by_ethnicity and derived.is_known
                    then 'no rate: residents are not counted by age and ethnicity together'
            end,
            case
                when derived.residents is null and derived.is_known and not (derived.is_by_age and derived.is_by_ethnicity)
                    then 'no rate: no residents of this group are loaded'
            end,
            case when derived.person_count > derived.whole_count then 'no share: more people than in the whole it is a part of' end,
            case
                when derived.is_known and derived.known_count < 10 and derived.residents_share_percent > 0
                    then 'no disproportionality: fewer than 10 people of known kind'
            end,
            case when derived.standard_events < 10 then 'no standardised rate: fewer than 10 people of known age' end
        ), ''
    ) as withheld_reason,
    coalesce(derived.person_count between 1 and 4, false) as is_below_5,
    breaks.break_reason is not null as has_series_break,
    breaks.break_reason,
    dataset.classification,
    dataset.publish_rule,
    derived.source_release
from derived
inner join measure on derived.measure_code = measure.measure_code
inner join {{ ref('int_dataset') }} as dataset on measure.source = dataset.source and measure.dataset = dataset.dataset
left join {{ ref('residents_caveat') }} as caveats on derived.area_code = caveats.area_code
left join breaks
    on
        derived.measure_code = breaks.measure_code
        and derived.area_code = breaks.area_code
        and derived.period_kind = breaks.period_kind
        and derived.period_start_date = breaks.period_start_date
