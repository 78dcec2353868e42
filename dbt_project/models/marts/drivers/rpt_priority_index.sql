{% set covered_at_least = 0.8 %}

with newest as (
    select distinct on (drivers.area_code, drivers.measure_code)
        drivers.area_code,
        drivers.measure_code,
        drivers.theme,
        weights.weight,
        drivers.period_kind,
        drivers.period_start_date,
        drivers.period_end_date,
        drivers.value,
        drivers.london_value,
        drivers.polarity,
        drivers.includes_city_of_london
    from {{ ref('rpt_drivers') }} as drivers
    inner join {{ ref('driver_weight') }} as weights on drivers.measure_code = weights.measure_code and weights.weight > 0
    inner join {{ ref('dim_borough') }} as borough on drivers.area_code = borough.borough_code
    where
        drivers.is_newest_period
        and not drivers.is_force_wide
        and drivers.value > 0
        and drivers.london_value > 0
    order by drivers.area_code asc, drivers.measure_code asc, drivers.period_end_date desc, drivers.period_kind asc
),

-- How many times London's, in hundreds, turned so that more is more need; a driver that is neither good nor bad counts as need.
components as (
    select
        *,
        round(
            100 * case polarity when 'higher_is_better' then london_value / value else value / london_value end, 4
        ) as component_index
    from newest
),

distinct_components as (
    select distinct
        measure_code,
        weight
    from components
),

everything as (
    select sum(weight) as weight_of_all
    from distinct_components
),

-- A borough that lacks too many components would be compared on others than its neighbours are.
summed as (
    select
        components.*,
        sum(components.weight) over borough as weight_covered,
        sum(components.weight * components.component_index) over borough as weighted_sum,
        everything.weight_of_all
    from components
    cross join everything
    window borough as (partition by components.area_code)
),

indexed as (
    select
        *,
        weighted_sum / weight_covered as priority_index,
        (weighted_sum - weight * component_index) / nullif(weight_covered - weight, 0) as index_without
    from summed
    where weight_covered >= {{ covered_at_least }} * weight_of_all
)

select
    area_code,
    measure_code,
    theme,
    weight::double precision as weight,
    period_kind,
    period_start_date,
    period_end_date,
    value,
    london_value,
    component_index::double precision as component_index,
    round(priority_index, 2)::double precision as priority_index,
    -- Every borough stands once for each of its components: a dense rank counts boroughs.
    dense_rank() over (order by round(priority_index, 2) desc)::integer as priority_rank,
    round(index_without, 2)::double precision as priority_index_without,
    rank() over (partition by measure_code order by round(index_without, 2) desc)::integer as priority_rank_without,
    round(100 * weight_covered / weight_of_all, 1)::double precision as weight_covered_percent,
    includes_city_of_london
from indexed
