with counts as (
    select
        fact.area_code,
        fact.measure_code,
        fact.period_start_date as month_start_date,
        (extract(year from fact.period_start_date) * 12 + extract(month from fact.period_start_date))::integer as month_index,
        fact.value::bigint as month_count,
        fact.source_release
    from {{ ref('fct_measure') }} as fact
    inner join {{ ref('dim_measure') }} as measure on fact.measure_code = measure.measure_code
    where
        measure.source = 'safestats'
        and measure.datasets in ('ambulance_borough', 'ambulance_london')
        and fact.period_kind = 'month'
        -- A month without a figure is none, and no window holds it.
        and fact.value is not null
),

to_date as (
    select
        area_code,
        measure_code,
        month_start_date,
        month_index,
        month_count,
        source_release,
        sum(month_count) over (
            partition by measure_code, area_code order by month_start_date rows unbounded preceding
        )::bigint as count_to_date
    from counts
),

-- A sum over a window is the difference of two running ones, trusted only where the row so many places back is the month so many back.
windows as (
    select
        area_code,
        measure_code,
        month_start_date,
        month_count,
        {% for months in [3, 6, 12] %}
        case
            when lag(month_index, {{ months - 1 }}) over series = month_index - {{ months - 1 }}
                then count_to_date - lag(count_to_date, {{ months }}, 0::bigint) over series
        end as count_{{ months }}_months,
        case
            when lag(month_index, {{ 11 + months }}) over series = month_index - {{ 11 + months }}
                then lag(count_to_date, 12) over series - lag(count_to_date, {{ 12 + months }}, 0::bigint) over series
        end as previous_count_{{ months }}_months,
        {% endfor %}
        source_release
    from to_date
    window series as (partition by measure_code, area_code order by month_start_date)
)

select
    windows.area_code,
    area.area_name,
    windows.month_start_date,
    windows.measure_code,
    windows.month_count,
    {% for months in [3, 6, 12] %}
    windows.count_{{ months }}_months,
    windows.previous_count_{{ months }}_months,
    round(
        100.0 * (windows.count_{{ months }}_months - windows.previous_count_{{ months }}_months)
        / nullif(windows.previous_count_{{ months }}_months, 0), 8
    )::numeric(18, 8) as change_on_year_{{ months }}_months_percent,
    {% endfor %}
    round(windows.count_12_months / 12.0, 4)::numeric(18, 4) as mean_of_12_months,
    round(1000.0 * windows.count_12_months / nullif(attended.count_12_months, 0), 4)::numeric(18, 4) as per_1000_incidents_12_months,
    breaks.break_reason is not null as has_series_break,
    {% for months in [3, 6, 12] %}
    {{ is_comparable(
        'placed.hard_break_month_start_date', "(windows.month_start_date - interval '" ~ (months + 11) ~ " months')::date",
        'windows.count_' ~ months ~ '_months', 'windows.previous_count_' ~ months ~ '_months',
        'placed.rolling_' ~ months ~ '_placed_share', 'placed_before.rolling_' ~ months ~ '_placed_share'
    ) }} as is_comparable_{{ months }}_months,
    {% endfor %}
    case
        when windows.previous_count_12_months is not null
            then round(({{ break_effect_percent('placed.rolling_12_placed_share', 'placed_before.rolling_12_placed_share') }})::numeric, 2)
    end::numeric(14, 2) as break_effect_percent,
    breaks.break_reason,
    windows.source_release
from windows
inner join {{ ref('dim_area') }} as area on windows.area_code = area.area_code
left join windows as attended
    on
        windows.area_code = attended.area_code
        and windows.month_start_date = attended.month_start_date
        and attended.measure_code = 'safestats_las_incidents_attended'
        and windows.measure_code <> attended.measure_code
{% for name, month in [
    ('placed', 'windows.month_start_date'),
    ('placed_before', "(windows.month_start_date - interval '1 year')::date"),
] %}
left join {{ ref('fct_window') }} as {{ name }}
    on
        windows.measure_code = {{ name }}.measure_code
        and {{ month }} = {{ name }}.month_start_date
        and windows.area_code = {{ name }}.area_code
        and {{ name }}.sex = 'all'
        and {{ name }}.age_band = 'all'
{% endfor %}
left join {{ ref('int_series_break_month') }} as breaks
    on
        windows.measure_code = breaks.measure_code
        and windows.month_start_date = breaks.month_start_date
        and breaks.scope_area_code = 'all'
