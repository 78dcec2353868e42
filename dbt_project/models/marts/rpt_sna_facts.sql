-- The newest twelve months and the newest financial year of each measure that a rate is told of.
with newest as materialized (
    select
        win.measure_code,
        span.window_kind,
        max(win.month_start_date) as month_start_date
    from {{ ref('fct_window') }} as win
    cross join
        lateral (
            values
            ('rolling_12', true),
            ('financial_year', extract(month from win.month_start_date) = 3)
        ) as span (window_kind, is_ended)
    inner join {{ ref('dim_measure') }} as measure on win.measure_code = measure.measure_code
    where
        measure.rate_per is not null
        -- Of a rule that lets nothing out, or that is not known, there is no sentence.
        and marts_open.publishable(0, measure.publish_rule) is not null
        and win.area_code = 'LONDON_32'
        and win.rolling_12_count is not null
        and span.is_ended
    group by win.measure_code, span.window_kind
),

-- What the publisher counts of London and no borough has. Both windows are of twelve months.
beyond as materialized (
    select
        newest.measure_code,
        newest.window_kind,
        sum(fact.value)::bigint as count_beyond
    from newest
    inner join {{ ref('fct_measure') }} as fact
        on
            newest.measure_code = fact.measure_code
            and newest.month_start_date >= fact.period_start_date
            and (newest.month_start_date - interval '1 year')::date < fact.period_start_date
    inner join {{ ref('dim_area') }} as area on fact.area_code = area.area_code
    where
        area.area_type in ('unplaced', 'city_of_london')
        and fact.area_code <> 'OUTSIDE_LONDON'
        and fact.period_kind = 'month'
        and fact.sex = 'all'
        and fact.age_band = 'all'
        and fact.ethnicity = 'all'
    group by newest.measure_code, newest.window_kind
),

facts as (
    select
        found.*,
        measure.unit,
        measure.exactness,
        measure.proxy_of,
        measure.proxy_reason,
        measure.attribution,
        measure.classification,
        measure.publish_rule,
        case when found.area_code = 'LONDON_32' then beyond.count_beyond end as count_beyond,
        measure.publish_rule <> 'open' as is_ruled,
        regexp_replace(regexp_replace(measure.unit, 'ches$', 'ch'), 's$', '') as unit_of_one,
        case when measure.denominator_population like 'all:%' then '' else split_part(measure.denominator_population, ':', 1) || ' ' end
        || 'residents'
        || case
            when measure.denominator_population like '%:all' then ''
            else ' aged ' || replace(replace(split_part(measure.denominator_population, ':', 2), '-', ' to '), '+', ' and over')
        end as people,
        case found.window_kind
            when 'rolling_12' then 'the 12 months to ' || to_char(found.month_start_date, 'FMMonth YYYY')
            else
                'April ' || to_char(found.window_start_date, 'YYYY') || ' to March ' || to_char(found.month_start_date, 'YYYY')
        end as window_name,
        case when found.area_type = 'borough' then found.area_name else 'London (32 boroughs)' end as place,
        to_char(found.rate_per, 'FM999,999,999') as per
    from newest
    -- Offset 0 keeps the view from being worked out for every month there is before the newest are picked out of it.
    cross join
        lateral (
            select every_window.*
            from {{ ref('rpt_borough_measure') }} as every_window
            where
                every_window.measure_code = newest.measure_code
                and every_window.month_start_date = newest.month_start_date
                and every_window.window_kind = newest.window_kind
                and every_window.sex = 'all'
                and every_window.age_band = 'all'
                and (every_window.area_type = 'borough' or every_window.area_code = 'LONDON_32')
            order by every_window.area_code
            offset 0
        ) as found
    inner join {{ ref('dim_measure') }} as measure on found.measure_code = measure.measure_code
    left join beyond on found.measure_code = beyond.measure_code and found.window_kind = beyond.window_kind
),

