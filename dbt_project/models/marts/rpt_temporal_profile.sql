{% set names = "array['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']" %}
{% set weekday = "moment.weekday || ' ' || (" ~ names ~ ")[moment.weekday]" %}
{% set dimensions %}
        values
        ('month_of_year', lpad(extract(month from moment.month_start_date)::text, 2, '0')),
        (
            'season',
            (array['winter', 'spring', 'summer', 'autumn'])[extract(month from moment.month_start_date)::integer % 12 / 3 + 1]
        ),
        ('weekday', {{ weekday }}),
        ('day_kind', moment.day_kind),
        ('hour', lpad(moment.local_hour::text, 2, '0')),
        (
            'weekday_4_hours',
            {{ weekday }} || ' ' || lpad((moment.local_hour / 4 * 4)::text, 2, '0') || '-' || lpad((moment.local_hour / 4 * 4 + 3)::text, 2, '0')
        ),
        ('weekday_hour', {{ weekday }} || ' ' || lpad(moment.local_hour::text, 2, '0')),
        ('school_day_hour', case when moment.day_kind = 'school_day' then lpad(moment.local_hour::text, 2, '0') end),
        ('night_time_economy', case when moment.is_night_time_economy then 'Friday to Sunday 20:00-04:59' else 'all other hours' end)
{% endset %}
{% set by_hour = "('hour', 'weekday_4_hours', 'weekday_hour', 'school_day_hour', 'night_time_economy')" %}
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
    cross join lateral ({{ dimensions }}) as dimensions (dimension, dimension_value)
    where dimensions.dimension_value is not null
    group by moment.month_start_date, dimensions.dimension, dimensions.dimension_value
),

day_kinds as (
    select distinct
        local_date,
        day_kind
    from {{ ref('int_temporal_hour') }}
),

moment as (
    select
        event.measure_code,
        event.area_code,
        event.month_start_date,
        extract(isodow from event.local_date)::integer as weekday,
        day_kinds.day_kind,
        event.local_hour,
        event.time_quality,
        clock.is_night_time_economy,
        sum(event.event_count) as event_count
    from {{ ref('int_temporal_event') }} as event
    left join day_kinds on event.local_date = day_kinds.local_date
    left join {{ ref('int_temporal_hour') }} as clock on event.local_date = clock.local_date and event.local_hour = clock.local_hour
    group by
        event.measure_code,
        event.area_code,
        event.month_start_date,
        extract(isodow from event.local_date),
        day_kinds.day_kind,
        event.local_hour,
        event.time_quality,
        clock.is_night_time_economy
),

member as (
    select
        borough.borough_code as of_area_code,
        sums.area_code
    from {{ ref('dim_borough') }} as borough
    cross join lateral (values (borough.borough_code), ('LONDON_32'), (upper(borough.ons_inner_outer))) as sums (area_code)
),

counted_month as (
    select
        moment.measure_code,
        member.area_code,
        moment.month_start_date,
        dimensions.dimension,
        dimensions.dimension_value,
        sum(moment.event_count) as event_count
    from moment
    inner join member on moment.area_code = member.of_area_code
    cross join
        lateral (
            {{ dimensions | trim }},
            ('time_quality', moment.time_quality)
        ) as dimensions (dimension, dimension_value)
    where
        dimensions.dimension_value is not null
        and (dimensions.dimension not in {{ by_hour }} or moment.local_hour is not null)
        -- A borough has too few events for 168 cells.
        and (dimensions.dimension <> 'weekday_hour' or member.area_code not like 'E09%')
    group by moment.measure_code, member.area_code, moment.month_start_date, dimensions.dimension, dimensions.dimension_value
),

covered as (
    select distinct
        measure_code,
        month_start_date,
        max(source_release) over (partition by measure_code, month_start_date) as source_release
    from {{ ref('int_safestats_event_month') }}
    union all
    select
        'police_uk_stop_and_search' as measure_code,
        month_start_date,
        source_release
    from {{ ref('int_police_uk_published') }}
    where dataset = 'stop_and_search' and scope = 'together'
),

period_month as (
    select
        covered.measure_code,
        spans.period_kind,
        spans.period_start_date,
        covered.month_start_date,
        covered.source_release,
        count(*) over (partition by covered.measure_code, spans.period_kind, spans.period_start_date) as months_held
    from (
        select
            *,
            max(month_start_date) over (partition by measure_code) as newest_month
        from covered
    ) as covered
    inner join {{ ref('dim_month') }} as months on covered.month_start_date = months.month_start_date
    cross join
        lateral (
            values
            ('financial_year', months.financial_year_start_date),
            (
                'rolling_12_months',
                case
                    when covered.month_start_date > covered.newest_month - interval '12 months'
                        then (covered.newest_month - interval '11 months')::date
                end
            )
        ) as spans (period_kind, period_start_date)
    where spans.period_start_date is not null
),

period as (
    select
        measure_code,
        period_kind,
        period_start_date,
        months_held,
        max(source_release) as source_release
    from period_month
    where period_kind <> 'financial_year' or months_held = 12
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

counted as (
    select
        period_month.measure_code,
        period_month.period_kind,
        period_month.period_start_date,
        counted_month.area_code,
        counted_month.dimension,
        counted_month.dimension_value,
        sum(counted_month.event_count)::bigint as event_count,
        (
            sum(sum(counted_month.event_count)) over (
                partition by
                    period_month.measure_code,
                    period_month.period_kind,
                    period_month.period_start_date,
                    counted_month.area_code,
                    counted_month.dimension
            )
        )::bigint as known_count
    from counted_month
    inner join period_month
        on counted_month.measure_code = period_month.measure_code and counted_month.month_start_date = period_month.month_start_date
    group by
        period_month.measure_code,
        period_month.period_kind,
        period_month.period_start_date,
        counted_month.area_code,
        counted_month.dimension,
        counted_month.dimension_value
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
