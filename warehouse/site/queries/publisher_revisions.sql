select
    r.measure_code, m.measure_name, r.source_release, r.revised_count, r.raised_count, r.lowered_count, r.first_period_start_date,
    r.last_period_start_date, r.net_difference, a.area_name as largest_area_name, r.largest_period_start_date, r.largest_difference,
    r.largest_difference_percent, r.typical_revision_percent
from marts.rpt_revision_release as r
inner join marts.dim_measure as m on r.measure_code = m.measure_code
left join marts.dim_area as a on r.largest_area_code = a.area_code
where r.compared_with = 'previous'
order by r.revised_count desc, m.measure_name
