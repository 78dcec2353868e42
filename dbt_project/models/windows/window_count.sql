{%- set lengths = {'rolling_3': '3', 'rolling_6': '6', 'rolling_12': '12', 'financial_year_to_date': 'months_of_year'} %}
with counted as (
    select
        series.series_id,
        fact.period_start_date as month_start_date,
        (extract(year from fact.period_start_date) * 12 + extract(month from fact.period_start_date))::integer as month_index,
        -- April is the first month of a financial year.
        ((extract(month from fact.period_start_date)::integer + 8) % 12) + 1 as months_of_year,
        extract(day from fact.period_end_date)::integer as days,
        fact.value::bigint as month_count,
        fact.value_note,
        fact.source_release,
        fact.is_provisional,
        coalesce(own.break_month, everywhere.break_month) as break_month,
        own.is_hard or everywhere.is_hard as is_hard,
        own.restarts_chart or everywhere.restarts_chart as restarts_chart,
        coalesce(own.stands_apart, false) or coalesce(everywhere.stands_apart, false) as stands_apart
    from {{ ref('fct_measure') }} as fact
    inner join {{ ref('window_series') }} as series
        on
            fact.measure_code = series.measure_code
            and fact.area_code = series.area_code
            and fact.sex = series.sex
            and fact.age_band = series.age_band
    left join {{ ref('int_series_step') }} as everywhere
        on
            fact.measure_code = everywhere.measure_code
            and fact.period_start_date = everywhere.break_month
            and everywhere.scope_area_code = 'all'
    left join {{ ref('int_series_step') }} as own
        on
            fact.measure_code = own.measure_code
            and fact.period_start_date = own.break_month
            and fact.area_code = own.scope_area_code
    where fact.period_kind = 'month' and fact.ethnicity = 'all'
),

-- A series has each month once. What was counted from its first month on tells any window: from here less from before it.
summed as (
    select
        series_id,
        month_start_date,
        month_index,
        months_of_year,
        days,
        month_count,
        value_note,
        source_release,
        is_provisional,
        count(month_count) over up_to as months_counted,
        (sum(month_count) over up_to)::bigint as counted_so_far,
        max(break_month) over up_to as break_month_start_date,
        max(month_start_date) filter (where is_hard) over up_to as hard_break_month_start_date,
        max(month_start_date) filter (where restarts_chart) over up_to as chart_start_date,
        max(month_start_date) filter (where month_count is null) over up_to as unknown_month_start_date,
        case when not stands_apart then month_count::double precision / days end as per_day
    from counted
    window up_to as (partition by series_id order by month_index rows unbounded preceding)
),

-- A window stands where every month of it is there and has a count: then its first month lies as many rows back.
windowed as (
    select
        series_id,
        month_start_date,
        month_index,
        days,
        month_count,
        value_note,
        source_release,
        is_provisional,
        {% for window, length in lengths.items() %}
        case
            when
                lag(month_index, {{ length }} - 1) over series = month_index - ({{ length }} - 1)
                and months_counted - coalesce(lag(months_counted, {{ length }}) over series, 0) = {{ length }}
                then counted_so_far - coalesce(lag(counted_so_far, {{ length }}) over series, 0)
        end as {{ window }}_count,
        {% endfor %}
        break_month_start_date,
        hard_break_month_start_date,
        chart_start_date,
        unknown_month_start_date,
        per_day
    from summed
    window series as (partition by series_id order by month_index)
)

-- Of the same months a year before, where no month between them is missing.
select
    *,
    {% for window in lengths %}
    case
        when lag(month_index, 12) over series = month_index - 12 then lag({{ window }}_count, 12) over series
    end as previous_{{ window }}_count,
    {% endfor %}
    case when lag(month_index, 12) over series = month_index - 12 then lag(month_count, 12) over series end as previous_month_count
from windowed
window series as (partition by series_id order by month_index)
