-- The newest twelve months of each measure that is asked for.
with newest as materialized (
    select
        win.measure_code,
        max(win.month_start_date) as month_start_date
    from {{ ref('fct_window') }} as win
    inner join {{ ref('fact_count_asked') }} as asked on win.measure_code = asked.measure_code and win.area_code = asked.london_area_code
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

told as (
    select
        *,
        area_type = 'borough' and window_count > 0 and told_now is null as is_withheld_now,
        area_type = 'borough' and count_year_before > 0 and told_before is null as is_withheld_before
    from found
)

-- Of k withheld boroughs, each 1 to 7, London's total less the others tells the sum: of one it is the count, and of more a sum below 2k or
-- above 6k leaves one of them a single value. What anyone sees is ruled more closely (marts_open.tells_a_part): these are for analysts.
select
    measure_code,
    area_code,
    area_name,
    area_type,
    window_kind,
    month_start_date,
    window_start_date,
    window_end_date,
    window_count,
    denominator,
    denominator_year,
    rate,
    rate_per,
    rate_lower_95,
    rate_upper_95,
    count_year_before,
    change_on_year_before_percent,
    change_on_2019_percent,
    share_of_london_percent,
    london_rate,
    london_denominator,
    similar_areas_rate,
    rank_in_london,
    rank_basis,
    significance_against_london,
    status,
    residents_caveat,
    break_reason,
    source_release,
    is_provisional,
    unit,
    publish_rule,
    denominator_population,
    place,
    told_now,
    told_before,
    is_comparable,
    break_label,
    coalesce(
        {% for count, is_withheld in [('window_count', 'is_withheld_now'), ('count_year_before', 'is_withheld_before')] %}
        {% set withheld = 'filter (where ' ~ is_withheld ~ ') over of_london' %}
        count(*) {{ withheld }} = 1
        or sum({{ count }}) {{ withheld }} not between 2 * count(*) {{ withheld }} and 6 * count(*) {{ withheld }}
        {{ 'or' if not loop.last }}
        {% endfor %},
        false
    ) as does_total_tell,
    max(told_now) filter (where area_code = 'LONDON_32') over of_london as london_now,
    max(told_before) filter (where area_code = 'LONDON_32') over of_london as london_before,
    bool_or(is_comparable) filter (where area_code = 'LONDON_32') over of_london as is_london_comparable
from told
window of_london as (partition by measure_code)
