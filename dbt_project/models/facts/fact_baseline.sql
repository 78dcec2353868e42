{% set baseline_sentence %}
told.place || ' had ' || told.count_words || ' ' || case told.count_words when '1' then told.noun_of_one else told.noun end
|| ' in ' || told.window_name
|| coalesce(', or ' || told.rate_words || ' per ' || told.per_words || ' residents a year', '')
|| coalesce(
    ': ' || case told.verdict
        when 'higher' then 'significantly above' when 'lower' then 'significantly below'
        when 'no_difference' then 'not significantly different from'
    end || ' the baseline, ' || told.base_name || ' (' || told.base_rate_words || ')', ''
) || '.'
{% endset %}

{% set against_baseline_sentence %}
upper(left(told.name, 1)) || substr(told.name, 2) || ' in ' || told.place
|| case
    when told.verdict is null
        then ' cannot be tested against its baseline, ' || told.base_name || ': ' || told.not_tested_because
    else
        ' was ' || case told.verdict
            when 'higher' then 'significantly above' when 'lower' then 'significantly below'
            when 'no_difference' then 'not significantly different from'
        end || ' its baseline: ' || told.rate_words || ' per ' || told.per_words || ' residents in ' || told.window_name || ', against '
        || told.base_rate_words || ' in ' || told.base_name
end || '.'
{% endset %}

with asked as (
    select
        *,
        split_part(item, '/', 1) as success_measure_code,
        split_part(item, '/', 2) as variant,
        split_part(item, '/', 3)::integer as answer_number
    from {{ ref('fact_pack') }}
    where template in ('baseline', 'against_baseline')
),

told as (
    select
        found.*,
        asked.fact_code,
        asked.template,
        asked.rate_per,
        asked.name,
        asked.noun,
        asked.noun_of_one,
        area.residents_caveat as caveat,
        case when area.area_type = 'borough' then area.area_name else 'London''s 32 boroughs' end as place,
        {{ count_in_words('found.numerator::numeric', 'found.publish_rule') }} as count_words,
        {{ months_in_words('found.period_start_date', 'found.period_end_date') }} as window_name,
        {{ one_decimal('found.value * asked.rate_per / 100000') }} as rate_words,
        to_char(asked.rate_per, 'FM999,999,999') as per_words,
        case when found.significance <> 'not_tested' then found.significance end as verdict,
        {{ months_in_words('found.baseline_start_date', 'found.baseline_end_date') }} as base_name,
        {{ one_decimal('found.baseline_value * asked.rate_per / 100000') }} as base_rate_words,
        case when found.significance = 'not_tested' then found.significance_note end as not_tested_because
    from asked
    inner join {{ ref('rpt_success_measures') }} as found
        on
            asked.success_measure_code = found.success_measure_code
            and asked.variant = found.variant
            and asked.answer_number = found.answer_number
            and asked.measure_code = found.measure_code
            and found.is_page_row
    inner join {{ ref('dim_area') }} as area on found.area_code = area.area_code
    -- A figure of a ruled measure would stand beside its exact rate.
    where
        found.numerator is not null
        and found.publish_rule = 'open'
        and (asked.template = 'baseline' or found.baseline_value is not null)
        -- Against an earlier period the change of the same window is told already.
        and coalesce(found.compared_with, '') <> 'earlier_period'
)

select
    {{ fact_row({
        'area_code': 'told.area_code',
        'fact_code': 'told.fact_code',
        'window_kind': 'told.period_kind',
        'period_start_date': 'told.period_start_date',
        'period_end_date': 'told.period_end_date',
        'numerator': 'told.numerator',
        'denominator': 'round(told.denominator)',
        'denominator_year': 'told.residents_year',
        'value': 'told.value * told.rate_per / 100000',
        'lower_95': 'told.lower_95 * told.rate_per / 100000',
        'upper_95': 'told.upper_95 * told.rate_per / 100000',
        'significance': 'told.significance',
        'status': "case when told.break_reason is null then 'final' else 'break_in_comparison' end",
        'caveat': "concat_ws(' ', told.reason, told.caveat)",
        'is_significant': "case when told.verdict is not null then told.verdict in ('higher', 'lower') else false end",
        'effect_percent': '100 * (told.value / nullif(told.baseline_value, 0) - 1)',
        'sentence': "case told.template when 'baseline' then " ~ baseline_sentence ~ ' else ' ~ against_baseline_sentence ~ ' end',
        'source_release': 'told.source_release',
        'is_provisional': 'false',
    }) }}
from told
