with clock as (
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
)

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
from {{ ref('int_temporal_period') }} as period_month
inner join expected_month on period_month.month_start_date = expected_month.month_start_date
group by
    period_month.measure_code,
    period_month.period_kind,
    period_month.period_start_date,
    expected_month.dimension,
    expected_month.dimension_value
