{% set hard_break = "max(stepped.break_month) filter (where stepped.break_kind not in ('allocation', 'restated'))" %}
{% set mean = 'avg(month.month_placed_share)' %}
{% set is_own = "month.scope_area_code <> 'all'" %}
{% set in_period = 'month.month_start_date between compared.period_start_date and compared.period_end_date' %}
{% set in_baseline = 'month.month_start_date between compared.baseline_start_date and compared.baseline_end_date' %}
{% set since = 'least(compared.period_start_date, compared.baseline_start_date)' %}
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
),

answered as (
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
),

known as (
    select distinct
        success_measure_code,
        variant,
        answer_number,
        case area_code when 'LONDON_33' then 'LONDON_32' else area_code end as area_code
    from answered
),

asked_of as (
    select
        answered.*,
        asked.success_measure_name,
        asked.availability,
        asked.measure_code,
        asked.residents_age_band,
        asked.reason,
        asked.feed_needed,
        case when answered.months = 36 then asked.baseline_36_months_end else asked.baseline_12_months_end end as wanted_baseline_end
    from answered
    inner join {{ ref('success_measure') }} as asked
        on
            answered.success_measure_code = asked.success_measure_code
            and answered.variant = asked.variant
            and answered.answer_number = asked.answer_number
),

-- The Duty's baseline, where it ends before the period begins; else the newest period of the same kind that does.
base as (
    select distinct on (
        found.success_measure_code,
        found.variant,
        found.answer_number,
        found.area_code,
        found.period_kind,
        found.period_end_date
    )
        found.success_measure_code,
        found.variant,
        found.answer_number,
        found.area_code,
        found.period_kind,
        found.period_end_date,
        case
            when earlier.period_end_date = found.wanted_baseline_end then 'duty_baseline' else 'earlier_period'
        end as compared_with,
        earlier.period_start_date as baseline_start_date,
        earlier.period_end_date as baseline_end_date,
        earlier.numerator as baseline_numerator,
        earlier.denominator as baseline_denominator,
        earlier.value as baseline_value,
        earlier.lower_95 as baseline_lower_95,
        earlier.upper_95 as baseline_upper_95
    from asked_of as found
    inner join answered as earlier
        on
            found.success_measure_code = earlier.success_measure_code
            and found.variant = earlier.variant
            and found.answer_number = earlier.answer_number
            and found.area_code = earlier.area_code
            and found.months = earlier.months
            and found.period_start_date > earlier.period_end_date
            and (
                found.period_kind = earlier.period_kind
                or (found.wanted_baseline_end = earlier.period_end_date and earlier.period_kind not like 'rolling%')
            )
    where found.period_end_date > found.wanted_baseline_end
    order by
        found.success_measure_code asc,
        found.variant asc,
        found.answer_number asc,
        found.area_code asc,
        found.period_kind asc,
        found.period_end_date asc,
        earlier.period_end_date = found.wanted_baseline_end desc,
        earlier.period_end_date desc
),

compared as (
    select
        found.*,
        base.compared_with,
        base.baseline_start_date,
        base.baseline_end_date,
        base.baseline_numerator,
        base.baseline_denominator,
        base.baseline_value,
        base.baseline_lower_95,
        base.baseline_upper_95,
        coalesce(found.denominator > 0 and base.baseline_denominator > 0, false) as has_person_years,
        -- Rates where both have one, else counts of periods of one length.
        case when found.value + base.baseline_value is null then found.numerator else found.value end as compared_value,
        case when found.value + base.baseline_value is null then base.baseline_numerator else base.baseline_value end
            as compared_baseline,
        -- The row of the page: to the newest month there is, over the longest window that has an earlier one to be compared with.
        row_number() over (
            partition by found.success_measure_code, found.variant, found.answer_number, found.area_code
            order by
                found.period_end_date desc,
                (base.baseline_end_date is not null) desc,
                found.months desc,
                (found.period_kind like 'rolling%') desc
        ) = 1 as is_page_row
    from asked_of as found
    left join base
        on
            found.success_measure_code = base.success_measure_code
            and found.variant = base.variant
            and found.answer_number = base.answer_number
            and found.area_code = base.area_code
            and found.period_kind = base.period_kind
            and found.period_end_date = base.period_end_date
),

