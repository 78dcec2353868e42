{% set ratio_sentence %}
case
    when told.ratio_words is null
        then 'Too few ' || told.noun || ' in ' || told.place || ' in ' || told.window_name || ' to set them against ' || told.phrase || '.'
    else
        'For every 100 ' || told.phrase || ' in ' || told.place || ' in ' || told.window_name || ', there were ' || told.ratio_words || ' '
        || told.noun || coalesce(': ' || told.comparison, '') || '.'
end
{% endset %}

with told as (
    select
        found.*,
        pack.fact_code,
        pack.noun,
        pack.phrase,
        case when area.area_type = 'borough' then area.area_name else 'London''s 32 boroughs' end as place,
        {{ months_in_words('found.period_start_date', 'found.period_end_date') }} as window_name,
        -- From the count as its rule lets it out: an exact ratio times the police's open count is the exact count.
        case
            when found.health_per_police is not null
                then
                    {{ one_decimal('found.told_ratio') }}
        end as ratio_words,
        case
            when found.compared_with_london is not null
                then {{ compared_in_words('found.compared_with_london', "'London'", one_decimal('found.told_london_ratio')) }}
        end as comparison
    from (
        select
            *,
            case
                when not is_london_withheld then max(told_ratio) filter (where area_code = 'LONDON_32') over of_london
            end as told_london_ratio
        from (
            select
                *,
                100 * marts_open.publishable(health_count, publish_rule) / nullif(police_count, 0) as told_ratio,
                -- Beside a borough that is withheld London's count could tell it.
                bool_or(area_code like 'E09%' and marts_open.publishable(health_count, publish_rule) is null) over (
                    partition by health_measure_code, police_measure_code, period_end_date
                ) as is_london_withheld,
                max(period_end_date) over (partition by health_measure_code, police_measure_code) as newest_end_date
            from {{ ref('rpt_police_health') }}
            where period_kind = 'rolling_12_months'
        ) as counted
        window of_london as (partition by health_measure_code, police_measure_code, period_end_date)
    ) as found
    inner join {{ ref('fact_pack') }} as pack
        on
            found.health_measure_code = pack.measure_code
            and found.police_measure_code = pack.item
            and pack.template = 'ratio'
    inner join {{ ref('dim_area') }} as area
        on found.area_code = area.area_code and (area.area_type = 'borough' or area.area_code = 'LONDON_32')
    where found.period_end_date = found.newest_end_date and (found.area_code <> 'LONDON_32' or not found.is_london_withheld)
)

select
    {{ fact_row({
        'area_code': 'told.area_code',
        'fact_code': 'told.fact_code',
        'window_kind': "'rolling_12'",
        'period_start_date': 'told.period_start_date',
        'period_end_date': 'told.period_end_date',
        'numerator': 'told.health_count',
        'denominator': 'told.police_count',
        'value': '100 * told.health_per_police',
        'lower_95': '100 * told.health_per_police_lower_95',
        'upper_95': '100 * told.health_per_police_upper_95',
        'london_value': '100 * told.london_health_per_police',
        'significance': 'told.compared_with_london',
        'status': "case when told.has_series_break then 'break_in_window' else 'final' end",
        'caveat': "concat_ws(' ', told.caveat, " ~ break_caveat('told.break_reason') ~ ")",
        'is_significant': "told.compared_with_london in ('higher', 'lower')",
        'effect_percent': 'told.index_to_london - 100',
        'sentence': ratio_sentence,
        'source_release': 'told.health_release',
        'is_provisional': 'false',
    }) }}
from told
