{% set windows = ['month', 'rolling_3', 'rolling_6', 'rolling_12', 'financial_year_to_date'] %}
{% set spans = [
    ('month', 'month', '1', 'true'),
    ('rolling_3', 'rolling_3', '3', 'true'),
    ('rolling_6', 'rolling_6', '6', 'true'),
    ('rolling_12', 'rolling_12', '12', 'true'),
    ('financial_year_to_date', 'financial_year_to_date', 'months_of_year', 'true'),
    ('calendar_year', 'rolling_12', '12', 'months_of_year = 9'),
    ('financial_year', 'rolling_12', '12', 'months_of_year = 12'),
] %}
with counted as (
    select
        ward.ward_code,
        ward.ward_name,
        ward.area_code,
        ward.month_start_date,
        (extract(year from ward.month_start_date) * 12 + extract(month from ward.month_start_date))::integer as month_index,
        -- April is the first month of a financial year.
        ((extract(month from ward.month_start_date)::integer + 8) % 12) + 1 as months_of_year,
        extract(year from ward.month_start_date - interval '3 months') as financial_year,
        measure.measure_code,
        measure.month_count,
        ward.residents,
        ward.residents_year,
        ward.source_release,
        ward.is_provisional
    from {{ ref('fct_ward_month') }} as ward
    cross join
        lateral (
            values
            {% for column, measure in mps_small_area_measures('ward') %}
            ('{{ measure }}', ward.{{ column }}){{ ',' if not loop.last }}
            {% endfor %}
        ) as measure (measure_code, month_count)
),

-- A window is there where every month of it is, and the file of each says the measure.
summed as (
    select
        *,
        {% for length in [3, 6, 12] %}
        {% set last = 'over (series rows between ' ~ (length - 1) ~ ' preceding and current row)' %}
        case
            when count(month_count) {{ last }} = {{ length }} and min(month_index) {{ last }} = month_index - {{ length - 1 }}
                then (sum(month_count) {{ last }})::integer
        end as rolling_{{ length }}_count,
        {% endfor %}
        case
            when count(month_count) over year_to_date = months_of_year then (sum(month_count) over year_to_date)::integer
        end as financial_year_to_date_count
    from counted
    window
        series as (partition by ward_code, area_code, measure_code order by month_start_date),
        year_to_date as (partition by ward_code, area_code, measure_code, financial_year order by month_start_date)
),

compared as (
    select
        *,
        {% for window in windows %}
        lag({{ window }}_count, 12) over series as {{ window }}_count_12_rows_before,
        {% endfor %}
        coalesce(lag(month_index, 12) over series = month_index - 12, false) as is_year_before_there
    from summed
    window series as (partition by ward_code, area_code, measure_code order by month_start_date)
)

select
    compared.ward_code,
    compared.ward_name,
    compared.area_code,
    compared.measure_code,
    span.window_kind,
    compared.month_start_date,
    (compared.month_start_date - make_interval(months => span.months - 1))::date as window_start_date,
    (compared.month_start_date + interval '1 month' - interval '1 day')::date as window_end_date,
    span.window_count,
    span.count_year_before,
    round(100.0 * (span.window_count - span.count_year_before) / nullif(span.count_year_before, 0), 2)::numeric(14, 2)
        as change_on_year_before_percent,
    compared.residents,
    compared.residents_year,
    round(1000.0 * span.window_count / compared.residents, 4)::double precision as rate_per_1000,
    round(
        (1000 * marts.poisson_lower(span.window_count, 0.95) / compared.residents)::numeric, 4
    )::double precision as rate_per_1000_lower_95,
    round(
        (1000 * marts.poisson_upper(span.window_count, 0.95) / compared.residents)::numeric, 4
    )::double precision as rate_per_1000_upper_95,
    case when compared.residents is not null then area.residents_caveat end as residents_caveat,
    coalesce(breaks.newest > (compared.month_start_date - make_interval(months => span.months - 1))::date, false) as has_series_break,
    coalesce(breaks.newest > (compared.month_start_date - make_interval(months => span.months + 11))::date, false)
        as has_break_on_year_before,
    {{ is_comparable(
        'breaks.newest_hard', '(compared.month_start_date - make_interval(months => span.months + 11))::date', 'span.window_count',
        'span.count_year_before', 'span.placed_share', 'span.placed_share_year_before'
    ) }} as is_comparable_on_year_before,
    case
        when span.count_year_before is not null
            then round(({{ break_effect_percent('span.placed_share', 'span.placed_share_year_before') }})::numeric, 2)
    end::numeric(14, 2) as break_effect_percent,
    compared.source_release,
    compared.is_provisional,
    (select kind.data_kind from {{ ref('dim_data_kind') }} as kind) as data_kind
from compared
-- The newest break up to the window's end decides, as in fct_window.
left join
    lateral (
        select
            max(series_break.break_month) as newest,
            max(series_break.break_month) filter (where series_break.break_kind <> 'allocation') as newest_hard
        from {{ ref('series_break') }} as series_break
        where
            compared.measure_code = series_break.measure_code
            and (series_break.area_code is null or compared.area_code = series_break.area_code)
            and series_break.break_kind <> 'restated'
            and compared.month_start_date >= series_break.break_month
    ) as breaks
    on true
-- A ward's file does not tell what it leaves out: its borough's share is the expected part.
{% for name, month in [
    ('placed', 'compared.month_start_date'),
    ('placed_before', "(compared.month_start_date - interval '1 year')::date"),
] %}
left join {{ ref('fct_window') }} as {{ name }}
    on
        compared.measure_code = {{ name }}.measure_code
        and {{ month }} = {{ name }}.month_start_date
        and compared.area_code = {{ name }}.area_code
        and {{ name }}.sex = 'all'
        and {{ name }}.age_band = 'all'
{% endfor %}
left join {{ ref('dim_area') }} as area on compared.area_code = area.area_code
cross join
    lateral (
        values
        {% for kind, window, months, is_ended in spans %}
        (
            '{{ kind }}',
            {{ 'compared.' if months == 'months_of_year' }}{{ months }},
            {{ is_ended.replace('months_of_year', 'compared.months_of_year') }},
            compared.{{ window }}_count,
            case when compared.is_year_before_there then compared.{{ window }}_count_12_rows_before end,
            placed.{{ window }}_placed_share,
            placed_before.{{ window }}_placed_share
        ){{ ',' if not loop.last }}
        {% endfor %}
    ) as span (window_kind, months, is_ended, window_count, count_year_before, placed_share, placed_share_year_before)
where span.is_ended and span.window_count is not null