tested as (
    select
        compared.*,
        broken.break_reason,
        case
            when compared.period_end_date <= compared.wanted_baseline_end then 'it is the baseline, or before it'
            when compared.baseline_end_date is null then 'the source holds no period of this length that ends before it begins'
            when not broken.is_comparable and broken.break_reason is null
                then 'other shares of the records lack a borough in the two periods'
            when not broken.is_comparable then 'a break of the series lies between'
            when compared.limits_method = 'as published' and (compared.lower_95 is null or compared.baseline_lower_95 is null)
                then 'the publisher gives no limits'
        end as not_tested_because,
        case
            when broken.is_comparable and compared.limits_method <> 'as published'
                then
                    marts.two_counts_p_value(
                        compared.numerator::double precision,
                        case when compared.has_person_years then compared.denominator else 1 end,
                        compared.baseline_numerator::double precision,
                        case when compared.has_person_years then compared.baseline_denominator else 1 end
                    )
        end as p_value,
        sign(coalesce(compared.value - compared.baseline_value, compared.numerator - compared.baseline_numerator)) as change_sign
    from compared
    -- What is placed of each of the two periods; an area with airports has a share of its own.
    left join
        lateral (
            select
                coalesce({{ mean }} filter (where {{ in_period }} and {{ is_own }}), {{ mean }} filter (where {{ in_period }})) as share,
                coalesce({{ mean }} filter (where {{ in_baseline }} and {{ is_own }}), {{ mean }} filter (where {{ in_baseline }}))
                    as baseline_share
            from {{ ref('int_placed_share') }} as month
            where
                compared.limits_method <> 'as published'
                and compared.measure_code = month.measure_code
                and month.scope_area_code in ('all', compared.area_code)
        ) as placed
        on true
    left join
        lateral (
            select
                {{ breaks_in_words('stepped') }} as break_reason,
                {{
                    is_comparable(
                        hard_break, since, 'compared.compared_value', 'compared.compared_baseline', 'placed.share', 'placed.baseline_share',
                        'compared.compared_value / nullif(compared.numerator, 0)'
                    )
                }} as is_comparable
            from {{ ref('series_break') }} as stepped
            where
                compared.measure_code = stepped.measure_code
                and (stepped.area_code is null or compared.area_code = stepped.area_code)
                and stepped.break_month > least(compared.period_start_date, compared.baseline_start_date)
                and stepped.break_month <= compared.period_end_date
        ) as broken
        on true
),

decided as (
    select
        *,
        case
            when not_tested_because is not null then 'not_tested'
            when limits_method = 'as published' and lower_95 > baseline_upper_95 then 'higher'
            when limits_method = 'as published' and upper_95 < baseline_lower_95 then 'lower'
            when p_value <= 0.05 and change_sign = 1 then 'higher'
            when p_value <= 0.05 and change_sign = -1 then 'lower'
            else 'no_difference'
        end as significance
    from tested
)

