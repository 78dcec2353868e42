-- What a month of a measure gave no borough. Another source has placed all, or says nothing of it.
with counted as (
    {% for _, model in counting_models() %}
    select
        measure_code,
        area_code,
        month_start_date,
        load_id,
        source_release,
        month_count
    from {{ ref(model) }}
    union all
    {% endfor %}
    select
        measure_code,
        area_code,
        period_start_date as month_start_date,
        null::bigint as load_id,
        source_release,
        value as month_count
    from {{ ref('int_police_uk_month') }}
    where age_band = 'all' and ethnicity = 'all'
),

-- A month of which a borough is not known has no share.
month as (
    select
        counted.measure_code,
        counted.month_start_date,
        min(counted.load_id) as load_id,
        min(counted.source_release) as source_release,
        sum(counted.month_count) filter (where borough.borough_code is not null) as placed_count,
        coalesce(sum(counted.month_count) filter (where counted.area_code = 'UNALLOCATED'), 0) as unplaced_count,
        coalesce(sum(counted.month_count) filter (where counted.area_code = 'AVIATION'), 0) as airport_count,
        sum(counted.month_count) filter (where borough.ons_inner_outer = 'inner') as inner_count,
        sum(counted.month_count) filter (where borough.ons_inner_outer = 'outer') as outer_count,
        sum(counted.month_count) filter (where counted.area_code = 'E09000017') as hillingdon_count,
        sum(counted.month_count) filter (where counted.area_code = 'E09000025') as newham_count
    from counted
    left join {{ ref('boroughs') }} as borough on counted.area_code = borough.borough_code
    where borough.borough_code is not null or counted.area_code in ('UNALLOCATED', 'AVIATION')
    group by counted.measure_code, counted.month_start_date
    having count(counted.month_count) = count(*) and count(borough.borough_code) > 0
),

-- A measure that leaves nothing unplaced has no share to tell.
with_unplaced as (
    select measure_code
    from month
    group by measure_code
    having sum(unplaced_count) + sum(airport_count) > 0
),

-- The airports are listed apart in whole files or months of a file, whatever the measure; a handful is a leftover.
listed as (
    select
        load_id,
        month_start_date,
        sum(airport_count) > 0.08 * max(sum(airport_count)) over (partition by load_id) as are_airports_listed
    from month
    where load_id is not null
    group by load_id, month_start_date
),

known as (
    select
        month.*,
        coalesce(listed.are_airports_listed, false) as are_airports_listed
    from month
    inner join with_unplaced on month.measure_code = with_unplaced.measure_code
    left join listed on month.load_id = listed.load_id and month.month_start_date = listed.month_start_date
),

-- The file does not tell the airports apart. Assumed: as their passengers, about 79 and 3.4 million in 2023 (Heathrow, London City).
airport (area_code, share) as (
    values
    ('E09000017', 0.96),
    ('E09000025', 0.04)
),

airport_area as (
    select
        area_code,
        share
    from airport
    union all
    select
        aggregate.area_code,
        sum(airport.share) as share
    from airport
    inner join {{ ref('boroughs') }} as boroughs on airport.area_code = boroughs.borough_code
    cross join lateral (values ('LONDON_32'), (upper(boroughs.ons_inner_outer))) as aggregate (area_code)
    group by aggregate.area_code
),

-- Of an area with its airports, which share the airports are, measured in the months that list them apart.
airports as (
    select
        known.measure_code,
        airport_area.area_code,
        sum(known.airport_count * airport_area.share)
        / nullif(sum(area.area_count + known.airport_count * airport_area.share), 0) as airport_share,
        avg(known.airport_count * airport_area.share) as airport_month_count
    from known
    cross join
        lateral (
            values
            ('LONDON_32', known.placed_count),
            ('INNER', known.inner_count),
            ('OUTER', known.outer_count),
            ('E09000017', known.hillingdon_count),
            ('E09000025', known.newham_count)
        ) as area (area_code, area_count)
    inner join airport_area on area.area_code = airport_area.area_code
    where known.are_airports_listed and area.area_count is not null
    group by known.measure_code, airport_area.area_code
    having sum(known.airport_count * airport_area.share) > {{ var('least_break_standard_errors') }} ^ 2
),

scoped as (
    select
        known.*,
        'all' as scope_area_code,
        0 as airport_share,
        0 as airport_month_count
    from known
    union all
    select
        known.*,
        airports.area_code as scope_area_code,
        airports.airport_share,
        airports.airport_month_count
    from known
    inner join airports on known.measure_code = airports.measure_code
),

summed as (
    select
        *,
        placed_count + unplaced_count + airport_count as counted_count,
        extract(year from month_start_date - interval '3 months') as financial_year,
        ((extract(month from month_start_date)::integer + 8) % 12) + 1 as months_of_year
    from scoped
)

select
    measure_code,
    scope_area_code,
    month_start_date,
    source_release,
    first_value(source_release) over with_month_before as previous_release,
    placed_count::bigint as placed_count,
    counted_count::bigint as counted_count,
    unplaced_count::bigint as unplaced_count,
    case when count(*) over with_month_before = 2 then first_value(counted_count) over with_month_before end::bigint
        as previous_counted_count,
    case when count(*) over with_month_before = 2 then first_value(unplaced_count) over with_month_before end::bigint
        as previous_unplaced_count,
    are_airports_listed,
    first_value(are_airports_listed) over with_month_before as were_airports_listed,
    airport_share::double precision as airport_share,
    airport_month_count::double precision as airport_month_count,
    {{ placed_share_over('last_1', '1') }} as month_placed_share,
    {{ placed_share_over('last_3', '3') }} as rolling_3_placed_share,
    {{ placed_share_over('last_6', '6') }} as rolling_6_placed_share,
    {{ placed_share_over('last_12', '12') }} as rolling_12_placed_share,
    {{ placed_share_over('year_to_date', 'months_of_year') }} as financial_year_to_date_placed_share
from summed
window
    series as (partition by measure_code, scope_area_code order by month_start_date),
    with_month_before as (series range between interval '1 month' preceding and current row),
    year_to_date as (partition by measure_code, scope_area_code, financial_year order by month_start_date),
    last_1 as (series range between current row and current row),
    last_3 as (series range between interval '2 months' preceding and current row),
    last_6 as (series range between interval '5 months' preceding and current row),
    last_12 as (series range between interval '11 months' preceding and current row)
