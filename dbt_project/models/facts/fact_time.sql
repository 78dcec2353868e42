{% set time_sentence %}
case
    when not told.is_enough
        then
            'Too few ' || told.noun || ' in ' || told.place || case told.cycle when 'week' then ' have a known time' else ' were recorded' end
            || ' in ' || told.window_name || ' to say when they are most frequent.'
    when told.does_stand_out
        then
            upper(left(told.noun, 1)) || substr(told.noun, 2) || ' in ' || told.place || ' were most frequent ' || told.moment || ' in '
            || told.window_name || ': ' || told.share_words || case told.cycle when 'week' then ' of those with a known time' else ' of them' end
            || ', against ' || told.expected_words || ' if they were spread evenly over the ' || told.cycle || '.'
    else
        'No ' || told.moment_of_cycle || ' stands out for '
        || told.noun || ' in ' || told.place || ' in ' || told.window_name || ': none of the ' || told.moments_in_words
        || ' had more of them than chance explains.'
end
{% endset %}

{% set share_of_time_sentence %}
case
    when told.share_words is null
        then 'Too few ' || told.noun || ' in ' || told.place || ' have a known time in ' || told.window_name || ' to give the share ' || told.phrase || '.'
    else
        'In ' || told.place || ', ' || told.share_words || ' of ' || told.noun || ' with a known time took place ' || told.phrase
        || ' in ' || told.window_name || '; these hours make up ' || told.expected_words || ' of the week.'
end
{% endset %}

-- How many moments each cycle has: the most frequent of so many is tested at a confidence that chance among all of them exceeds once in 20.
{% set moments = {
    'weekday_4_hours': (42, 'part of the week', '42 spells of four hours'),
    'season': (4, 'season', 'four seasons'),
    'month_of_year': (12, 'month', 'twelve months'),
} %}
{% set least_events = 20 %}
-- Expected on average in each moment, below which nothing is said of any.
{% set least_expected = 5 %}
{% set least_known = 30 %}

with asked as (
    select
        *,
        split_part(item, '/', 1) as dimension,
        -- A season needs whole years; hours are told of the newest twelve months.
        case when item in ('season', 'month_of_year') then 'whole_years' else 'rolling_12_months' end as period_kind,
        nullif(split_part(item, '/', 2), '') as dimension_value
    from {{ ref('fact_pack') }}
    where template in ('time', 'share_of_time')
),

newest as (
    select
        measure_code,
        period_kind,
        max(period_end_date) as period_end_date
    from {{ ref('rpt_temporal_profile') }}
    where period_kind in ('rolling_12_months', 'whole_years')
    group by measure_code, period_kind
),

moments as (
    select
        found.*,
        asked.fact_code,
        asked.dimension_value as asked_value,
        asked.template,
        asked.noun,
        asked.phrase,
        sum(marts_open.publishable(found.event_count, found.publish_rule)) over fact as told_known_count,
        marts_open.publishable(found.event_count, found.publish_rule) as told_count,
        case asked.dimension
            {% for dimension, (count, one, all) in moments.items() %}
            when '{{ dimension }}' then {{ count }}
            {% endfor %}
        end as moment_count,
        -- More than an even spread would give, by more than chance among all of them.
        100 * case asked.dimension
            {% for dimension, (count, one, all) in moments.items() %}
            when '{{ dimension }}' then marts.wilson_lower(found.event_count, found.known_count, 1 - 0.05 / {{ count }})
            {% endfor %}
        end > found.expected_share_percent as is_above_chance
    from asked
    inner join {{ ref('rpt_temporal_profile') }} as found
        on
            asked.measure_code = found.measure_code
            and asked.dimension = found.dimension
            and asked.period_kind = found.period_kind
    inner join newest
        on
            found.measure_code = newest.measure_code
            and found.period_kind = newest.period_kind
            and found.period_end_date = newest.period_end_date
    window fact as (partition by found.area_code, asked.fact_code)
),

