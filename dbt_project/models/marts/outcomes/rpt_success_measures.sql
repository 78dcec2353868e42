with area as (
    select
        area_code,
        residents_caveat
    from {{ ref('dim_area') }}
    where is_in_london_32 or area_code = 'LONDON_32'
),

known as (
    select distinct
        success_measure_code,
        variant,
        answer_number,
        case area_code when 'LONDON_33' then 'LONDON_32' else area_code end as area_code
    from {{ ref('report_success_answer') }}
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
                else 'Not significantly different from '
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
from {{ ref('report_success_comparison') }} as tested
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
