select distinct on (a.area_code, s.break_month, s.measure_code, s.break_kind)
    a.area_code, s.measure_code, m.measure_name, s.break_month, s.break_kind, s.break_label, s.reason, s.evidence, s.size_percent
from marts.series_break as s
inner join marts.dim_measure as m on s.measure_code = m.measure_code
inner join marts.dim_area as a on coalesce(s.area_code, a.area_code) = a.area_code
where
    a.area_code = any(%(areas)s)
    and s.measure_code = any(%(headlines)s)
order by a.area_code, s.break_month desc, s.measure_code, s.break_kind
