{% set minimum_count = 10 %}
{% set hot_share = 0.25 %}
{% set alone_share = 0.1 %}
{% set level = 0.05 %}
{% set scopes = [('borough', 'area_level, measure_code, area_code'), ('london', 'area_level, measure_code')] %}

-- What parts the two windows in a borough: breaks of the measure, and what is placed differently.
with span as (
    select distinct
        area_level,
        measure_code,
        area_code,
        window_start_date,
        window_end_date,
        (window_start_date - interval '1 year')::date as previous_start_date
    from {{ ref('int_small_area_window') }}
),

broken as (
    select
        span.area_level,
        span.measure_code,
        span.area_code,
        max(breaks.break_month) filter (where breaks.break_kind not in ('allocation', 'restated')) as hard_break_month,
        {{ breaks_in_words('breaks') }} as break_reason
    from span
    inner join {{ ref('series_break') }} as breaks
        on
            span.measure_code = breaks.measure_code
            and (breaks.area_code is null or span.area_code = breaks.area_code)
            and span.previous_start_date < breaks.break_month and span.window_end_date >= breaks.break_month
    group by span.area_level, span.measure_code, span.area_code
),

-- A small area's file does not tell what it leaves out: its borough's share is the expected part.
parted as (
    select
        span.area_level,
        span.measure_code,
        span.area_code,
        span.previous_start_date,
        broken.hard_break_month,
        broken.break_reason,
        placed.rolling_12_placed_share as placed_share,
        placed_before.rolling_12_placed_share as placed_share_before
    from span
    left join broken
        on span.area_level = broken.area_level and span.measure_code = broken.measure_code and span.area_code = broken.area_code
    {% for name, last_day in [('placed', 'span.window_end_date'), ('placed_before', '(span.window_start_date - 1)')] %}
    left join {{ ref('fct_window') }} as {{ name }}
        on
            span.measure_code = {{ name }}.measure_code
            and span.area_code = {{ name }}.area_code
            and date_trunc('month', {{ last_day }})::date = {{ name }}.month_start_date
            and {{ name }}.sex = 'all' and {{ name }}.age_band = 'all'
    {% endfor %}
),

-- Peers, places of the same count, are taken together: no place is hot and its equal not.
ranked as (
    select
        *,
        sum(window_count) over (partition by area_level, measure_code) as london_count,
        sum(window_count) over (partition by area_level, measure_code, area_code) as borough_count,
        sum(window_count) over in_london as london_count_to_here,
        sum(window_count) over in_borough as borough_count_to_here,
        sum(window_count) over in_london
        - window_count * count(*) over (partition by area_level, measure_code, window_count) as london_count_before,
        sum(window_count) over in_borough
        - window_count * count(*) over (partition by area_level, measure_code, area_code, window_count) as borough_count_before,
        rank() over in_london as rank_in_london,
        rank() over in_borough as rank_in_borough,
        sum(previous_window_count) over (partition by area_level, measure_code) as previous_london_count,
        sum(previous_window_count) over (partition by area_level, measure_code, area_code) as previous_borough_count,
        sum(previous_window_count) over previous_in_london
        - previous_window_count * count(*) over (partition by area_level, measure_code, previous_window_count)
            as previous_london_count_before,
        sum(previous_window_count) over previous_in_borough
        - previous_window_count * count(*) over (partition by area_level, measure_code, area_code, previous_window_count)
            as previous_borough_count_before,
        case when previous_window_count is not null then rank() over previous_in_london end as previous_rank_in_london,
        case when previous_window_count is not null then rank() over previous_in_borough end as previous_rank_in_borough
    from {{ ref('int_small_area_window') }}
    where window_count is not null
    window
        in_london as (partition by area_level, measure_code order by window_count desc),
        in_borough as (partition by area_level, measure_code, area_code order by window_count desc),
        previous_in_london as (partition by area_level, measure_code order by previous_window_count desc nulls last),
        previous_in_borough as (partition by area_level, measure_code, area_code order by previous_window_count desc nulls last)
),

