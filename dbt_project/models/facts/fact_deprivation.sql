{% set deprivation_sentence %}
case
    when not told.has_most_deprived
        then 'None of the small areas (LSOAs) of ' || told.place || ' is in the most deprived fifth of London''s.'
    else
        case told.area_code
            when 'LONDON_32'
                then 'The most deprived fifth of London''s small areas (LSOAs) had ' || told.share_words || ' of London''s ' || told.name
            else
                'Of the small areas (LSOAs) of ' || told.place || ', ' || told.places_words || ' are in the most deprived fifth of London''s; they had '
                || told.share_words || ' of the borough''s ' || told.name
        end || ' in ' || told.window_name
        || coalesce(' and have ' || told.residents_words || ' of its residents', '')
        || case
            when told.ratio_lower_95 > 1 or told.ratio_upper_95 < 1
                then '; the rate there was ' || told.ratio_words || ' times that of the least deprived fifth'
            when told.ratio_words is not null then '; the rate there was not significantly different from that of the least deprived fifth'
            else ''
        end || '.'
end
{% endset %}

with asked as (
    select
        *,
        split_part(item, '/', 1) as domain,
        split_part(item, '/', 2) as quintile_basis
    from {{ ref('fact_pack') }}
    where template = 'deprivation'
),

fifth as (
    select
        found.*,
        asked.fact_code,
        asked.name
    from asked
    inner join {{ ref('rpt_deprivation') }} as found
        on
            asked.measure_code = found.measure_code
            and found.place_level = 'lsoa'
            and asked.domain = found.domain
            and asked.quintile_basis = found.quintile_basis
),

-- An area without an LSOA in the most deprived fifth has the fact too: that it has none.
told as (
    select
        fact.*,
        most.quintile is not null as has_most_deprived,
        most.numerator,
        most.denominator,
        most.denominator_year,
        most.share_of_count_percent,
        most.share_of_residents_percent,
        most.ratio_most_to_least_deprived,
        most.ratio_lower_95,
        most.ratio_upper_95,
        case when area.area_type = 'borough' then area.area_name else 'London''s 32 boroughs' end as place,
        {{ months_in_words('fact.window_start_date', 'fact.window_end_date') }} as window_name,
        {{ percent_in_words('100.0 * most.place_count / fact.places') }} as places_words,
        {{ percent_in_words('most.share_of_count_percent') }} as share_words,
        {{ percent_in_words('most.share_of_residents_percent') }} as residents_words,
        {{ one_decimal('most.ratio_most_to_least_deprived') }} as ratio_words
    from (
        select
            area_code,
            fact_code,
            name,
            measure_code,
            window_start_date,
            window_end_date,
            located_share_percent,
            source_release,
            sum(place_count) as places,
            bool_or(has_series_break) as has_series_break,
            bool_or(is_provisional) as is_provisional,
            -- That there is no slope does not matter to a sentence without one.
            max(note) filter (where denominator is null) as note
        from fifth
        group by area_code, fact_code, name, measure_code, window_start_date, window_end_date, located_share_percent, source_release
    ) as fact
    inner join {{ ref('dim_area') }} as area on fact.area_code = area.area_code
    left join fifth as most
        on fact.area_code = most.area_code and fact.fact_code = most.fact_code and most.quintile = 1
)

select
    {{ fact_row({
        'area_code': 'told.area_code',
        'fact_code': 'told.fact_code',
        'window_kind': "'rolling_12'",
        'period_start_date': 'told.window_start_date',
        'period_end_date': 'told.window_end_date',
        'numerator': 'told.numerator',
        'denominator': 'told.denominator',
        'denominator_year': 'told.denominator_year',
        'value': 'told.share_of_count_percent',
        'status': "case when told.has_series_break then 'break_in_window' when told.is_provisional then 'provisional' else 'final' end",
        'caveat': "concat_ws(' ', told.note, case when round(told.located_share_percent::numeric, 1) < 100 then round(told.located_share_percent::numeric, 1) || ' % of the offences could be placed in an LSOA of the index.' end)",
        'is_significant': 'told.ratio_lower_95 > 1 or told.ratio_upper_95 < 1',
        'effect_percent': '100 * (told.ratio_most_to_least_deprived - 1)',
        'sentence': deprivation_sentence,
        'source_release': 'told.source_release',
        'is_provisional': 'told.is_provisional',
    }) }}
from told
