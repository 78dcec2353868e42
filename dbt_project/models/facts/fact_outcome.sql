{% set outcome_sentence %}
case
    when told.share_words is null then 'Too few ' || told.noun || ' in ' || told.place || ' in ' || told.window_name || ' to give outcomes.'
    else
        'Of the ' || told.cohort_words || ' ' || told.noun || ' recorded in ' || told.place || ' in ' || told.window_name || ', '
        || case told.outcome_count when 0 then 'none' else told.share_words end || ' ' || told.phrase || ' by ' || told.followed_to || coalesce(': ' || told.comparison, '') || '.'
end
{% endset %}

{% set followed_at_least_months = 6 %}

with asked as (
    select * from {{ ref('fact_pack') }}
    where template = 'outcome'
),

followed as (
    select
        *,
        max(month_start_date) over (partition by measure_code) as newest_month
    from {{ ref('rpt_crime_outcome') }}
    where
        months_followed >= {{ followed_at_least_months }}
        and measure_code in (select asked.measure_code from asked)
),

-- Twelve months of crimes, each of which had six months or more to come to an outcome.
cohort as (
    select
        asked.fact_code,
        asked.noun,
        asked.phrase,
        followed.area_code,
        followed.newest_month,
        sum(followed.crime_count) filter (where followed.outcome_code = any(string_to_array(asked.item, '|'))) as outcome_count,
        -- The whole of a month stands on each of its outcomes.
        sum(followed.crime_count) as cohort_count,
        min(followed.months_followed) as months_followed,
        max(followed.source_release) as source_release
    from asked
    inner join followed
        on
            asked.measure_code = followed.measure_code
            and followed.month_start_date > followed.newest_month - interval '12 months'
    group by asked.fact_code, asked.noun, asked.phrase, followed.area_code, followed.newest_month
),

compared as (
    select
        *,
        100.0 * outcome_count / cohort_count as share_percent,
        100 * marts.wilson_lower(outcome_count::double precision, cohort_count::double precision, 0.95) as lower_95_percent,
        100 * marts.wilson_upper(outcome_count::double precision, cohort_count::double precision, 0.95) as upper_95_percent,
        max(100.0 * outcome_count / cohort_count) filter (where area_code = 'LONDON_32') over (partition by fact_code)
            as london_share_percent
    from cohort
),

judged as (
    select
        *,
        case
            when area_code = 'LONDON_32' then null
            when lower_95_percent > london_share_percent then 'higher'
            when upper_95_percent < london_share_percent then 'lower'
            else 'similar'
        end as compared_to_london
    from compared
),

told as (
    select
        judged.*,
        case when area.area_type = 'borough' then area.area_name else 'London''s 32 boroughs' end as place,
        'the 12 months to ' || to_char(judged.newest_month, 'FMMonth YYYY') as window_name,
        to_char(judged.newest_month + make_interval(months => judged.months_followed), 'FMMonth YYYY') as followed_to,
        to_char(judged.cohort_count, 'FM999,999,999') as cohort_words,
        case when judged.cohort_count >= 10 then {{ percent_in_words('judged.share_percent') }} end as share_words,
        case
            when judged.compared_to_london is not null
                then {{ compared_in_words('judged.compared_to_london', "'London'", percent_in_words('judged.london_share_percent')) }}
        end as comparison
    from judged
    inner join {{ ref('dim_area') }} as area
        on judged.area_code = area.area_code and (area.area_type = 'borough' or area.area_code = 'LONDON_32')
)

select
    {{ fact_row({
        'area_code': 'told.area_code',
        'fact_code': 'told.fact_code',
        'window_kind': "'rolling_12'",
        'period_start_date': "(told.newest_month - interval '11 months')::date",
        'period_end_date': "(told.newest_month + interval '1 month' - interval '1 day')::date",
        'numerator': 'told.outcome_count',
        'denominator': 'told.cohort_count',
        'value': 'round(told.share_percent, 4)',
        'lower_95': 'told.lower_95_percent',
        'upper_95': 'told.upper_95_percent',
        'london_value': 'round(told.london_share_percent, 4)',
        'significance': 'told.compared_to_london',
        'status': "'final'",
        'is_significant': "told.share_words is not null and told.compared_to_london in ('higher', 'lower')",
        'effect_percent': '100 * (told.share_percent / nullif(told.london_share_percent, 0) - 1)',
        'sentence': outcome_sentence,
        'source_release': 'told.source_release',
        'is_provisional': 'false',
    }) }}
from told
