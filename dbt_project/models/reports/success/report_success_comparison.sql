{% set hard_break = "max(stepped.break_month) filter (where stepped.break_kind not in ('allocation', 'restated'))" %}
{% set mean = 'avg(month.month_placed_share)' %}
{% set is_own = "month.scope_area_code <> 'all'" %}
{% set in_period = 'month.month_start_date between compared.period_start_date and compared.period_end_date' %}
{% set in_baseline = 'month.month_start_date between compared.baseline_start_date and compared.baseline_end_date' %}
{% set since = 'least(compared.period_start_date, compared.baseline_start_date)' %}
with asked_of as (
    select
        answered.*,
        asked.success_measure_name,
        asked.availability,
        asked.measure_code,
        asked.residents_age_band,
        asked.reason,
        asked.feed_needed,
        case when answered.months = 36 then asked.baseline_36_months_end else asked.baseline_12_months_end end as wanted_baseline_end
    from {{ ref('report_success_answer') }} as answered
    inner join {{ ref('success_measure') }} as asked
        on
            answered.success_measure_code = asked.success_measure_code
            and answered.variant = asked.variant
            and answered.answer_number = asked.answer_number
),

-- The Duty's baseline, where it ends before the period begins; else the newest period of the same kind that does.
base as (
    select distinct on (
        found.success_measure_code, found.variant, found.answer_number, found.area_code, found.period_kind, found.period_end_date
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
    inner join {{ ref('report_success_answer') }} as earlier
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
        found.success_measure_code asc, found.variant asc, found.answer_number asc, found.area_code asc, found.period_kind asc,
        found.period_end_date asc, earlier.period_end_date = found.wanted_baseline_end desc, earlier.period_end_date desc
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
                compared.limits_method <> 'as published' and compared.measure_code = month.measure_code
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
)

select
    success_measure_code,
    variant,
    answer_number,
    success_measure_name,
    availability,
    measure_code,
    reason,
    feed_needed,
    area_code,
    period_kind,
    period_start_date,
    period_end_date,
    is_page_row,
    numerator,
    denominator,
    residents_age_band,
    residents_year,
    value,
    lower_95,
    upper_95,
    limits_method,
    compared_with,
    baseline_start_date,
    baseline_end_date,
    baseline_numerator,
    baseline_value,
    has_person_years,
    change_sign,
    not_tested_because,
    p_value,
    break_reason,
    source_release,
    case
        when not_tested_because is not null then 'not_tested'
        when limits_method = 'as published' and lower_95 > baseline_upper_95 then 'higher'
        when limits_method = 'as published' and upper_95 < baseline_lower_95 then 'lower'
        when p_value <= 0.05 and change_sign = 1 then 'higher'
        when p_value <= 0.05 and change_sign = -1 then 'lower'
        else 'no_difference'
    end as significance
from tested
