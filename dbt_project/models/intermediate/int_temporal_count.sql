-- Restricted, though already counts. A dimension of the hour counts only what has an hour.
{% set by_hour = "('hour', 'weekday_4_hours', 'weekday_hour', 'school_day_hour', 'night_time_economy')" %}
with period_month as (
    select * from {{ ref('int_temporal_period') }}
),

day_kinds as (
    select distinct
        local_date,
        day_kind
    from {{ ref('int_temporal_hour') }}
),

-- Months are summed before dimensions are told apart: a year has few moments of the week, whatever its months have.
moment as (
    select
        event.measure_code,
        period_month.period_kind,
        period_month.period_start_date,
        event.area_code,
        extract(isodow from event.local_date)::integer as weekday,
        day_kinds.day_kind,
        event.local_hour,
        event.time_quality,
        clock.is_night_time_economy,
        sum(event.event_count) as event_count
    from {{ ref('int_temporal_event') }} as event
    inner join period_month
        on event.measure_code = period_month.measure_code and event.month_start_date = period_month.month_start_date
    left join day_kinds on event.local_date = day_kinds.local_date
    left join {{ ref('int_temporal_hour') }} as clock on event.local_date = clock.local_date and event.local_hour = clock.local_hour
    group by
        event.measure_code,
        period_month.period_kind,
        period_month.period_start_date,
        event.area_code,
        extract(isodow from event.local_date),
        day_kinds.day_kind,
        event.local_hour,
        event.time_quality,
        clock.is_night_time_economy
),

event_month as (
    select
        measure_code,
        area_code,
        month_start_date,
        sum(event_count) as event_count
    from {{ ref('int_temporal_event') }}
    group by measure_code, area_code, month_start_date
),

member as (
    select
        borough.borough_code as of_area_code,
        sums.area_code
    from {{ ref('boroughs') }} as borough
    cross join lateral (values (borough.borough_code), ('LONDON_32'), (upper(borough.ons_inner_outer))) as sums (area_code)
    union all
    -- What has an hour and no place has its profile, too: it is none of London's boroughs'.
    select
        area_code as of_area_code,
        area_code
    from {{ ref('other_areas') }}
    where area_code = 'UNALLOCATED'
),

moment_of_area as (
    select
        moment.measure_code,
        moment.period_kind,
        moment.period_start_date,
        member.area_code,
        moment.weekday,
        moment.day_kind,
        moment.local_hour,
        moment.time_quality,
        moment.is_night_time_economy,
        sum(moment.event_count) as event_count
    from moment
    inner join member on moment.area_code = member.of_area_code
    group by
        moment.measure_code,
        moment.period_kind,
        moment.period_start_date,
        member.area_code,
        moment.weekday,
        moment.day_kind,
        moment.local_hour,
        moment.time_quality,
        moment.is_night_time_economy
)

select
    moment.measure_code,
    moment.period_kind,
    moment.period_start_date,
    moment.area_code,
    dimensions.dimension,
    dimensions.dimension_value,
    sum(moment.event_count)::bigint as event_count
from moment_of_area as moment
cross join
    lateral (
        values
        {{ temporal_hour_dimensions() | trim }},
        ('time_quality', moment.time_quality)
    ) as dimensions (dimension, dimension_value)
where
    dimensions.dimension_value is not null
    and (dimensions.dimension not in {{ by_hour }} or moment.local_hour is not null)
    -- A borough has too few events for 168 cells.
    and (dimensions.dimension <> 'weekday_hour' or moment.area_code not like 'E09%')
group by
    moment.measure_code,
    moment.period_kind,
    moment.period_start_date,
    moment.area_code,
    dimensions.dimension,
    dimensions.dimension_value
union all
select
    moment.measure_code,
    period_month.period_kind,
    period_month.period_start_date,
    member.area_code,
    dimensions.dimension,
    dimensions.dimension_value,
    sum(moment.event_count)::bigint as event_count
from event_month as moment
inner join period_month
    on moment.measure_code = period_month.measure_code and moment.month_start_date = period_month.month_start_date
inner join member on moment.area_code = member.of_area_code
cross join
    lateral (
        values
        {{ temporal_month_dimensions() | trim }}
    ) as dimensions (dimension, dimension_value)
group by
    moment.measure_code,
    period_month.period_kind,
    period_month.period_start_date,
    member.area_code,
    dimensions.dimension,
    dimensions.dimension_value