judged as (
    select
        *,
        coalesce(is_above_chance and event_count >= {{ least_events }}, false) as does_stand_out,
        case template
            -- Where the only moments above chance have few events, nothing is said, for or against.
            when 'time'
                then
                    coalesce(bool_or(is_above_chance and event_count >= {{ least_events }}) over fact, false)
                    or coalesce(known_count >= {{ least_expected }} * moment_count and not bool_or(is_above_chance) over fact, false)
            else coalesce(known_count >= {{ least_known }}, false)
        end as is_enough
    from moments
    window fact as (partition by area_code, fact_code)
),

-- The moment asked for; of all, one that stands out before others, and of those the one that exceeds its share by most events.
chosen as (
    select distinct on (area_code, fact_code) *
    from judged
    order by
        area_code asc,
        fact_code asc,
        (dimension_value = asked_value) desc nulls last,
        does_stand_out desc,
        event_count - known_count * expected_share_percent / 100 desc,
        dimension_value asc
),

told as (
    select
        chosen.*,
        case when area.area_type = 'borough' then area.area_name else 'London''s 32 boroughs' end as place,
        case
            when chosen.months_held = 12 then 'the 12 months to '
            when chosen.period_kind = 'whole_years' then 'the ' || {{ years_in_words('chosen.months_held / 12') }} || ' years to '
            else 'the ' || chosen.months_held || ' months held of the 12 to '
        end || to_char(chosen.period_end_date, 'FMMonth YYYY') as window_name,
        case chosen.dimension
            when 'season' then 'in ' || chosen.dimension_value
            when 'month_of_year' then 'in ' || to_char(to_date(chosen.dimension_value, 'MM'), 'FMMonth')
            when 'weekday_4_hours'
                then
                    'between ' || case substr(right(chosen.dimension_value, 5), 1, 2)
                        when '00' then 'midnight and 4am' when '04' then '4am and 8am' when '08' then '8am and noon'
                        when '12' then 'noon and 4pm' when '16' then '4pm and 8pm' when '20' then '8pm and midnight'
                    end || ' on ' || split_part(chosen.dimension_value, ' ', 2) || 's'
        end as moment,
        case when chosen.dimension in ('season', 'month_of_year') then 'year' else 'week' end as cycle,
        {% for words in ['moment_of_cycle', 'moments_in_words'] %}
        case chosen.dimension
            {% for dimension, (count, one, all) in moments.items() %}
            when '{{ dimension }}' then '{{ one if words == 'moment_of_cycle' else all }}'
            {% endfor %}
        end as {{ words }},
        {% endfor %}
        -- Of moments of which none stands out no column names one.
        chosen.template = 'share_of_time' or chosen.does_stand_out as is_told,
        case
            when chosen.is_enough
                then {{ percent_in_words('100.0 * chosen.told_count / nullif(chosen.told_known_count, 0)') }}
        end as share_words,
        {{ percent_in_words('chosen.expected_share_percent') }} as expected_words
    from chosen
    inner join {{ ref('dim_area') }} as area
        on chosen.area_code = area.area_code and (area.area_type = 'borough' or area.area_code = 'LONDON_32')
)

select
    {{ fact_row({
        'area_code': 'told.area_code',
        'fact_code': 'told.fact_code',
        'window_kind': 'told.period_kind',
        'period_start_date': 'told.period_start_date',
        'period_end_date': 'told.period_end_date',
        'numerator': 'case when told.is_told then told.event_count end',
        'denominator': 'told.known_count',
        'value': 'case when told.is_told then told.share_percent end',
        'lower_95': 'case when told.is_told then told.share_lower_95_percent end',
        'upper_95': 'case when told.is_told then told.share_upper_95_percent end',
        'status': "case when told.has_series_break then 'break_in_window' else 'final' end",
        'caveat': break_caveat('told.break_reason'),
        'is_significant': "told.is_told and told.share_words is not null and (told.template = 'time' or told.share_lower_95_percent > told.expected_share_percent or told.share_upper_95_percent < told.expected_share_percent)",
        'effect_percent': '100 * (told.share_percent / nullif(told.expected_share_percent, 0) - 1)',
        'sentence': "case told.template when 'time' then " ~ time_sentence ~ ' else ' ~ share_of_time_sentence ~ ' end',
        'source_release': 'told.source_release',
        'is_provisional': 'false',
    }) }}
from told
