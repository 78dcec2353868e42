select
    coalesce(n.area_code, b.area_code) as area_code, a.area_name, coalesce(n.topic, b.topic) as topic, coalesce(n.chapter, b.chapter) as chapter,
    coalesce(n.measure_code, b.measure_code) as measure_code, m.measure_name, b.period_end_date as period_end_before, n.period_end_date,
    b.window_count as count_before, n.window_count, b.rate as rate_before, n.rate, coalesce(n.rate_unit, b.rate_unit) as rate_unit,
    case
        when b.fact_code is null then 'new'
        when n.fact_code is null then 'no longer given'
        when n.period_end_date is distinct from b.period_end_date then 'newer period'
        when exists (
            select from marts_history.series_break_as_of(%(release)s) as s
            where
                s.measure_code = n.measure_code and coalesce(s.area_code, n.area_code) = n.area_code
                and s.break_month between n.period_start_date and n.period_end_date
                and s.series_break_id not in (select o.series_break_id from marts_history.series_break_as_of((select max(p.release_id) from marts.publication as p where p.release_id < %(release)s)) as o)
        ) then '[b] a break was found'
        when n.source_release is distinct from b.source_release then '[r] revised by the publisher'
        else 'corrected by us'
    end as why,
    n.source_release
from marts_history.rpt_sna_facts_as_of(%(release)s) as n
full join marts_history.rpt_sna_facts_as_of((select max(p.release_id) from marts.publication as p where p.release_id < %(release)s)) as b on n.area_code = b.area_code and n.fact_code = b.fact_code
left join marts.dim_measure as m on coalesce(n.measure_code, b.measure_code) = m.measure_code
inner join marts.dim_area as a on coalesce(n.area_code, b.area_code) = a.area_code
where
    (n.window_count, n.rate, n.sentence) is distinct from (b.window_count, b.rate, b.sentence)
    and exists (select from marts.publication where release_id < %(release)s)
order by why, a.area_name, coalesce(n.fact_order, b.fact_order)
