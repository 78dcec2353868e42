-- What is a fact of recording, law or categories is declared; what is placed differently is found. A sum stops meaning the same where any of its parts does. Parts that break together break it once.
with inherited as (
    select
        part.measure_code,
        breaks.area_code,
        breaks.break_month,
        breaks.break_kind,
        breaks.break_label,
        breaks.reason || ' (' || string_agg(part.part_measure_code, ', ' order by part.part_measure_code) || ')' as reason,
        breaks.evidence
    from {{ ref('measure_part') }} as part
    inner join {{ ref('series_breaks') }} as breaks on part.part_measure_code = breaks.measure_code
    where part.relation = 'summed'
    group by
        part.measure_code,
        breaks.area_code,
        breaks.break_month,
        breaks.break_kind,
        breaks.break_label,
        breaks.reason,
        breaks.evidence
)

select
    breaks.measure_code,
    breaks.area_code,
    breaks.break_month,
    breaks.break_kind,
    breaks.break_label,
    breaks.reason,
    breaks.evidence,
    size.size_percent,
    size.size_count
from {{ ref('series_breaks') }} as breaks
left join {{ ref('int_mps_break_size') }} as size
    on
        breaks.measure_code = size.measure_code
        and breaks.break_month = size.break_month
        and breaks.area_code is null
        and breaks.break_kind <> 'restated'
union all
select
    measure_code,
    area_code,
    break_month,
    break_kind,
    string_agg(distinct break_label, '; ') as break_label,
    string_agg(distinct reason, ' ') as reason,
    string_agg(distinct evidence, '; ') as evidence,
    null as size_percent,
    null as size_count
from inherited
group by measure_code, area_code, break_month, break_kind
union all
-- A sum has a share of its own: it is measured, not inherited.
select
    measure_code,
    area_code,
    break_month,
    'allocation' as break_kind,
    break_label,
    reason,
    evidence,
    size_percent,
    size_count
from {{ ref('int_found_break') }}
