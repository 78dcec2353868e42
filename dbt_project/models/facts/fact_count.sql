-- A fact of London may be of a measure of its own, which is told of London as published; the pack's is then of the boroughs alone.
with asked as (
    select
        pack.fact_code,
        pack.template,
        pack.rate_per,
        pack.noun_of_one,
        told_of.area_kind,
        told_of.measure_code,
        told_of.name,
        case told_of.area_kind when 'london' then 'LONDON_PUBLISHED' else 'LONDON_32' end as london_area_code,
        case told_of.area_kind when 'london' then told_of.name else pack.noun end as noun
    from {{ ref('fact_pack') }} as pack
    cross join
        lateral (
            values
            (case when pack.london_measure_code is null then 'all' else 'boroughs' end, pack.measure_code, pack.name),
            ('london', pack.london_measure_code, pack.london_name)
        ) as told_of (area_kind, measure_code, name)
    where pack.template in ('level', 'change', 'rank') and told_of.measure_code is not null
),

-- The newest twelve months of each measure that is asked for.
newest as materialized (
    select
        win.measure_code,
        max(win.month_start_date) as month_start_date
    from {{ ref('fct_window') }} as win
    inner join asked on win.measure_code = asked.measure_code and win.area_code = asked.london_area_code
    where win.rolling_12_count is not null
    group by win.measure_code
),

found as (
    select
        windows.*,
        measure.unit,
        measure.publish_rule,
        measure.denominator_population,
        case
            when windows.area_type = 'borough' then windows.area_name
            when windows.area_code = 'LONDON_PUBLISHED' then 'London'
            else 'London''s 32 boroughs'
        end as place,
        marts_open.publishable(windows.window_count, measure.publish_rule) as told_now,
        marts_open.publishable(windows.count_year_before, measure.publish_rule) as told_before,
        -- The one place where it is decided whether a window is told against the one a year before.
        coalesce(windows.is_comparable_on_year_before, false) as is_comparable,
        -- The nearest of several, or what they come to, which stands last; the others are in the caveat.
        regexp_replace(windows.break_reason, '^.*; ', '') as break_label
    from newest
    inner join {{ ref('dim_measure') }} as measure
        on newest.measure_code = measure.measure_code and marts_open.publishable(0, measure.publish_rule) is not null
    -- Offset 0 keeps the view from being worked out for every month there is before the newest is picked out of it.
    cross join
        lateral (
            select every_window.*
            from {{ ref('rpt_borough_measure') }} as every_window
            where
                every_window.measure_code = newest.measure_code
                and every_window.month_start_date = newest.month_start_date
                and every_window.window_kind = 'rolling_12'
                and every_window.sex = 'all'
                and every_window.age_band = 'all'
                and (every_window.area_type = 'borough' or every_window.area_code in ('LONDON_32', 'LONDON_PUBLISHED'))
            order by every_window.area_code
            offset 0
        ) as windows
),

-- Of k withheld boroughs, each 1 to 7, London's total less the others tells the sum: of one it is the count, and of more a sum below 2k or
-- above 6k leaves one of them a single value. What anyone sees is ruled more closely (marts_open.tells_a_part): these are for analysts.
guarded as (
    select
        *,
        coalesce(
            {% for count, told in [('window_count', 'told_now'), ('count_year_before', 'told_before')] %}
            {% set withheld = "filter (where area_type = 'borough' and " ~ count ~ " > 0 and " ~ told ~ " is null) over of_london" %}
            count(*) {{ withheld }} = 1
            or sum({{ count }}) {{ withheld }} not between 2 * count(*) {{ withheld }} and 6 * count(*) {{ withheld }}
            {{ 'or' if not loop.last }}
            {% endfor %},
            false
        ) as does_total_tell,
        max(told_now) filter (where area_code = 'LONDON_32') over of_london as london_now,
        max(told_before) filter (where area_code = 'LONDON_32') over of_london as london_before,
        bool_or(is_comparable) filter (where area_code = 'LONDON_32') over of_london as is_london_comparable
    from found
    window of_london as (partition by measure_code)
),

-- Of a ruled measure from the counts as they are let out, which tell nothing more together; none where one of the boroughs is withheld.
similar_areas as (
    select
        similar_to.borough_code,
        own.measure_code,
        case
            when count(*) = count(other.told_now) and count(*) = count(other.denominator)
                then sum(other.told_now)::double precision / nullif(sum(other.denominator), 0)
        end as told_rate_of_one
    from guarded as own
    inner join {{ ref('dim_similar_area') }} as similar_to on own.area_code = similar_to.borough_code
    left join guarded as other on similar_to.similar_area_code = other.area_code and own.measure_code = other.measure_code
    group by similar_to.borough_code, own.measure_code
),

figured as (
    select
        guarded.*,
        asked.fact_code,
        asked.template,
        asked.rate_per as told_per,
        asked.name,
        asked.noun,
        asked.noun_of_one,
        guarded.told_now::double precision * asked.rate_per / guarded.denominator as told_rate,
        case
            when not guarded.does_total_tell then guarded.london_now::double precision * asked.rate_per / guarded.london_denominator
        end as told_london_rate,
        case
            when guarded.publish_rule = 'open' then guarded.similar_areas_rate / guarded.rate_per * asked.rate_per
            else similar_areas.told_rate_of_one * asked.rate_per
        end as told_similar_rate,
        case
            when guarded.area_type = 'borough'
                then marts.funnel_label(guarded.window_count, guarded.similar_areas_rate / guarded.rate_per * guarded.denominator)
        end as significance_against_similar,
        {{ change_verdict('guarded.told_now', 'guarded.told_before') }} as change_verdict,
        {{ change_verdict('guarded.london_now', 'guarded.london_before') }} as london_verdict,
        case
            when guarded.told_before >= 10 and guarded.told_now >= 10
                then 100.0 * (guarded.told_now - guarded.told_before) / guarded.told_before
        end as told_change,
        case
            when guarded.london_before >= 10 and guarded.london_now >= 10
                then 100.0 * (guarded.london_now - guarded.london_before) / guarded.london_before
        end as london_change
    from guarded
    inner join asked
        on
            guarded.measure_code = asked.measure_code
            and case guarded.area_code
                when 'LONDON_PUBLISHED' then asked.area_kind = 'london'
                when 'LONDON_32' then asked.area_kind = 'all'
                else asked.area_kind <> 'london'
            end
    left join similar_areas
        on guarded.area_code = similar_areas.borough_code and guarded.measure_code = similar_areas.measure_code
    where
        -- A level and a rank of London are not told where they would tell what a borough withholds.
        (guarded.area_code <> 'LONDON_32' or not guarded.does_total_tell)
        and (asked.template <> 'change' or guarded.count_year_before is not null)
        -- A rank of what is withheld would be told beside its rate of London.
        and (
            asked.template <> 'rank'
            or (guarded.rank_basis = 'rate' and guarded.rate is not null and guarded.publish_rule = 'open')
            or (guarded.area_code = 'LONDON_32' and guarded.rate is not null and guarded.publish_rule = 'open')
        )
),

told as (
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
    from figured
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
        'sentence': "case told.template when 'level' then " ~ level_sentence() ~ " when 'change' then " ~ change_sentence()
            ~ " else " ~ rank_sentence() ~ " end",
        'source_release': 'told.source_release',
        'is_provisional': 'told.is_provisional',
    }) }}
from told
