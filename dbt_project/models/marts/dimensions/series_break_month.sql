-- What a line along the months has to say of each month: a break of every area is one of each area.
select
    area.area_code,
    broken.measure_code,
    broken.break_month as month_start_date,
    string_agg(broken.break_kind, ', ' order by broken.break_kind) as break_kinds,
    string_agg(broken.break_label, '; ' order by broken.break_kind) as break_labels,
    -- What is placed otherwise steps by a known size; what is restated means the same in every month.
    bool_or(broken.break_kind not in ('allocation', 'restated')) as is_cut
from {{ ref('series_break') }} as broken
inner join {{ ref('dim_area') }} as area on broken.area_code is null or broken.area_code = area.area_code
group by area.area_code, broken.measure_code, broken.break_month
