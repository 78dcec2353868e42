-- Where a series steps: a break of every area, or of one.
with sized as (
    select
        *,
        break_kind = 'allocation' and abs(size_percent) >= {{ var('chart_break_percent') }} as is_wide,
        -- What is left of the step and the next one together.
        100 * (1 - (1 - size_percent / 100) * (1 - lead(size_percent) over series / 100)) as left_percent,
        lead(break_month) over series as next_month
    from {{ ref('int_series_break') }}
    where break_kind <> 'restated' -- the new meaning stands in every month: nothing steps inside the series
    window series as (partition by measure_code, area_code, break_kind order by break_month)
),

-- A month that is placed differently and undone by the next one stands apart: what is left of the two is no step of the series.
apart as (
    select
        *,
        is_wide
        and coalesce(
            abs(left_percent) < {{ var('chart_break_percent') }}
            and next_month = (break_month + interval '1 month')::date
            and (lag(is_wide) over series and lag(break_month) over series = (break_month - interval '1 month')::date) is not true,
            false
        ) as stands_apart
    from sized
    window series as (partition by measure_code, area_code, break_kind order by break_month)
),

undone as (
    select
        *,
        coalesce(lag(stands_apart) over series, false) as undoes_the_last
    from apart
    window series as (partition by measure_code, area_code, break_kind order by break_month)
)

select
    measure_code,
    coalesce(area_code, 'all') as scope_area_code,
    break_month,
    string_agg(break_label, '; ' order by break_label) as break_label,
    bool_or(break_kind <> 'allocation') as is_hard,
    bool_or(break_kind <> 'allocation' or (is_wide and not stands_apart and not undoes_the_last)) as restarts_chart,
    bool_or(stands_apart) as stands_apart
from undone
group by measure_code, scope_area_code, break_month
