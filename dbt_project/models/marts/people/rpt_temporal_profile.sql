{% set by_hour = "('hour', 'weekday_4_hours', 'weekday_hour', 'school_day_hour', 'night_time_economy')" %}
with period as (
    select
        measure_code,
        period_kind,
        period_start_date,
        months_held,
        max(source_release) as source_release
    from {{ ref('int_temporal_period') }}
    group by measure_code, period_kind, period_start_date, months_held
),

-- A period with a month of whose events too many have no hour says nothing of hours.
withheld as (
    select
        period_month.measure_code,
        period_month.period_kind,
        period_month.period_start_date,
        max(unplaced.note) as note
    from {{ ref('int_temporal_period') }} as period_month
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
        found.area_code,
        found.measure_code,
        found.period_kind,
        found.period_start_date,
        (found.period_start_date + interval '1 year' - interval '1 day')::date as period_end_date,
        period.months_held::integer as months_held,
        found.dimension,
        found.dimension_value,
        found.event_count,
        (
            sum(found.event_count) over (
                partition by found.measure_code, found.period_kind, found.period_start_date, found.area_code, found.dimension
            )
        )::bigint as known_count,
        expected.hours as expected_part,
        expected.all_hours as expected_whole,
        found.value_note,
        period.source_release
    from told as found
    inner join period
        on
            found.measure_code = period.measure_code
            and found.period_kind = period.period_kind
            and found.period_start_date = period.period_start_date
    left join {{ ref('int_temporal_expected') }} as expected
        on
            found.measure_code = expected.measure_code
            and found.period_kind = expected.period_kind
            and found.period_start_date = expected.period_start_date
            and found.dimension = expected.dimension
            and found.dimension_value = expected.dimension_value
    union all
    select
        area_code,
        measure_code,
        'whole_years' as period_kind,
        period_start_date,
        period_end_date,
        months_held,
        dimension,
        dimension_value,
        event_count,
        known_count,
        days as expected_part,
        sum(days) over (partition by measure_code, area_code, dimension) as expected_whole,
        null as value_note,
        source_release
    from {{ ref('window_season') }}
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
            period_end_date,
            area_code
        from counted
    ) as windows
    inner join {{ ref('series_break') }} as stepped
        on
            windows.measure_code = stepped.measure_code
            and (stepped.area_code is null or windows.area_code = stepped.area_code)
            and windows.period_start_date < stepped.break_month
            and windows.period_end_date > stepped.break_month
    group by windows.measure_code, windows.period_kind, windows.period_start_date, windows.area_code
)

select
    counted.area_code,
    counted.measure_code,
    counted.period_kind,
    counted.period_start_date,
    counted.period_end_date,
    counted.months_held,
    counted.dimension,
    counted.dimension_value,
    counted.event_count,
    counted.known_count,
    round(100.0 * counted.event_count / counted.known_count, 3)::double precision as share_percent,
    round((100 * marts.wilson_lower(counted.event_count, counted.known_count, 0.95))::numeric, 3)::double precision
        as share_lower_95_percent,
    round((100 * marts.wilson_upper(counted.event_count, counted.known_count, 0.95))::numeric, 3)::double precision
        as share_upper_95_percent,
    round(100.0 * counted.expected_part / counted.expected_whole, 3)::double precision as expected_share_percent,
    case
        when counted.known_count * counted.expected_part >= 5 * counted.expected_whole
            then
                round(
                    100.0 * counted.event_count * counted.expected_whole / (counted.known_count * counted.expected_part), 1
                )
    end::double precision as index_to_expected,
    breaks.break_reason is not null as has_series_break,
    breaks.break_reason,
    counted.value_note,
    dataset.classification,
    dataset.publish_rule,
    counted.source_release
from counted
inner join {{ ref('dim_measure') }} as measure on counted.measure_code = measure.measure_code
inner join {{ ref('int_dataset') }} as dataset
    on measure.source = dataset.source and btrim(split_part(measure.datasets, ',', 1)) = dataset.dataset
left join breaks
    on
        counted.measure_code = breaks.measure_code
        and counted.period_kind = breaks.period_kind
        and counted.period_start_date = breaks.period_start_date
        and counted.area_code = breaks.area_code