-- What a sentence may say of its counts: each as the rule of its row lets it out, and rates and changes of no other counts.
worded as (
    select
        *,
        {% for count in ['window_count', 'count_year_before', 'count_beyond'] %}
        marts_open.publishable_in_words({{ count }}, publish_rule) as {{ count }}_in_words,
        {% endfor %}
        marts_open.publishable(window_count, publish_rule) as told_count,
        marts_open.publishable(count_year_before, publish_rule) as told_count_year_before,
        {% set told = "marts_open.publishable(window_count, publish_rule)" %}
        {% for rate, count, residents in [
            ('rate', told, 'denominator'),
            ('rate_lower_95', 'marts.poisson_lower(' ~ told ~ '::double precision, 0.95)', 'denominator'),
            ('rate_upper_95', 'marts.poisson_upper(' ~ told ~ '::double precision, 0.95)', 'denominator'),
            ('london_rate', 'marts_open.publishable(london_count, publish_rule)', 'london_denominator'),
        ] %}
        case
            when is_ruled then {{ count }}::double precision / nullif({{ residents }}, 0) * rate_per
            else {{ rate }}
        end as told_{{ rate }},
        {% endfor %}
        is_ruled and window_count between 1 and 7 as is_withheld,
        is_ruled and count_year_before between 1 and 7 as is_year_before_withheld,
        -- Of k withheld boroughs, each 1 to 7, London's total less the others tells the sum: of one it is the count, and of more a sum
        -- below 2k or above 6k leaves one of them a single value (the rule of marts_open.measure).
        coalesce(
            {% for count in ['window_count', 'count_year_before'] %}
            {% set withheld = "filter (where is_ruled and area_type = 'borough' and " ~ count ~ " between 1 and 7) over of_london" %}
            count(*) {{ withheld }} = 1
            or sum({{ count }}) {{ withheld }} not between 2 * count(*) {{ withheld }} and 6 * count(*) {{ withheld }}
            {{ 'or' if not loop.last }}
            {% endfor %},
            false
        ) as does_total_tell
    from facts
    window of_london as (partition by measure_code, window_kind)
),

-- The newest value of each indicator of hospital admissions and drivers, as its publisher gives it.
indicator as (
    select
        driver.*,
        area.area_name,
        measure.measure_name,
        measure.exactness,
        measure.proxy_of,
        measure.proxy_reason,
        measure.attribution,
        measure.classification,
        measure.publish_rule,
        case
            when driver.period_kind like 'on\_%' then 'on ' || to_char(driver.period_end_date, 'FMDD FMMonth YYYY')
            when driver.period_end_date - driver.period_start_date < 31 then 'in ' || to_char(driver.period_end_date, 'FMMonth YYYY')
            else
                'in ' || to_char(driver.period_start_date, 'FMMonth YYYY') || ' to ' || to_char(driver.period_end_date, 'FMMonth YYYY')
                || case
                    when driver.period_end_date - driver.period_start_date > 366
                        then ', ' || round((driver.period_end_date - driver.period_start_date) / 365.25) || ' years taken together'
                    else ''
                end
        end as period_name,
        case measure.unit when 'score' then '' else ' ' || measure.unit end
        || case when measure.definition ilike '%age standardised%' then ', directly age-standardised,' else '' end as unit_name,
        -- Of what happens in a place to whoever is there; patients are counted where they live.
        case when measure.unit like 'offences per %' then area.residents_caveat end as residents_caveat
    from {{ ref('rpt_drivers') }} as driver
    inner join {{ ref('dim_area') }} as area on driver.area_code = area.area_code and area.area_type = 'borough'
    inner join {{ ref('dim_measure') }} as measure on driver.measure_code = measure.measure_code
    where driver.is_newest_period
)

