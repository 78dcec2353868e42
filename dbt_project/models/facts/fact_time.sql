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

-- The moment asked for, or the one that exceeds its share of the hours by most events.
chosen as (
    select distinct on (found.area_code, asked.fact_code)
        found.*,
        asked.fact_code,
        asked.template,
        asked.noun,
        asked.phrase,
        sum(marts_open.publishable(found.event_count, found.publish_rule)) over fact as told_known_count,
        marts_open.publishable(found.event_count, found.publish_rule) as told_count
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
    order by
        found.area_code asc,
        asked.fact_code asc,
        (found.dimension_value = asked.dimension_value) desc nulls last,
        found.event_count desc,
        found.dimension_value asc
),

told as (
    select
        chosen.*,
        case when area.area_type = 'borough' then area.area_name else 'London''s 32 boroughs' end as place,
        case
            when chosen.months_held = 12 then 'the 12 months to '
            when chosen.period_kind = 'whole_years' then 'the ' || chosen.months_held / 12 || ' years to '
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
        case
            when chosen.known_count >= 30
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
        'numerator': 'told.event_count',
        'denominator': 'told.known_count',
        'value': 'told.share_percent',
        'lower_95': 'told.share_lower_95_percent',
        'upper_95': 'told.share_upper_95_percent',
        'status': "case when told.has_series_break then 'break_in_window' else 'final' end",
        'caveat': break_caveat('told.break_reason'),
        'is_significant': 'told.share_words is not null and (told.share_lower_95_percent > told.expected_share_percent or told.share_upper_95_percent < told.expected_share_percent)',
        'effect_percent': '100 * (told.share_percent / nullif(told.expected_share_percent, 0) - 1)',
        'sentence': "case told.template when 'time' then " ~ time_sentence() ~ ' else ' ~ share_of_time_sentence() ~ ' end',
        'source_release': 'told.source_release',
        'is_provisional': 'false',
    }) }}
from told
