{% set place_sentence %}
case
    when told.top_count = 0
        then 'No ' || told.name || ' was recorded in a ward of ' || told.place || ' in ' || told.window_name || '.'
    else
        told.top_name_in_words || ' had the most ' || told.name || ' of the ' || told.small_areas || ' wards '
        || case told.area_code when 'LONDON_32' then 'of London' else 'of ' || told.place end
        || ' in ' || told.window_name || ': ' || told.top_count_words || ' ' || told.unit || ', or ' || told.top_share_words || ' of the '
        || case told.area_code when 'LONDON_32' then 'London' else 'borough' end || ' total.'
        || case
            when told.small_areas > 6 then ' The three wards with the most had ' || told.top_three_share_words || '.'
            else ''
        end
end
{% endset %}

-- A ward with none of a measure has no row of it: counted are those of any.
with ward as (
    select
        coalesce(area_code, 'LONDON_32') as scope_area_code,
        count(distinct small_area_code) as small_areas
    from {{ ref('rpt_hotspots') }}
    where area_level = 'ward'
    group by grouping sets ((), (area_code))
),

placed as (
    select
        hot.*,
        scope.scope_area_code,
        scope.rank_in_scope,
        sum(hot.count_12_months) over in_scope as scope_count,
        ward.small_areas,
        row_number() over (
            partition by hot.measure_code, scope.scope_area_code order by hot.count_12_months desc, hot.small_area_code asc
        ) as place_number
    from {{ ref('rpt_hotspots') }} as hot
    cross join
        lateral (
            values (hot.area_code, hot.rank_in_borough), ('LONDON_32', hot.rank_in_london)
        ) as scope (scope_area_code, rank_in_scope)
    inner join ward on scope.scope_area_code = ward.scope_area_code
    where
        hot.area_level = 'ward'
        and hot.measure_code in (
            select pack.measure_code from {{ ref('fact_pack') }} as pack
            where pack.template = 'place'
        )
    window in_scope as (partition by hot.measure_code, scope.scope_area_code)
),

topped as (
    select
        scope_area_code as area_code,
        measure_code,
        min(window_start_date) as window_start_date,
        max(window_end_date) as window_end_date,
        max(scope_count) as scope_count,
        max(small_areas) as small_areas,
        string_agg(small_area_name, ' and ' order by small_area_code) filter (where rank_in_scope = 1) as top_name,
        max(area_code) filter (where place_number = 1) as top_area_code,
        max(count_12_months) filter (where place_number = 1) as top_count,
        count(*) filter (where rank_in_scope = 1) as top_places,
        sum(count_12_months) filter (where place_number <= 3) as top_three_count,
        bool_or(has_series_break) as has_series_break,
        max(source_release) as source_release,
        bool_or(is_provisional) as is_provisional
    from placed
    group by scope_area_code, measure_code
),

told as (
    select
        topped.*,
        pack.fact_code,
        pack.name,
        measure.unit,
        case when area.area_type = 'borough' then area.area_name else 'London' end as place,
        case
            when topped.area_code = 'LONDON_32' then topped.top_name || ' (' || home.area_name || ')'
            else topped.top_name
        end || case when topped.top_places > 1 then ', equal,' else '' end as top_name_in_words,
        {{ months_in_words('topped.window_start_date', 'topped.window_end_date') }} as window_name,
        {{ count_in_words('topped.top_count', 'measure.publish_rule') }} as top_count_words,
        {{ percent_in_words('100.0 * topped.top_count / nullif(topped.scope_count, 0)') }} as top_share_words,
        {{ percent_in_words('100.0 * topped.top_three_count / nullif(topped.scope_count, 0)') }} as top_three_share_words
    from topped
    inner join {{ ref('fact_pack') }} as pack on topped.measure_code = pack.measure_code and pack.template = 'place'
    inner join {{ ref('dim_measure') }} as measure on topped.measure_code = measure.measure_code and measure.publish_rule = 'open'
    inner join {{ ref('dim_area') }} as area on topped.area_code = area.area_code
    inner join {{ ref('dim_area') }} as home on topped.top_area_code = home.area_code
)

select
    {{ fact_row({
        'area_code': 'told.area_code',
        'fact_code': 'told.fact_code',
        'window_kind': "'rolling_12'",
        'period_start_date': 'told.window_start_date',
        'period_end_date': 'told.window_end_date',
        'numerator': 'told.top_count',
        'denominator': 'told.scope_count',
        'value': 'round(100.0 * told.top_count / nullif(told.scope_count, 0), 4)',
        'status': "case when told.has_series_break then 'break_in_window' when told.is_provisional then 'provisional' else 'final' end",
        'sentence': place_sentence,
        'source_release': 'told.source_release',
        'is_provisional': 'told.is_provisional',
    }) }}
from told
