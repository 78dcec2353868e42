select
    p.area_code, p.measure_code, m.measure_name, p.theme, p.weight, p.period_start_date, p.period_end_date, p.value, p.london_value,
    p.component_index, p.priority_index, p.priority_rank, p.priority_index_without, p.priority_rank_without, p.weight_covered_percent
from marts.rpt_priority_index as p
inner join marts.dim_measure as m on p.measure_code = m.measure_code
where p.area_code = any(%(areas)s)
order by p.area_code, m.measure_name
