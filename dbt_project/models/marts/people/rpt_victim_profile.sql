-- A break that opens the window lies before all of it.
with breaks as (
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
    from {{ ref('report_victim_residents') }} as found
    left join {{ ref('report_victim_standardised') }} as standardised
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
inner join {{ ref('dim_measure') }} as measure on derived.measure_code = measure.measure_code
inner join {{ ref('int_dataset') }} as dataset
    on measure.source = dataset.source and btrim(split_part(measure.datasets, ',', 1)) = dataset.dataset
left join {{ ref('residents_caveat') }} as caveats on derived.area_code = caveats.area_code
left join breaks
    on
        derived.measure_code = breaks.measure_code
        and derived.area_code = breaks.area_code
        and derived.period_kind = breaks.period_kind
        and derived.period_start_date = breaks.period_start_date
