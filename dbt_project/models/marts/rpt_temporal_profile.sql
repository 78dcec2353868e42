{% set by_hour = "('hour', 'weekday_4_hours', 'weekday_hour', 'school_day_hour', 'night_time_economy')" %}
with period_month as (
    select * from {{ ref('int_temporal_period') }}
),

clock as (
    select
        month_start_date,
        weekday,
        day_kind,
        local_hour,
        is_night_time_economy,
        sum(hours) as hours
    from {{ ref('int_temporal_hour') }}
    group by month_start_date, weekday, day_kind, local_hour, is_night_time_economy
),

-- What a month's hours come to in each dimension: what would be expected of a measure that knew no time.
expected_month as (
    select
        moment.month_start_date,
        dimensions.dimension,
        dimensions.dimension_value,
        sum(moment.hours) as hours
    from clock as moment
    cross join
        lateral (
            values
            {{ temporal_month_dimensions() | trim }},
            {{ temporal_hour_dimensions() | trim }}
        ) as dimensions (dimension, dimension_value)
    where dimensions.dimension_value is not null
    group by moment.month_start_date, dimensions.dimension, dimensions.dimension_value
),

period as (
    select
        measure_code,
        period_kind,
        period_start_date,
        months_held,
        max(source_release) as source_release
    from period_month
    group by measure_code, period_kind, period_start_date, months_held
),

expected as (
    select
        period_month.measure_code,
        period_month.period_kind,
        period_month.period_start_date,
        expected_month.dimension,
        expected_month.dimension_value,
        sum(expected_month.hours) as hours,
        sum(sum(expected_month.hours)) over (
            partition by period_month.measure_code, period_month.period_kind, period_month.period_start_date, expected_month.dimension
        ) as all_hours
    from period_month
    inner join expected_month on period_month.month_start_date = expected_month.month_start_date
    group by
        period_month.measure_code,
        period_month.period_kind,
        period_month.period_start_date,
        expected_month.dimension,
        expected_month.dimension_value
),

-- A break that opens the window lies before all of it.
breaks as (
    select
        windows.measure_code,
        windows.period_kind,
        windows.period_start_date,
        windows.area_code,
        {{ breaks_in_words('stepped') }} as break_reason
    from (
        select distinct
            measure_code,
            period_kind,
            period_start_date,
            area_code
        from {{ ref('int_temporal_count') }}
    ) as windows
    inner join {{ ref('series_break') }} as stepped
        on
            windows.measure_code = stepped.measure_code
            and (stepped.area_code is null or windows.area_code = stepped.area_code)
            and windows.period_start_date < stepped.break_month
            and windows.period_start_date + interval '1 year' > stepped.break_month
    group by windows.measure_code, windows.period_kind, windows.period_start_date, windows.area_code
),

-- A period with a month of whose events too many have no hour says nothing of hours.
withheld as (
    select
        period_month.measure_code,
        period_month.period_kind,
        period_month.period_start_date,
        max(unplaced.note) as note
    from period_month
    inner join {{ ref('int_unplaced_share') }} as unplaced
        on
            period_month.measure_code = unplaced.measure_code
            and period_month.month_start_date = unplaced.month_start_date
            and unplaced.dimension = 'hour'
    where unplaced.is_withheld
    group by period_month.measure_code, period_month.period_kind, period_month.period_start_date
),

told as (
    select
        found.measure_code,
        found.period_kind,
        found.period_start_date,
        found.area_code,
        found.dimension,
        found.dimension_value,
        case when withheld.note is null then found.event_count end as event_count,
        withheld.note as value_note
    from {{ ref('int_temporal_count') }} as found
    left join withheld
        on
            found.dimension in {{ by_hour }}
            and found.measure_code = withheld.measure_code
            and found.period_kind = withheld.period_kind
            and found.period_start_date = withheld.period_start_date
),

counted as (
    select
        *,
        (sum(event_count) over (partition by measure_code, period_kind, period_start_date, area_code, dimension))::bigint as known_count
    from told
)

select
    counted.area_code,
    counted.measure_code,
    counted.period_kind,
    counted.period_start_date,
    (counted.period_start_date + interval '1 year' - interval '1 day')::date as period_end_date,
    period.months_held::integer as months_held,
    counted.dimension,
    counted.dimension_value,
    counted.event_count,
    counted.known_count,
    round(100.0 * counted.event_count / counted.known_count, 3)::double precision as share_percent,
    round((100 * marts.wilson_lower(counted.event_count, counted.known_count, 0.95))::numeric, 3)::double precision
        as share_lower_95_percent,
    round((100 * marts.wilson_upper(counted.event_count, counted.known_count, 0.95))::numeric, 3)::double precision
        as share_upper_95_percent,
    round(100.0 * expected.hours / expected.all_hours, 3)::double precision as expected_share_percent,
    case
        when counted.known_count * expected.hours >= 5 * expected.all_hours
            then round(100.0 * counted.event_count * expected.all_hours / (counted.known_count * expected.hours), 1)
    end::double precision as index_to_expected,
    breaks.break_reason is not null as has_series_break,
    breaks.break_reason,
    counted.value_note,
    dataset.classification,
    dataset.publish_rule,
    period.source_release
from counted
inner join period
    on
        counted.measure_code = period.measure_code
        and counted.period_kind = period.period_kind
        and counted.period_start_date = period.period_start_date
left join expected
    on
        counted.measure_code = expected.measure_code
        and counted.period_kind = expected.period_kind
        and counted.period_start_date = expected.period_start_date
        and counted.dimension = expected.dimension
        and counted.dimension_value = expected.dimension_value
inner join {{ ref('dim_measure') }} as measure on counted.measure_code = measure.measure_code
inner join {{ ref('int_dataset') }} as dataset on measure.source = dataset.source and measure.datasets = dataset.dataset
left join breaks
    on
        counted.measure_code = breaks.measure_code
        and counted.period_kind = breaks.period_kind
        and counted.period_start_date = breaks.period_start_date
        and counted.area_code = breaks.area_code