select
    worded.area_code,
    worded.measure_code || '/' || worded.window_kind as fact_code,
    worded.measure_code,
    worded.window_kind,
    worded.month_start_date,
    worded.window_count,
    worded.denominator,
    worded.denominator_year,
    worded.rate_per,
    round(worded.rate::numeric, 4)::double precision as rate,
    round(worded.rate_lower_95::numeric, 4)::double precision as rate_lower_95,
    round(worded.rate_upper_95::numeric, 4)::double precision as rate_upper_95,
    worded.count_year_before,
    worded.change_on_year_before_percent,
    worded.change_on_2019_percent,
    worded.share_of_london_percent,
    round(worded.london_rate::numeric, 4)::double precision as london_rate,
    round(worded.similar_areas_rate::numeric, 4)::double precision as similar_areas_rate,
    worded.rank_in_london,
    worded.significance_against_london,
    worded.status,
    worded.exactness,
    case
        when worded.area_code = 'LONDON_32' and worded.does_total_tell
            then
                worded.measure_name || ': the total of ' || worded.place || ' in ' || worded.window_name
                || ' is not told: with it a borough that has 1 to 7, in these 12 months or the 12 before, could be worked out.'
                || case
                    when worded.exactness = 'proxy' then ' A proxy: ' || coalesce(worded.proxy_reason, 'see the measure''s caveat.')
                    else coalesce(' As a stand-in for ' || worded.proxy_of || ': ' || worded.proxy_reason, '')
                end
        else
            worded.measure_name || ': ' || worded.window_count_in_words || ' '
            || case worded.window_count_in_words when '1' then worded.unit_of_one else worded.unit end
            || ' in ' || worded.place || ' in ' || worded.window_name
            || case
                when worded.told_rate is null then ''
                else
                    ', ' || {{ rate_in_words('worded.told_rate') }} || ' per ' || worded.per || ' ' || worded.people || ' (95 % limits '
                    || {{ rate_in_words('worded.told_rate_lower_95') }} || ' to ' || {{ rate_in_words('worded.told_rate_upper_95') }}
                    || '; population of mid-' || worded.denominator_year || ')'
            end
            || '.'
            || case
                when worded.count_beyond > 0
                    then ' Not in it: ' || worded.count_beyond_in_words || ' more without a borough (unplaced, or in the City of London).'
                else ''
            end
            || case
                when worded.status = 'break_in_window'
                    then ' This window lies across a break in the series: its count mixes what was counted before and after.'
                else ''
            end
            || case
                when worded.count_year_before is null then ' There is no whole year before to compare with.'
                when worded.status = 'break_in_window'
                    then ' The year before (' || worded.count_year_before_in_words || ') is not comparable.'
                when worded.status = 'break_in_comparison'
                    then
                        ' The year before (' || worded.count_year_before_in_words || ') is not comparable: '
                        || worded.break_reason || '.'
                when worded.count_year_before = 0 then ' There were none in the year before.'
                when worded.is_withheld or worded.is_year_before_withheld
                    then ' In the year before there were ' || worded.count_year_before_in_words || '.'
                when worded.told_count = worded.told_count_year_before
                    then ' That is ' || case when worded.is_ruled then 'about ' else '' end || 'as many as in the year before.'
                when worded.told_count_year_before < 10
                    then
                        ' In the year before there ' || case worded.count_year_before when 1 then 'was ' else 'were ' end
                        || worded.count_year_before_in_words || ': too few for a percentage.'
                when worded.told_count < 10
                    then ' In the year before there were ' || worded.count_year_before_in_words || '; these are too few for a percentage.'
                when round(100.0 * abs(worded.told_count - worded.told_count_year_before) / worded.told_count_year_before, 1) = 0
                    then ' That is nearly as many as in the year before (' || worded.count_year_before_in_words || ').'
                else
                    -- Rounded once, from the counts.
                    ' That is '
                    || case
                        when worded.is_ruled
                            then
                                'about '
                                || round(100.0 * abs(worded.told_count - worded.told_count_year_before) / worded.told_count_year_before)
                        else
                            trim(
                                trailing '.' from trim(
                                    trailing '0' from to_char(
                                        100.0 * abs(worded.told_count - worded.told_count_year_before) / worded.told_count_year_before,
                                        'FM999990.0'
                                    )
                                )
                            )
                    end
                    || case when worded.told_count > worded.told_count_year_before then ' % more' else ' % fewer' end
                    || ' than in the year before (' || worded.count_year_before_in_words || ').'
            end
            || case
                when worded.status = 'break_in_window'
                    then
                        ' Breaks since ' || to_char(worded.window_start_date - interval '1 year', 'FMMonth YYYY') || ': '
                        || worded.break_reason || '.'
                else ''
            end
            || case
                when
                    worded.area_code = 'LONDON_32'
                    or worded.does_total_tell
                    or worded.told_rate is null
                    or worded.told_london_rate is null
                    then ''
                else
                    ' London''s rate is ' || {{ rate_in_words('worded.told_london_rate') }} || '; ' || worded.place
                    -- Boroughs that count none share a place that says nothing of them.
                    || case
                        when worded.window_count > 0 then ' ranks ' || worded.rank_in_london || ' of 32 (1 is the highest) and'
                        else ''
                    end
                    || ' is '
                    || case
                        when worded.significance_against_london = 'Not significant' then 'not significantly different.'
                        when worded.significance_against_london like 'High%' then 'significantly higher.'
                        else 'significantly lower.'
                    end
            end
            || case when worded.is_provisional then ' Provisional.' else '' end
            || case when worded.is_withheld then '' else coalesce(' ' || worded.residents_caveat, '') end
            || case
                when worded.exactness = 'proxy' then ' A proxy: ' || coalesce(worded.proxy_reason, 'see the measure''s caveat.')
                else coalesce(' As a stand-in for ' || worded.proxy_of || ': ' || worded.proxy_reason, '')
            end
    end as sentence,
    'Source: ' || worded.attribution || ' Release ' || worded.source_release
    || case
        when worded.is_withheld then ''
        else coalesce('; population: ONS mid-year estimates for ' || worded.denominator_year || ' (NOMIS)', '')
    end
    || '.' as source_line,
    worded.source_release,
    worded.is_provisional,
    worded.classification,
    worded.publish_rule
