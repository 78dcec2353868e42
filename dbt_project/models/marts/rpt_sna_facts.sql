{% set per_cent = "trim(trailing '.' from trim(trailing '0' from to_char(abs(facts.change_on_year_before_percent), 'FM999990.0')))" %}
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
        and win.area_code = 'LONDON_32'
        and win.rolling_12_count is not null
        and span.is_ended
    group by win.measure_code, span.window_kind
),

facts as (
    select
        found.*,
        measure.unit,
        measure.exactness,
        measure.proxy_reason,
        measure.attribution,
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
)

select
    facts.area_code,
    facts.measure_code || '/' || facts.window_kind as fact_code,
    facts.measure_code,
    facts.window_kind,
    facts.month_start_date,
    facts.window_count,
    facts.denominator,
    facts.denominator_year,
    facts.rate_per,
    round(facts.rate::numeric, 4)::double precision as rate,
    round(facts.rate_lower_95::numeric, 4)::double precision as rate_lower_95,
    round(facts.rate_upper_95::numeric, 4)::double precision as rate_upper_95,
    facts.count_year_before,
    facts.change_on_year_before_percent,
    facts.change_on_2019_percent,
    facts.share_of_london_percent,
    round(facts.london_rate::numeric, 4)::double precision as london_rate,
    round(facts.similar_areas_rate::numeric, 4)::double precision as similar_areas_rate,
    facts.rank_in_london,
    facts.significance_against_london,
    facts.status,
    facts.exactness,
    facts.measure_name || ': ' || to_char(facts.window_count, 'FM999,999,999') || ' ' || facts.unit || ' in ' || facts.place
    || ' in ' || facts.window_name
    || coalesce(
        ', ' || to_char(facts.rate, 'FM999,990.00') || ' per ' || facts.per || ' residents (95 % limits '
        || to_char(facts.rate_lower_95, 'FM999,990.00') || ' to ' || to_char(facts.rate_upper_95, 'FM999,990.00')
        || '; population of mid-' || facts.denominator_year || ')', ''
    )
    || '.'
    || case
        when facts.count_year_before is null then ' There is no whole year before to compare with.'
        when facts.status in ('break_in_window', 'break_in_comparison')
            then
                ' The year before (' || to_char(facts.count_year_before, 'FM999,999,999')
                || ') is not comparable: ' || facts.break_reason || '.'
        when facts.count_year_before = 0 then ' There were none in the year before.'
        when facts.window_count < 10 and facts.count_year_before < 10
            then ' In the year before there were ' || facts.count_year_before || ': too few for a percentage.'
        when facts.window_count = facts.count_year_before then ' That is as many as in the year before.'
        else
            ' That is ' || {{ per_cent }}
            || case when facts.window_count > facts.count_year_before then ' % more' else ' % fewer' end
            || ' than in the year before (' || to_char(facts.count_year_before, 'FM999,999,999') || ').'
    end
    || case
        when facts.area_code = 'LONDON_32' or facts.rate is null or facts.london_rate is null then ''
        else
            ' London''s rate is ' || to_char(facts.london_rate, 'FM999,990.00') || '; ' || facts.place || ' ranks '
            || facts.rank_in_london || ' of 32 (1 is the highest) and is '
            || case
                when facts.significance_against_london = 'Not significant' then 'not significantly different.'
                when facts.significance_against_london like 'High%' then 'significantly higher.'
                else 'significantly lower.'
            end
    end
    || case when facts.is_provisional then ' Provisional.' else '' end
    || coalesce(' ' || facts.residents_caveat, '')
    || case when facts.exactness = 'proxy' then ' A proxy: ' || coalesce(facts.proxy_reason, 'see the measure''s caveat.') else '' end
        as sentence,
    'Source: ' || facts.attribution || ' Release ' || facts.source_release
    || coalesce('; population: ONS mid-year estimates for ' || facts.denominator_year || ' (NOMIS)', '') || '.' as source_line,
    facts.source_release,
    facts.is_provisional
from facts
