with area as (
    select
        area_code,
        residents_caveat
    from {{ ref('dim_area') }}
    where is_in_london_32 or area_code = 'LONDON_32'
),

monthly as (
    select
        fact.measure_code,
        fact.area_code,
        fact.period_start_date as month_start_date,
        (extract(year from fact.period_start_date) * 12 + extract(month from fact.period_start_date))::integer as month_index,
        fact.value::bigint as month_count,
        fact.source_release
    from {{ ref('fct_measure') }} as fact
    inner join area on fact.area_code = area.area_code
    where
        fact.period_kind = 'month'
        -- A month without a figure is none, and no window holds it.
        and fact.value is not null
        and fact.sex = 'all'
        and fact.age_band = 'all'
        and fact.ethnicity = 'all'
        and fact.measure_code in (select asked.measure_code from {{ ref('success_measure') }} as asked)
),

-- Windows end in the newest month and in the same month of each year before, and in every March.
windows as (
    select
        monthly.measure_code,
        monthly.area_code,
        monthly.month_start_date,
        monthly.source_release,
        extract(month from monthly.month_start_date) = 3 as is_financial_year,
        extract(month from monthly.month_start_date) = extract(month from max(monthly.month_start_date) over measure) as is_to_newest,
    {% for months in [12, 36] %}
    case
        when lag(monthly.month_index, {{ months - 1 }}) over last_{{ months }} = monthly.month_index - {{ months - 1 }}
            then sum(monthly.month_count) over last_{{ months }}
    end::bigint as count_{{ months }}{{ ', ' if not loop.last }}
    {% endfor %}
    from monthly
    window
        measure as (partition by monthly.measure_code),
    {% for months in [12, 36] %}
    last_{{ months }} as (
        partition by monthly.measure_code, monthly.area_code order by monthly.month_start_date
        rows between {{ months - 1 }} preceding and current row
    ){{ ', ' if not loop.last }}
    {% endfor %}
),

period as (
    select
        windows.measure_code,
        windows.area_code,
        spans.period_kind,
        spans.months,
        (windows.month_start_date - make_interval(months => spans.months - 1))::date as period_start_date,
        (windows.month_start_date + interval '1 month' - interval '1 day')::date as period_end_date,
        spans.window_count,
        windows.source_release
    from windows
    cross join
        lateral (
            values
            ('financial_year', 12, windows.is_financial_year, windows.count_12),
            ('rolling_12_months', 12, windows.is_to_newest, windows.count_12),
            ('financial_years_3', 36, windows.is_financial_year, windows.count_36),
            ('rolling_36_months', 36, windows.is_to_newest, windows.count_36)
        ) as spans (period_kind, months, is_wanted, window_count)
    where spans.is_wanted and spans.window_count is not null
),

years_of_estimate as (
    select distinct year from {{ ref('int_residents_band') }}
),

span as (
    select distinct
        period_start_date,
        period_end_date
    from period
),

estimate as (
    select
        spans.period_start_date,
        spans.period_end_date,
        max(years.year) as residents_year
    from span as spans
    inner join years_of_estimate as years
        on years.year <= extract(year from spans.period_start_date + (spans.period_end_date - spans.period_start_date) / 2)
    group by spans.period_start_date, spans.period_end_date
)

-- Counted here, a rate of residents a year.
select
    asked.success_measure_code,
    asked.variant,
    asked.answer_number,
    period.area_code,
    period.period_kind,
    period.months,
    period.period_start_date,
    period.period_end_date,
    period.window_count::numeric as numerator,
    residents.residents * period.months / 12.0 as denominator,
    residents.year as residents_year,
    round(100000 * period.window_count / nullif(residents.residents * period.months / 12.0, 0), 4) as value,
    round(
        (100000 * marts.poisson_lower(period.window_count, 0.95))::numeric / nullif(residents.residents * period.months / 12.0, 0), 4
    ) as lower_95,
    round(
        (100000 * marts.poisson_upper(period.window_count, 0.95))::numeric / nullif(residents.residents * period.months / 12.0, 0), 4
    ) as upper_95,
    'Poisson (Byar from 10, exact below)' as limits_method,
    period.source_release
from {{ ref('success_measure') }} as asked
inner join period on asked.measure_code = period.measure_code and (asked.is_rare or period.months = 12)
left join estimate on period.period_start_date = estimate.period_start_date and period.period_end_date = estimate.period_end_date
left join {{ ref('int_residents_band') }} as residents
    on
        period.area_code = residents.area_code
        and estimate.residents_year = residents.year
        and residents.sex = 'all'
        and asked.residents_age_band = residents.age_band
union all
-- Published as a rate: the publisher's value and limits as they are.
select
    asked.success_measure_code,
    asked.variant,
    asked.answer_number,
    indicator.area_code,
    indicator.period_kind,
    36 as months,
    indicator.period_start_date,
    indicator.period_end_date,
    indicator.count::numeric as numerator,
    indicator.denominator::numeric as denominator,
    null::integer as residents_year,
    indicator.value::numeric as value,
    indicator.lower_95_limit::numeric as lower_95,
    indicator.upper_95_limit::numeric as upper_95,
    'as published' as limits_method,
    indicator.source_release
from {{ ref('success_measure') }} as asked
inner join {{ ref('fct_indicator') }} as indicator on asked.measure_code = indicator.measure_code
left join area on indicator.area_code = area.area_code
where
    -- A period of another length stands against no baseline.
    indicator.period_kind = 'financial_years_3'
    and indicator.is_headline
    and indicator.published_sex = 'Persons'
    and indicator.published_age = 'All ages'
    and (area.area_code is not null or indicator.area_code = 'LONDON_33')
    and indicator.value is not null