from worded
union all
select
    indicator.area_code,
    indicator.measure_code || '/' || indicator.period_kind as fact_code,
    indicator.measure_code,
    'as_published' as window_kind,
    date_trunc('month', indicator.period_end_date)::date as month_start_date,
    null as window_count,
    null as denominator,
    null as denominator_year,
    null as rate_per,
    round(indicator.value::numeric, 4)::double precision as rate,
    round(indicator.lower_95_limit::numeric, 4)::double precision as rate_lower_95,
    round(indicator.upper_95_limit::numeric, 4)::double precision as rate_upper_95,
    null as count_year_before,
    null as change_on_year_before_percent,
    null as change_on_2019_percent,
    null as share_of_london_percent,
    round(indicator.london_value::numeric, 4)::double precision as london_rate,
    null as similar_areas_rate,
    indicator.rank_in_london::smallint as rank_in_london,
    null as significance_against_london,
    'as_published' as status,
    indicator.exactness,
    indicator.measure_name || ': '
    || case
        when indicator.value is null then 'no value for ' || indicator.area_name || ' ' || indicator.period_name || '.'
        else
            {{ rate_in_words('indicator.value') }} || indicator.unit_name || ' in ' || indicator.area_name || ' ' || indicator.period_name
            || coalesce(
                ' (95 % limits: ' || {{ rate_in_words('indicator.lower_95_limit') }}
                || ' to ' || {{ rate_in_words('indicator.upper_95_limit') }} || ')', ''
            ) || '.'
    end
    -- London and England of the publisher: with the City of London in it.
    || coalesce(' London with the City: ' || {{ rate_in_words('indicator.london_value') }} || '.', '')
    || coalesce(' England: ' || {{ rate_in_words('indicator.england_value') }} || '.', '')
    || coalesce(
        ' ' || indicator.area_name || ' ranks ' || indicator.rank_in_london || ' of ' || indicator.boroughs_ranked || ' (1 is the highest)'
        || case indicator.compared_to_london
            when 'similar' then ' and is not clearly different from London'
            when 'higher' then ' and is higher than London'
            when 'lower' then ' and is lower than London'
            else ''
        end || '.', ''
    )
    || case
        when indicator.is_force_wide
            then ' This is the value of the whole police force, the same for each of its boroughs: it says nothing of this one.'
        -- What NOMIS notes of its interval are the limits above.
        when indicator.note like '95 \% conf%' then ''
        else coalesce(' ' || rtrim(indicator.note, '.') || '.', '')
    end
    || case
        when indicator.includes_city_of_london and coalesce(indicator.note, '') not like '%City of London%'
            then ' The City of London is counted with it.'
        else ''
    end
    || case when indicator.is_provisional then ' Provisional.' else '' end
    || case when indicator.value is not null then coalesce(' ' || indicator.residents_caveat, '') else '' end
    || case
        when indicator.exactness = 'proxy' then ' A proxy: ' || coalesce(indicator.proxy_reason, 'see the measure''s caveat.')
        else coalesce(' As a stand-in for ' || indicator.proxy_of || ': ' || indicator.proxy_reason, '')
    end as sentence,
    'Source: ' || regexp_replace(indicator.attribution, '^Source: ', '') || ' Release ' || indicator.source_release || '.' as source_line,
    indicator.source_release,
    indicator.is_provisional,
    indicator.classification,
    indicator.publish_rule
from indicator
