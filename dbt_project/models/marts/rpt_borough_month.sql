with counts as (
    select
        fact.area_code,
        fact.measure_code,
        fact.period_start_date as month_start_date,
        (extract(year from fact.period_start_date) * 12 + extract(month from fact.period_start_date))::integer as month_index,
        fact.value::bigint as month_count,
        fact.source_release,
        fact.is_provisional
    from {{ ref('fct_measure') }} as fact
    inner join {{ ref('dim_area') }} as area on fact.area_code = area.area_code
    inner join {{ ref('dim_measure') }} as measure on fact.measure_code = measure.measure_code
    where
        (area.is_in_london_32 or fact.area_code = 'LONDON_32')
        and fact.period_kind = 'month'
        and fact.sex = 'all'
        and fact.age_band = 'all'
        and fact.ethnicity = 'all'
        and measure.is_summable_over_time
),

to_date as (
    select
        area_code,
        measure_code,
        month_start_date,
        month_index,
        month_count,
        source_release,
        is_provisional,
        sum(month_count) over (
            partition by measure_code, area_code order by month_start_date rows unbounded preceding
        )::bigint as count_to_date
    from counts
),

-- A rolling sum is the difference of two running ones. Windows count rows, so it is trusted only where the row 11 (or 23)
-- places back is the month 11 (or 23) months back.
rolling as (
    select
        area_code,
        measure_code,
        month_start_date,
        month_count,
        source_release,
        is_provisional,
        case
            when lag(month_index, 11) over series = month_index - 11
                then count_to_date - lag(count_to_date, 12, 0::bigint) over series
        end as rolling_12_month_count,
        case
            when lag(month_index, 23) over series = month_index - 23
                then lag(count_to_date, 12) over series - lag(count_to_date, 24, 0::bigint) over series
        end as previous_rolling_12_month_count
    from to_date
    window series as (partition by measure_code, area_code order by month_start_date)
),

-- London stands first in every month, whatever its count: it is the first value, and what it adds to every rank is taken off.
compared as (
    select
        area_code,
        measure_code,
        month_start_date,
        month_count,
        source_release,
        is_provisional,
        rolling_12_month_count,
        previous_rolling_12_month_count,
        first_value(month_count) over london as london_month_count,
        first_value(rolling_12_month_count) over london as london_rolling_12_month_count,
        case
            when area_code <> 'LONDON_32' and rolling_12_month_count is not null
                then (rank() over london - 1)::integer
        end as rank_in_london
    from rolling
    window london as (
        partition by measure_code, month_start_date
        order by (area_code = 'LONDON_32') desc, rolling_12_month_count desc nulls last
    )
)

select
    compared.area_code,
    area.area_name,
    compared.month_start_date,
    compared.measure_code,
    measure.measure_name,
    compared.month_count,
    compared.rolling_12_month_count,
    compared.previous_rolling_12_month_count,
    round(
        100.0 * (compared.rolling_12_month_count - compared.previous_rolling_12_month_count)
        / nullif(compared.previous_rolling_12_month_count, 0), 2
    )::numeric(12, 2) as change_on_year_percent,
    round(100.0 * compared.month_count / nullif(compared.london_month_count, 0), 3)::numeric(7, 3) as share_of_london_percent,
    round(
        100.0 * compared.rolling_12_month_count / nullif(compared.london_rolling_12_month_count, 0), 3
    )::numeric(7, 3) as rolling_12_month_share_of_london_percent,
    compared.rank_in_london,
    coalesce(area_breaks.break_reason, all_breaks.break_reason) is not null as has_series_break,
    coalesce(area_breaks.break_reason, all_breaks.break_reason) as break_reason,
    compared.source_release,
    compared.is_provisional
from compared
inner join {{ ref('dim_area') }} as area on compared.area_code = area.area_code
inner join {{ ref('dim_measure') }} as measure on compared.measure_code = measure.measure_code
left join {{ ref('int_series_break_month') }} as all_breaks
    on
        compared.measure_code = all_breaks.measure_code
        and compared.month_start_date = all_breaks.month_start_date
        and all_breaks.scope_area_code = 'all'
left join {{ ref('int_series_break_month') }} as area_breaks
    on
        compared.measure_code = area_breaks.measure_code
        and compared.month_start_date = area_breaks.month_start_date
        and compared.area_code = area_breaks.scope_area_code
