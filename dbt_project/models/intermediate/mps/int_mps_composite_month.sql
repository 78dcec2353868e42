-- A sum of which a part is missing would be a lower number that looks right, and one of two editions a number nobody published.
with part_count as (
    select
        measure_code,
        count(*) as part_count
    from {{ ref('measure_part') }}
    where relation = 'summed'
    group by measure_code
)

select
    part.measure_code,
    month.area_code,
    month.month_start_date,
    min(month.load_id) as load_id,
    min(month.source_release) as source_release,
    bool_or(month.is_provisional) as is_provisional,
    sum(month.month_count)::bigint as month_count
from {{ ref('measure_part') }} as part
inner join part_count on part.measure_code = part_count.measure_code
inner join {{ ref('int_mps_borough_month') }} as month on part.part_measure_code = month.measure_code
where part.relation = 'summed'
group by part.measure_code, part_count.part_count, month.area_code, month.month_start_date
having count(*) = part_count.part_count and min(month.load_id) = max(month.load_id)
