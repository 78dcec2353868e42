{% set most_years = 5 %}
{% set least_events = 60 %}
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

-- Whole years of months alone: of part of one, the months it has would be taken for its season.
london_month as (
    select
        fact.measure_code,
        fact.period_start_date as month_start_date,
        fact.source_release
    from {{ ref('fct_measure') }} as fact
    inner join {{ ref('dim_measure') }} as measure on fact.measure_code = measure.measure_code
    where
        measure.is_summable_over_time
        and fact.area_code = 'LONDON_32'
        and fact.period_kind = 'month'
        and fact.sex = 'all'
        and fact.age_band = 'all'
        and fact.ethnicity = 'all'
        and fact.value is not null
),

-- A break of recording parts what lies before it from what lies after; what was only placed differently is named in the report.
hard_break as (
    select
        measure_code,
        area_code,
        break_month
    from {{ ref('series_break') }}
    where break_kind not in ('restated', 'allocation')
),

-- Months of one number are a run without a gap or a break.
numbered_month as (
    select
        london_month.*,
        (extract(year from london_month.month_start_date) * 12 + extract(month from london_month.month_start_date))::integer
        - row_number() over (partition by london_month.measure_code order by london_month.month_start_date) as run_number,
        count(distinct hard_break.break_month) as break_number
    from london_month
    left join hard_break
        on
            london_month.measure_code = hard_break.measure_code
            and hard_break.area_code is null
            and london_month.month_start_date >= hard_break.break_month
    group by london_month.measure_code, london_month.month_start_date, london_month.source_release
),

-- The newest years of the newest run that has a year.
year_period as (
    select distinct on (measure_code)
        measure_code,
        12 * least(count(*) / 12, {{ most_years }})::integer as months_held,
        (max(month_start_date) - make_interval(months => 12 * least(count(*) / 12, {{ most_years }})::integer - 1))::date
            as period_start_date,
        (max(month_start_date) + interval '1 month' - interval '1 day')::date as period_end_date,
        (array_agg(source_release order by month_start_date desc))[1] as source_release
    from numbered_month
    group by measure_code, break_number, run_number
    having count(*) >= 12
    order by measure_code asc, max(month_start_date) desc
),

year_counted as (
    select
        year_period.measure_code,
        fact.area_code,
        extract(month from fact.period_start_date)::integer as month_of_year,
        sum(fact.value)::bigint as event_count,
        count(*) as month_count,
        sum(extract(day from fact.period_start_date + interval '1 month' - interval '1 day'))::integer as day_count
    from year_period
    inner join {{ ref('fct_measure') }} as fact
        on
            year_period.measure_code = fact.measure_code
            and fact.period_start_date between year_period.period_start_date and year_period.period_end_date
            and fact.period_kind = 'month'
            and fact.sex = 'all'
            and fact.age_band = 'all'
            and fact.ethnicity = 'all'
            and fact.value is not null
    inner join {{ ref('dim_area') }} as area
        on fact.area_code = area.area_code and (area.is_in_london_32 or area.area_code = 'LONDON_32')
    group by year_period.measure_code, fact.area_code, extract(month from fact.period_start_date)
),

year_summed as (
    select
        *,
        sum(month_count) over series as months_counted,
        (sum(event_count) over series)::bigint as known_count
    from year_counted
    window series as (partition by measure_code, area_code)
),

season as (
    select
        year_summed.measure_code,
        year_summed.area_code,
        year_period.period_start_date,
        year_period.period_end_date,
        year_period.months_held,
        year_summed.month_of_year,
        year_summed.event_count,
        year_summed.known_count,
        year_summed.day_count,
        year_period.source_release
    from year_summed
    inner join year_period
        on year_summed.measure_code = year_period.measure_code and year_summed.months_counted = year_period.months_held
    left join hard_break as own_break
        on
            year_summed.measure_code = own_break.measure_code
            and year_summed.area_code = own_break.area_code
            and year_period.period_start_date < own_break.break_month
            and year_period.period_end_date >= own_break.break_month
    -- Fewer than five a month would be expected: the months of so rare a thing are chance.
    where year_summed.known_count >= {{ least_events }} and own_break.measure_code is null
),

-- Whole years of months, by days: a month of which there are fewer hours for the clock's change is no shorter for that.
whole_year as (
    select
        moment.measure_code,
        moment.area_code,
        moment.period_start_date,
        moment.period_end_date,
        moment.months_held,
        moment.source_release,
        moment.known_count,
        dimensions.dimension,
        dimensions.dimension_value,
        sum(moment.event_count)::bigint as event_count,
        sum(moment.day_count) as days
    from (
        select
            *,
            make_date(2001, month_of_year, 1) as month_start_date
        from season
    ) as moment
    cross join
        lateral (
            values
            {{ temporal_month_dimensions() | trim }}
        ) as dimensions (dimension, dimension_value)
    group by
        moment.measure_code,
        moment.area_code,
        moment.period_start_date,
        moment.period_end_date,
        moment.months_held,
        moment.source_release,
        moment.known_count,
        dimensions.dimension,
        dimensions.dimension_value
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
    left join expected
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
    from whole_year
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