select
    tested.area_code,
    tested.success_measure_code,
    tested.variant,
    tested.answer_number,
    tested.period_kind || ' to ' || to_char(tested.period_end_date, 'YYYY-MM') as period_code,
    tested.success_measure_name,
    tested.availability,
    tested.measure_code,
    tested.period_kind,
    tested.period_start_date,
    tested.period_end_date,
    tested.is_page_row,
    tested.numerator::double precision as numerator,
    round(tested.denominator, 1)::double precision as denominator,
    tested.residents_age_band,
    tested.residents_year,
    case when tested.residents_year is not null then area.residents_caveat end as residents_caveat,
    tested.value::double precision as value,
    tested.lower_95::double precision as lower_95,
    tested.upper_95::double precision as upper_95,
    tested.limits_method,
    tested.compared_with,
    tested.baseline_start_date,
    tested.baseline_end_date,
    tested.baseline_numerator::double precision as baseline_numerator,
    tested.baseline_value::double precision as baseline_value,
    (tested.numerator - tested.baseline_numerator)::double precision as change_count,
    round(100 * (tested.value - tested.baseline_value) / nullif(tested.baseline_value, 0), 2)::double precision as change_percent,
    case tested.change_sign when 1 then 'up' when -1 then 'down' when 0 then 'unchanged' end as direction,
    tested.significance,
    coalesce(
        tested.not_tested_because,
        case
            when tested.limits_method = 'as published' then '95 % limits of the two values apart'
            when tested.has_person_years
                then 'exact conditional test of two Poisson counts by their person-years, two-sided, 5 %'
            else 'exact conditional test of two Poisson counts of periods of one length, two-sided, 5 %'
        end
    ) as significance_note,
    tested.p_value::double precision as p_value,
    case
        when tested.significance = 'not_tested' then 'Not tested: ' || tested.not_tested_because || '.'
        else
            case tested.significance
                when 'higher' then 'Higher than in '
                when 'lower' then 'Lower than in '
                else 'No more than chance apart from '
            end
            || to_char(tested.baseline_start_date, 'FMMonth YYYY') || ' to ' || to_char(tested.baseline_end_date, 'FMMonth YYYY')
            || case
                when tested.p_value < 0.001 then ' (p < 0.001)'
                when tested.p_value is not null then ' (p = ' || round(tested.p_value::numeric, 3) || ')'
                else ''
            end
            || case tested.compared_with
                when 'earlier_period' then ', the newest earlier period of its length that does not overlap.'
                else ', the baseline of the Duty.'
            end
    end as change_in_words,
    tested.break_reason,
    tested.reason,
    tested.feed_needed,
    terms.classification,
    terms.publish_rule,
    tested.source_release
from decided as tested
inner join area on tested.area_code = area.area_code
inner join {{ ref('dim_measure') }} as measure on tested.measure_code = measure.measure_code
inner join {{ ref('int_dataset') }} as terms
    on measure.source = terms.source and btrim(split_part(measure.datasets, ',', 1)) = terms.dataset
union all
-- What no source here answers is a row of every page, with what would.
select
    area.area_code,
    asked.success_measure_code,
    asked.variant,
    asked.answer_number,
    'none' as period_code,
    asked.success_measure_name,
    'not_available' as availability,
    asked.measure_code,
    null as period_kind,
    null as period_start_date,
    null as period_end_date,
    true as is_page_row,
    null as numerator,
    null as denominator,
    asked.residents_age_band,
    null as residents_year,
    null as residents_caveat,
    null as value,
    null as lower_95,
    null as upper_95,
    null as limits_method,
    null as compared_with,
    null as baseline_start_date,
    null as baseline_end_date,
    null as baseline_numerator,
    null as baseline_value,
    null as change_count,
    null as change_percent,
    null as direction,
    null as significance,
    null as significance_note,
    null as p_value,
    null as change_in_words,
    null as break_reason,
    case
        when asked.availability = 'not_available' then asked.reason
        else
            'No whole period of it is loaded here for this area. It would be '
            || case asked.availability when 'proxy' then 'a proxy' else asked.availability end || ': ' || asked.reason
    end as reason,
    coalesce(asked.feed_needed, 'The dataset that measure_code names in dim_measure.') as feed_needed,
    'OFFICIAL' as classification,
    'open' as publish_rule,
    null as source_release
from {{ ref('success_measure') }} as asked
cross join area
left join known
    on
        asked.success_measure_code = known.success_measure_code
        and asked.variant = known.variant
        and asked.answer_number = known.answer_number
        and area.area_code = known.area_code
where known.area_code is null
