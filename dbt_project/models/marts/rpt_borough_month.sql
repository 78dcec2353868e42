-- Windows count rows, so they are trusted only where the row 11 (or 23) places back is the month 11 (or 23) months back.
with counts as (
    select
        fact.area_code,
        area.area_name,
        fact.measure_code,
        measure.measure_name,
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

windows as (
    select
        area_code,
        area_name,
        measure_code,
        measure_name,
        month_start_date,
        month_count,
        source_release,
        is_provisional,
        case when lag(month_index, 11) over series = month_index - 11
            then sum(month_count) over (series rows between 11 preceding and current row)::bigint
        end as rolling_12_month_count,
        case when lag(month_index, 23) over series = month_index - 23
            then sum(month_count) over (series rows between 23 preceding and 12 preceding)::bigint
        end as previous_rolling_12_month_count
    from counts
    window series as (partition by measure_code, area_code order by month_start_date)
),

compared as (
    select
        area_code,
        area_name,
        measure_code,
        measure_name,
        month_start_date,
        month_count,
        source_release,
        is_provisional,
        rolling_12_month_count,
        previous_rolling_12_month_count,
        max(month_count) filter (where area_code = 'LONDON_32') over london as london_month_count,
        max(rolling_12_month_count) filter (where area_code = 'LONDON_32') over london as london_rolling_12_month_count,
        case when area_code <> 'LONDON_32' and rolling_12_month_count is not null
            -- London takes part in the partition; being the sum of the others it would come first, so it is put last.
            then rank() over (london order by (area_code <> 'LONDON_32') desc, rolling_12_month_count desc nulls last)
        end::integer as rank_in_london
    from windows
    window london as (partition by measure_code, month_start_date)
),

-- A break between two of the 24 months compared. One that opens the window lies before all of them.
breaks as (
    select
        breaks.measure_code,
        breaks.area_code,
        (breaks.break_month + make_interval(months => months_since))::date as month_start_date,
        string_agg(
            to_char(breaks.break_month, 'YYYY-MM') || ' ' || breaks.break_label, '; '
            order by breaks.break_month, breaks.break_label
        ) as break_reason
    from (
        select
            series_break.measure_code,
            area.area_code,
            series_break.break_month,
            series_break.break_label
        from {{ ref('series_break') }} as series_break
        inner join {{ ref('dim_area') }} as area
            on series_break.area_code is null or series_break.area_code = area.area_code
        where
            (area.is_in_london_32 or area.area_code = 'LONDON_32')
            -- A restated series has the new meaning in every month: nothing steps inside it.
            and series_break.break_kind <> 'restated'
    ) as breaks
    cross join generate_series(0, 22) as months_since
    group by 1, 2, 3
)

select
    compared.area_code,
    compared.area_name,
    compared.month_start_date,
    compared.measure_code,
    compared.measure_name,
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
    breaks.break_reason is not null as has_series_break,
    breaks.break_reason,
    compared.source_release,
    compared.is_provisional
from compared
left join breaks
    on
        compared.measure_code = breaks.measure_code
        and compared.area_code = breaks.area_code
        and compared.month_start_date = breaks.month_start_date
