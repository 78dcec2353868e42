{% set spans = window_kinds() %}
-- The same window of other years, and of other areas, each found by its key.
{% set others = {
    'london': ["'LONDON_32'", 'win.month_start_date'],
    'half': ['upper(area.ons_inner_outer)', 'win.month_start_date'],
    'one_before': ['win.area_code', "(win.month_start_date - interval '1 year')::date"],
    'two_before': ['win.area_code', "(win.month_start_date - interval '2 years')::date"],
    'three_before': ['win.area_code', "(win.month_start_date - interval '3 years')::date"],
    'in_2019': ['win.area_code', 'make_date(2019, extract(month from win.month_start_date)::integer, 1)'],
    'of_2019': ['win.area_code', "date '2019-12-01'"],
    'in_2019_20': [
        'win.area_code',
        'make_date(2019 + (extract(month from win.month_start_date) < 4)::integer, extract(month from win.month_start_date)::integer, 1)'
    ],
    'of_2019_20': ['win.area_code', "date '2020-03-01'"],
    'of_unknown': ['win.area_code', 'win.unknown_month_start_date'],
} %}

select
    win.area_code,
    area.area_name,
    area.area_type,
    win.measure_code,
    measure.measure_name,
    span.window_kind,
    win.month_start_date,
    (win.month_start_date - make_interval(months => span.months - 1))::date as window_start_date,
    (win.month_start_date + interval '1 month' - interval '1 day')::date as window_end_date,
    win.sex,
    win.age_band,
    span.window_count,
    span.residents as denominator,
    span.residents_year as denominator_year,
    measure.rate_per,
    case when span.residents is not null then area.residents_caveat end as residents_caveat,
    span.count_year_before,
    span.count_2019,
    span.count_2019_20,
    span.mean_three_years,
    span.london_count,
    span.london_residents as london_denominator,
    span.london_residents_year as london_denominator_year,
    span.half_count::double precision / nullif(span.half_residents, 0) * measure.rate_per as inner_outer_rate,
    span.rank_in_london,
    span.rank_basis,
    span.level_quartile,
    span.change_quartile,
    win.break_month_start_date,
    win.hard_break_month_start_date,
    span.placed_share,
    span.placed_share_year_before,
    span.placed_share_2019,
    span.placed_share_2019_20,
    span.placed_share_three_years,
    span.months,
    case when span.window_kind = 'month' then win.chart_centre end as chart_centre,
    case when span.window_kind = 'month' then win.chart_lower end as chart_lower,
    case when span.window_kind = 'month' then win.chart_upper end as chart_upper,
    case when span.window_kind = 'month' then win.chart_signal end as chart_signal,
    case
        when span.window_count is null then of_unknown.value_note
        when span.window_kind = 'month' then win.value_note
    end as value_note,
    win.source_release,
    win.is_provisional,
    win.typical_revision_percent,
    win.typical_revision_editions
from {{ ref('fct_window') }} as win
inner join {{ ref('dim_area') }} as area on win.area_code = area.area_code
inner join {{ ref('dim_measure') }} as measure on win.measure_code = measure.measure_code
{% for name, (area_code, month) in others.items() %}
left join
    lateral (
        select other.*
        from {{ ref('fct_window') }} as other
        where
            win.measure_code = other.measure_code
            and {{ month }} = other.month_start_date
            and {{ area_code }} = other.area_code
            and win.sex = other.sex
            and win.age_band = other.age_band
            {% if '2019' in name %}
            and win.month_start_date >= other.month_start_date
            {% endif %}
        -- Keeps it a search by the key: without it PostgreSQL reads every month of the table to answer for one. A key gives
        -- one row, which needs no order.
        limit all offset 0 -- noqa: AM09
    ) as {{ name }}
    on true
{% endfor %}
cross join
    lateral (
        values
        {% for kind, window, months, is_ended in spans %}
        {% set base = 'of' if window == 'rolling_12' else 'in' %}
        (
            '{{ kind }}',
            {{ months }},
            {{ is_ended }},
            win.{{ window }}_count,
            {{ residents_of('win', kind) }},
            {{ residents_of('win', kind, '_year') }},
            one_before.{{ window }}_count,
            {{ base }}_2019.{{ window }}_count,
            {{ base }}_2019_20.{{ window }}_count,
            (one_before.{{ window }}_count + two_before.{{ window }}_count + three_before.{{ window }}_count) / 3.0,
            win.{{ window }}_placed_share,
            one_before.{{ window }}_placed_share,
            {{ base }}_2019.{{ window }}_placed_share,
            {{ base }}_2019_20.{{ window }}_placed_share,
            -- The three together: what is placed of what there is.
            (one_before.{{ window }}_count + two_before.{{ window }}_count + three_before.{{ window }}_count)
            / nullif(
                one_before.{{ window }}_count / nullif(one_before.{{ window }}_placed_share, 0)
                + two_before.{{ window }}_count / nullif(two_before.{{ window }}_placed_share, 0)
                + three_before.{{ window }}_count / nullif(three_before.{{ window }}_placed_share, 0), 0
            ),
            london.{{ window }}_count,
            {{ residents_of('london', kind) }},
            {{ residents_of('london', kind, '_year') }},
            half.{{ window }}_count,
            {{ residents_of('half', kind) }},
            win.{{ window }}_rank,
            {% if window == 'financial_year_to_date' %}
            case when extract(month from win.month_start_date) = 3 then win.rolling_12_rank_basis else win.rank_basis end,
            {% else %}
            win.{{ 'rolling_12_' if window == 'rolling_12' }}rank_basis,
            {% endif %}
            win.{{ window }}_quartile,
            win.{{ window }}_change_quartile
        ){{ ',' if not loop.last }}
        {% endfor %}
    )
        as span (
            window_kind,
            months,
            is_ended,
            window_count,
            residents,
            residents_year,
            count_year_before,
            count_2019,
            count_2019_20,
            mean_three_years,
            placed_share,
            placed_share_year_before,
            placed_share_2019,
            placed_share_2019_20,
            placed_share_three_years,
            london_count,
            london_residents,
            london_residents_year,
            half_count,
            half_residents,
            rank_in_london,
            rank_basis,
            level_quartile,
            change_quartile
        )
where
    span.is_ended
    and (
        span.window_count is not null
        -- A window that holds a month without a figure has none, and says why.
        or win.unknown_month_start_date > (win.month_start_date - make_interval(months => span.months))::date
    )
