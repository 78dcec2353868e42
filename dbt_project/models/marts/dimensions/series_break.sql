select
    measure_code || '/' || coalesce(area_code, 'all') || '/' || to_char(break_month, 'YYYY-MM') || '/' || break_kind as series_break_id,
    measure_code,
    area_code,
    break_month,
    break_kind,
    break_label,
    reason,
    evidence,
    size_percent,
    size_count
from {{ ref('int_series_break') }}