judged as (
    select
        ranked.*,
        -- A place that holds a tenth by itself is hot, however much another holds: of two that share a borough's harm both are.
        {% for now, count, when in [('is', 'window_count', ''), ('was', 'previous_window_count', 'previous_')] %}
        {% for scope in ['london', 'borough'] %}
        {{ count }} >= {{ minimum_count }}
        and (
            {{ when }}{{ scope }}_count_before < {{ hot_share }} * {{ when }}{{ scope }}_count
            or {{ count }} >= {{ alone_share }} * {{ when }}{{ scope }}_count
        ) as {{ now }}_hot_in_{{ scope }},
        {% endfor %}
        {% endfor %}
        case
            when ranked.is_window_partial or ranked.is_previous_partial then false
            else
                {{ is_comparable(
                    'parted.hard_break_month', 'parted.previous_start_date', 'ranked.window_count', 'ranked.previous_window_count',
                    'parted.placed_share', 'parted.placed_share_before'
                ) | indent(16) }}
        end as is_comparable,
        case
            when ranked.previous_window_count is not null
                then round(({{ break_effect_percent('parted.placed_share', 'parted.placed_share_before') }})::numeric, 2)
        end::numeric(14, 2) as break_effect_percent,
        parted.break_reason
    from ranked
    left join parted
        on ranked.area_level = parted.area_level and ranked.measure_code = parted.measure_code and ranked.area_code = parted.area_code
),

-- Fewer than so many in both windows together could hardly differ beyond chance: they would only make the others' test stricter.
tested as (
    select
        *,
        case
            when is_comparable and window_count + previous_window_count >= {{ minimum_count }}
                then marts.two_counts_p_value(window_count, 1, previous_window_count, 1)
        end as p_value
    from judged
),

-- Benjamini and Hochberg: so many places are tested at once that one in twenty would be called changed by chance.
stepped as (
    select
        *,
    {% for scope, among in scopes %}
    p_value * count(p_value) over (partition by {{ among }})
    / nullif(count(p_value) over (partition by {{ among }} order by p_value), 0) as step_in_{{ scope }}{{ ',' if not loop.last }}
    {% endfor %}
    from tested
),

adjusted as (
    select
        *,
    {% for scope, among in scopes %}
    case
        when p_value is not null
            then min(step_in_{{ scope }}) over (partition by {{ among }} order by p_value desc nulls last)
    end as p_in_{{ scope }}{{ ',' if not loop.last }}
    {% endfor %}
    from stepped
)

select
    area_level,
    small_area_code,
    small_area_name,
    area_code,
    lsoa_vintage,
    measure_code,
    window_start_date,
    window_end_date,
    window_count,
    previous_window_count,
    is_window_partial,
    is_previous_partial,
    rank_in_london,
    rank_in_borough,
    previous_rank_in_london,
    previous_rank_in_borough,
    london_count,
    london_count_before,
    london_count_to_here,
    borough_count,
    borough_count_before,
    borough_count_to_here,
    p_value,
    p_in_borough,
    p_in_london,
    is_comparable,
    break_effect_percent,
    break_reason,
    source_release,
    is_provisional,
{% for scope in ['borough', 'london'] %}
case
    when is_comparable is not true then null
    when is_hot_in_{{ scope }} and was_hot_in_{{ scope }} then 'persistent'
    when (is_hot_in_{{ scope }} or was_hot_in_{{ scope }}) and (p_in_{{ scope }} <= {{ level }}) is not true then 'borderline'
    when is_hot_in_{{ scope }} and window_count > previous_window_count then 'emerging'
    when was_hot_in_{{ scope }} and window_count < previous_window_count then 'former'
    -- Its count went the other way than its place among the rest.
    when is_hot_in_{{ scope }} or was_hot_in_{{ scope }} then 'borderline'
    else 'none'
end as class_in_{{ scope }}{{ ',' if not loop.last }}
{% endfor %}
from adjusted
