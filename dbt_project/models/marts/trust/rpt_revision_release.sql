-- Areas that can be added up without counting anybody twice: the boroughs. The sums stand in rpt_revision too.
with revised as (
    select
        revision.measure_code,
        revision.compared_with,
        revision.source_release,
        revision.area_code,
        revision.period_start_date,
        revision.difference,
        revision.difference_percent,
        measure.is_summable_over_areas and measure.is_summable_over_time as is_summable
    from {{ ref('rpt_revision') }} as revision
    inner join {{ ref('dim_borough') }} as borough on revision.area_code = borough.borough_code
    inner join {{ ref('dim_measure') }} as measure on revision.measure_code = measure.measure_code
),

largest as (
    select distinct on (measure_code, compared_with, source_release)
        measure_code,
        compared_with,
        source_release,
        area_code,
        period_start_date,
        difference,
        difference_percent
    from revised
    where difference is not null
    order by
        measure_code asc,
        compared_with asc,
        source_release asc,
        abs(difference) desc,
        period_start_date desc,
        area_code asc
),

summed as (
    select
        measure_code,
        compared_with,
        source_release,
        count(*) as revised_count,
        count(*) filter (where difference > 0) as raised_count,
        count(*) filter (where difference < 0) as lowered_count,
        min(period_start_date) as first_period_start_date,
        max(period_start_date) as last_period_start_date,
        -- Counts: whole numbers, so no order of adding changes the sum.
        case when bool_and(is_summable) then sum(difference) end as net_difference
    from revised
    group by measure_code, compared_with, source_release
)

select
    summed.measure_code,
    summed.compared_with,
    summed.source_release,
    summed.revised_count,
    summed.raised_count,
    summed.lowered_count,
    summed.first_period_start_date,
    summed.last_period_start_date,
    summed.net_difference,
    largest.area_code as largest_area_code,
    largest.period_start_date as largest_period_start_date,
    largest.difference as largest_difference,
    largest.difference_percent as largest_difference_percent,
    typical.median_percent as typical_revision_percent,
    typical.lowest_percent as lowest_revision_percent,
    typical.highest_percent as highest_revision_percent,
    typical.month_count as newest_months_revised
from summed
left join {{ ref('int_typical_revision') }} as typical on summed.measure_code = typical.measure_code
left join largest
    on
        summed.measure_code = largest.measure_code
        and summed.compared_with = largest.compared_with
        and summed.source_release = largest.source_release
