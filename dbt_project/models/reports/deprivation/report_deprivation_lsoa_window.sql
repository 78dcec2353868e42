{% set at_least_percent = 98 %}

-- By LSOA: the newest index that has the LSOAs which the counts are of. An index of the other vintage lacks those that were split or
-- merged, and falls below the share asked for: that is how vintages are kept apart, and the share is said.
with counts as (
    select
        measure_code,
        small_area_code,
        area_code,
        window_start_date,
        window_end_date,
        window_count,
        source_release,
        is_provisional
    from {{ ref('int_small_area_window') }}
    where area_level = 'lsoa' and window_count > 0
),

located as (
    select
        measure_code,
        min(window_start_date) as window_start_date,
        min(window_end_date) as window_end_date,
        min(source_release) as source_release,
        bool_or(is_provisional) as is_provisional,
        sum(window_count) as located_count
    from counts
    group by measure_code
),

lsoas as (
    select index_lsoa.*
    from {{ ref('int_deprivation_lsoa') }} as index_lsoa
    inner join {{ ref('boroughs') }} as borough on index_lsoa.area_code = borough.borough_code
),

matched as (
    select
        counts.measure_code,
        lsoas.index_code,
        sum(counts.window_count) as matched_count
    from counts
    inner join lsoas on counts.small_area_code = lsoas.lsoa_code and lsoas.domain = 'imd'
    group by counts.measure_code, lsoas.index_code
)

select distinct on (located.measure_code)
    located.*,
    matched.index_code,
    round(100.0 * matched.matched_count / located.located_count, 2) as coverage_percent
from located
inner join matched on located.measure_code = matched.measure_code
where 100.0 * matched.matched_count >= {{ at_least_percent }} * located.located_count
order by located.measure_code asc, matched.index_code desc
