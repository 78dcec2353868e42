{% set level_sentence %}
told.place || ' had ' || told.count_words || ' '
|| case told.count_words when '1' then told.noun_of_one else told.noun end
|| ' in ' || told.window_name
|| coalesce(', or ' || told.rate_words || ' per ' || told.per_words || ' ' || told.people, '')
|| coalesce(case when told.rate_words is null then null else ': ' || told.comparison end, '') || '.'
|| case
    when told.status = 'break_in_window'
        then ' The count mixes two ways of recording' || coalesce(': ' || told.break_label, '') || '.'
    else ''
end
{% endset %}

{% set change_sentence %}
{%- set counts = "told.count_words || ' ' || told.unit || ' in ' || told.window_name || ', against ' || told.before_words"
    ~ " || ' in the 12 months before'" -%}
case
    when not told.is_comparable
        then
            upper(left(told.name, 1)) || substr(told.name, 2) || ' ' || told.in_place
            || ' cannot be compared with the year before' || coalesce(': ' || told.break_label, '') || '.'
    when told.change_words is null
        then
            upper(left(told.name, 1)) || substr(told.name, 2) || ' ' || told.in_place || ' was too rare for a percentage: '
            || {{ counts }} || '.'
    else
        upper(left(told.name, 1)) || substr(told.name, 2) || ' '
        || case told.change_verdict when 'no_change' then 'did not change significantly' else told.change_verdict || ' by ' || told.change_words end
        || ' ' || told.in_place || ': ' || {{ counts }}
        || case told.change_verdict when 'no_change' then ' (' || told.signed_change_words || ')' else '' end
        || case
            when told.change_verdict = 'no_change' and told.london_change_words = 'did not change significantly' then '; nor did London''s'
            else coalesce('; London''s ' || told.london_change_words, '')
        end || '.'
end
{% endset %}

{% set rank_sentence %}
case
    when told.area_code = 'LONDON_32'
        then
            told.highest_place || ' had the highest rate of ' || told.name || ' of the 32 boroughs in ' || told.window_name
            || ' (' || told.highest_rate_words || ' per ' || told.per_words || ' ' || told.people || '), and '
            || told.lowest_place || ' the lowest (' || told.lowest_rate_words || ').'
    else
        told.place || ' had the '
        || case
            when told.rank_in_london = 1 then 'highest'
            when told.rank_in_london = 32 then 'lowest'
            when told.rank_in_london <= 16 then {{ ordinal('told.rank_in_london') }} || ' highest'
            else {{ ordinal('33 - told.rank_in_london') }} || ' lowest'
        end
        || ' rate of ' || told.name || ' of the 32 boroughs in ' || told.window_name
        || coalesce(', with ' || told.share_words || ' of London''s ' || told.unit || ' of this kind', '') || '.' || coalesce(' ' || told.residents_caveat, '')
end
{% endset %}

with told as (
    select
        figured.*,
        {{ count_in_words('figured.window_count', 'figured.publish_rule') }} as count_words,
        {{ count_in_words('figured.count_year_before', 'figured.publish_rule') }} as before_words,
        'the 12 months to ' || to_char(figured.month_start_date, 'FMMonth YYYY') as window_name,
        'in ' || figured.place as in_place,
        {{ one_decimal('figured.told_rate') }} as rate_words,
        to_char(figured.told_per, 'FM999,999,999') as per_words,
        {{ residents_in_words('figured.denominator_population') }} as people,
        nullif(
            concat_ws(
                ' and ',
                {% for other, words in [('london', "'London'"), ('similar', "'its similar areas'")] %}
                {% set verdict = 'figured.significance_against_' ~ other %}
                case
                    when {{ verdict }} is not null
                        then {{ compared_in_words(verdict, words, one_decimal('figured.told_' ~ other ~ '_rate')) }}
                end{{ ',' if not loop.last }}
                {% endfor %}
            ), ''
        ) as comparison,
        {{ percent_in_words('abs(figured.told_change)') }} as change_words,
        case when figured.told_change > 0 then '+' when figured.told_change < 0 then '-' else '' end
        || {{ percent_in_words('abs(figured.told_change)') }} as signed_change_words,
        case
            when figured.area_code = 'LONDON_32' or not figured.is_london_comparable or figured.does_total_tell then null
            when figured.london_verdict = 'no_change' then 'did not change significantly'
            else figured.london_verdict || ' by ' || {{ percent_in_words('abs(figured.london_change)') }}
        end as london_change_words,
        case
            when not figured.does_total_tell
                then {{ percent_in_words('100.0 * figured.told_now / nullif(figured.london_now, 0)') }}
        end as share_words,
        first_value(figured.place) over by_rate as highest_place,
        first_value({{ one_decimal('figured.told_rate') }}) over by_rate as highest_rate_words,
        last_value(figured.place) over by_rate as lowest_place,
        last_value({{ one_decimal('figured.told_rate') }}) over by_rate as lowest_rate_words
    from {{ ref('fact_count_figure') }} as figured
    window
        by_rate as (
            partition by figured.fact_code order by (figured.area_type = 'borough') desc, figured.rank_in_london asc, figured.area_code asc
            rows between unbounded preceding and unbounded following exclude current row
        )
)

select
    {{ fact_row({
        'area_code': "case told.area_code when 'LONDON_PUBLISHED' then 'LONDON_32' else told.area_code end",
        'fact_code': 'told.fact_code',
        'window_kind': 'told.window_kind',
        'period_start_date': 'told.window_start_date',
        'period_end_date': 'told.window_end_date',
        'numerator': 'told.window_count',
        'denominator': 'told.denominator',
        'denominator_year': 'told.denominator_year',
        'value': 'told.rate / told.rate_per * told.told_per',
        'lower_95': 'told.rate_lower_95 / told.rate_per * told.told_per',
        'upper_95': 'told.rate_upper_95 / told.rate_per * told.told_per',
        'count_year_before': 'told.count_year_before',
        'change_percent': 'told.change_on_year_before_percent',
        'change_on_2019_percent': 'told.change_on_2019_percent',
        'share_of_london_percent': 'told.share_of_london_percent',
        'london_value': 'told.london_rate / told.rate_per * told.told_per',
        'similar_areas_value': 'told.similar_areas_rate / told.rate_per * told.told_per',
        'rank_in_london': 'told.rank_in_london',
        'significance': 'told.significance_against_london',
        'status': 'told.status',
        'caveat': "concat_ws(' ', told.residents_caveat, case when not told.is_comparable or told.status = 'break_in_window' then " ~ break_caveat('told.break_reason') ~ " end)",
        'is_significant': "case told.template when 'change' then told.is_comparable and told.change_verdict in ('rose', 'fell') and told.told_change is not null"
            ~ " else told.significance_against_london <> 'Not significant' end",
        'effect_percent': "case told.template when 'change' then told.told_change else 100 * (told.rate / nullif(told.london_rate, 0) - 1) end",
        'sentence': "case told.template when 'level' then " ~ level_sentence ~ " when 'change' then " ~ change_sentence
            ~ " else " ~ rank_sentence ~ " end",
        'source_release': 'told.source_release',
        'is_provisional': 'told.is_provisional',
    }) }}
from told
