{% set ended_before_months = 24 %}

with last_month as (
    select
        measure_code,
        max(month_start_date) as month_start_date,
        max(max(month_start_date)) over () as newest_month
    from {{ ref('fct_window') }}
    where area_code = 'LONDON_32' and rolling_12_count is not null
    group by measure_code
),

told as (
    select
        found.*,
        measure.unit,
        measure.attribution,
        measure.classification,
        measure.publish_rule,
        {{ residents_in_words('measure.denominator_population') }} as people,
        case when found.area_type = 'borough' then found.area_name else 'London''s 32 boroughs' end as place,
        marts_open.publishable(found.window_count, measure.publish_rule)::double precision * found.rate_per / found.denominator as told_rate
    from last_month
    inner join {{ ref('dim_measure') }} as measure
        on
            last_month.measure_code = measure.measure_code
            and measure.rate_per is not null
            and marts_open.publishable(0, measure.publish_rule) is not null
    cross join
        lateral (
            select every_window.*
            from {{ ref('rpt_borough_measure') }} as every_window
            where
                every_window.measure_code = last_month.measure_code
                and every_window.month_start_date = last_month.month_start_date
                and every_window.window_kind = 'rolling_12'
                and every_window.sex = 'all'
                and every_window.age_band = 'all'
                and (every_window.area_type = 'borough' or (every_window.area_code = 'LONDON_32' and measure.publish_rule = 'open'))
            order by every_window.area_code
            offset 0
        ) as found
    where last_month.month_start_date <= last_month.newest_month - interval '{{ ended_before_months }} months'
)

select
    area_code,
    measure_code,
    month_start_date,
    window_count,
    denominator,
    denominator_year,
    rate_per,
    round(rate::numeric, 4)::double precision as rate,
    place || ' had '
    || case window_count when 0 then 'none' else {{ count_in_words('window_count', 'publish_rule') }} end
    || ' of the ' || unit || ' counted as ' || measure_name || ' in the 12 months to ' || to_char(month_start_date, 'FMMonth YYYY')
    || ', the newest loaded here'
    || coalesce(
        ', or ' || case when told_rate >= 0.05 then {{ one_decimal('told_rate') }} end || ' per '
        || to_char(rate_per, 'FM999,999,999') || ' ' || people, ''
    )
    || '.' as sentence,
    'Source: ' || regexp_replace(attribution, '^Source: ', '') || ' Release ' || source_release || '.' as source_line,
    source_release,
    classification,
    publish_rule
from told
