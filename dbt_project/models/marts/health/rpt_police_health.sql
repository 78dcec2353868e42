with counts as (
    select
        fact.area_code,
        fact.measure_code,
        fact.period_start_date as month_start_date,
        fact.value::bigint as month_count,
        fact.source_release
    from {{ ref('fct_measure') }} as fact
    where
        fact.period_kind = 'month'
        -- A month without a figure is none, and no window holds it.
        and fact.value is not null
        and fact.sex = 'all'
        and fact.age_band = 'all'
        and fact.ethnicity = 'all'
        and fact.measure_code in (
            select pair.health_measure_code from {{ ref('police_health_pair') }} as pair
            union all
            select pair.police_measure_code from {{ ref('police_health_pair') }} as pair
        )
        and (fact.area_code like 'E09%' or fact.area_code in ('LONDON_32', 'INNER', 'OUTER'))
        and fact.area_code <> 'E09000001'
),

paired as (
    select
        health.area_code,
        pair.health_measure_code,
        pair.police_measure_code,
        pair.caveat,
        health.month_start_date,
        (extract(year from health.month_start_date) * 12 + extract(month from health.month_start_date))::integer as month_index,
        health.month_count as health_count,
        police.month_count as police_count,
        health.source_release as health_release,
        police.source_release as police_release
    from {{ ref('police_health_pair') }} as pair
    inner join counts as health on pair.health_measure_code = health.measure_code
    inner join counts as police
        on
            pair.police_measure_code = police.measure_code
            and health.area_code = police.area_code
            and health.month_start_date = police.month_start_date
),

rolling as (
    select
        paired.*,
        sum(paired.health_count) over year as health_count_of_year,
        -- The row eleven back is the month eleven back, or it is no year.
        case when lag(paired.month_index, 11) over year = paired.month_index - 11 then sum(paired.police_count) over year end
            as police_count_of_year
    from paired
    window
        year as (
            partition by paired.health_measure_code, paired.police_measure_code, paired.area_code order by paired.month_start_date
            rows between 11 preceding and current row
        )
),

windows as (
    select
        rolling.*,
        spans.period_kind,
        spans.period_start_date,
        spans.window_health_count,
        spans.window_police_count
    from rolling
    cross join
        lateral (
            values
            ('month', rolling.month_start_date, rolling.health_count::numeric, rolling.police_count::numeric),
            (
                'rolling_12_months',
                (rolling.month_start_date - interval '11 months')::date,
                rolling.health_count_of_year,
                rolling.police_count_of_year
            )
        ) as spans (period_kind, period_start_date, window_health_count, window_police_count)
    where spans.window_police_count is not null
),

ratios as (
    select
        windows.*,
        windows.window_health_count >= 10 and windows.window_police_count >= 10 as is_enough,
        marts.wilson_lower(windows.window_health_count, windows.window_health_count + windows.window_police_count, 0.95) as lower_share,
        marts.wilson_upper(windows.window_health_count, windows.window_health_count + windows.window_police_count, 0.95) as upper_share,
        max(windows.window_health_count) filter (where windows.area_code = 'LONDON_32') over period as london_health_count,
        max(windows.window_police_count) filter (where windows.area_code = 'LONDON_32') over period as london_police_count
    from windows
    window
        period as (
            partition by windows.health_measure_code, windows.police_measure_code, windows.period_kind, windows.month_start_date
        )
),

-- A row is of two series, so a break is named with its own.
stepped as (
    select
        measure_code,
        area_code,
        break_month,
        break_kind,
        measure_code || ': ' || break_label as break_label
    from {{ ref('series_break') }}
),

breaks as (
    select
        ratios.health_measure_code,
        ratios.police_measure_code,
        ratios.area_code,
        ratios.month_start_date,
        {{ breaks_in_words('stepped') }} as break_reason
    from ratios
    inner join stepped
        on
            stepped.measure_code in (ratios.health_measure_code, ratios.police_measure_code)
            and (stepped.area_code is null or ratios.area_code = stepped.area_code)
            and ratios.period_start_date < stepped.break_month
            and ratios.month_start_date >= stepped.break_month
    where ratios.period_kind = 'rolling_12_months'
    group by ratios.health_measure_code, ratios.police_measure_code, ratios.area_code, ratios.month_start_date
)

select
    ratios.area_code,
    ratios.period_kind,
    ratios.period_start_date,
    (ratios.month_start_date + interval '1 month' - interval '1 day')::date as period_end_date,
    ratios.health_measure_code,
    ratios.police_measure_code,
    ratios.window_health_count::bigint as health_count,
    ratios.window_police_count::bigint as police_count,
    case when ratios.is_enough then round(ratios.window_health_count::numeric / ratios.window_police_count, 4) end::double precision
        as health_per_police,
    case when ratios.is_enough then round((ratios.lower_share / (1 - ratios.lower_share))::numeric, 4) end::double precision
        as health_per_police_lower_95,
    case when ratios.is_enough then round((ratios.upper_share / (1 - ratios.upper_share))::numeric, 4) end::double precision
        as health_per_police_upper_95,
    case
        when ratios.london_health_count >= 10 and ratios.london_police_count >= 10
            then round(ratios.london_health_count::numeric / ratios.london_police_count, 4)
    end::double precision as london_health_per_police,
    case
        when ratios.is_enough and ratios.london_health_count >= 10 and ratios.london_police_count >= 10
            then
                round(
                    100.0 * ratios.window_health_count / ratios.window_police_count
                    / (ratios.london_health_count::numeric / ratios.london_police_count), 2
                )
    end::double precision as index_to_london,
    case
        when ratios.area_code = 'LONDON_32' or not ratios.is_enough then null
        when
            ratios.lower_share / (1 - ratios.lower_share)
            > ratios.london_health_count::double precision / nullif(ratios.london_police_count, 0)
            then 'higher'
        when
            ratios.upper_share / (1 - ratios.upper_share)
            < ratios.london_health_count::double precision / nullif(ratios.london_police_count, 0)
            then 'lower'
        when ratios.london_police_count > 0 then 'similar'
    end as compared_with_london,
    case when not ratios.is_enough then 'fewer than 10 of one of the two' end as withheld_reason,
    breaks.break_reason is not null as has_series_break,
    breaks.break_reason,
    ratios.caveat,
    'OFFICIAL-SENSITIVE' as classification,
    'suppress_1_to_7_round_5' as publish_rule,
    ratios.health_release,
    ratios.police_release
from ratios
left join breaks
    on
        ratios.period_kind = 'rolling_12_months'
        and ratios.health_measure_code = breaks.health_measure_code
        and ratios.police_measure_code = breaks.police_measure_code
        and ratios.area_code = breaks.area_code
        and ratios.month_start_date = breaks.month_start_date
