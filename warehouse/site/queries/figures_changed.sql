select
    c.measure_code, m.measure_name, c.why, count(*) as figure_count, count(distinct c.area_code) as area_count,
    min(c.period_start_date) as first_period_date, max(c.period_start_date) as last_period_date, sum(c.difference) as net_difference,
    max(abs(c.difference)) as largest_difference
from marts.compare_releases((select max(p.release_id) from marts.publication as p where p.release_id < %(release)s), %(release)s) as c
left join marts.dim_measure as m on c.measure_code = m.measure_code
group by c.measure_code, m.measure_name, c.why
order by c.why in ('newer period', 'new'), c.why, count(*) desc, m.measure_name
