-- Where a series steps: a break of every area, or of one.
select
    measure_code,
    coalesce(area_code, 'all') as scope_area_code,
    break_month,
    string_agg(break_label, '; ' order by break_label) as break_label,
    bool_or(break_kind <> 'allocation') as is_hard,
    bool_or(break_kind <> 'allocation' or abs(size_percent) >= {{ var('chart_break_percent') }}) as restarts_chart
from {{ ref('int_series_break') }}
where break_kind <> 'restated' -- the new meaning stands in every month: nothing steps inside the series
group by measure_code, scope_area_code, break_month
