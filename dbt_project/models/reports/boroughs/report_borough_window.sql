{% set spans = window_kinds() %}
{% set windows = ['month', 'rolling_3', 'rolling_6', 'rolling_12', 'financial_year_to_date'] %}
{% set counts, shares = [], [] %}
{% for window in windows %}
{% do counts.append(window ~ '_count') %}
{% do shares.append(window ~ '_placed_share') %}
{% endfor %}
{% set residents = ['residents', 'residents_year', 'rolling_12_residents', 'rolling_12_residents_year'] %}
-- The same window of other years, and of other areas, each found by its key: area, month, and what is read of it.
{% set others = {
    'london': ["'LONDON_32'", 'win.month_start_date', counts + residents],
    'half': ['upper(area.ons_inner_outer)', 'win.month_start_date', counts + residents],
    'one_before': ['win.area_code', "(win.month_start_date - interval '1 year')::date", counts + shares],
    'two_before': ['win.area_code', "(win.month_start_date - interval '2 years')::date", counts + shares],
    'three_before': ['win.area_code', "(win.month_start_date - interval '3 years')::date", counts + shares],
    'in_2019': ['win.area_code', 'make_date(2019, extract(month from win.month_start_date)::integer, 1)', counts + shares],
    'of_2019': ['win.area_code', "date '2019-12-01'", counts + shares],
    'in_2019_20': [
        'win.area_code',
        'make_date(2019 + (extract(month from win.month_start_date) < 4)::integer, extract(month from win.month_start_date)::integer, 1)',
        counts + shares
    ],
    'of_2019_20': ['win.area_code', "date '2020-03-01'", counts + shares],
    'of_unknown': ['win.area_code', 'win.unknown_month_start_date', ['value_note']],
} %}
-- What a kind of window has, by the columns of fct_window that hold it (WINDOW). Twelve months are compared with those that end a year (of_),
-- others with the same months of it (in_).
{% set three_years = '(one_before.WINDOW_count + two_before.WINDOW_count + three_before.WINDOW_count)' %}
{% set held = {
    'window_count': 'win.WINDOW_count',
    'count_year_before': 'one_before.WINDOW_count',
    'count_2019': 'BASE_2019.WINDOW_count',
    'count_2019_20': 'BASE_2019_20.WINDOW_count',
    'mean_three_years': three_years ~ ' / 3.0',
    'london_count': 'london.WINDOW_count',
    'half_count': 'half.WINDOW_count',
    'rank_in_london': 'win.WINDOW_rank',
    'level_quartile': 'win.WINDOW_quartile',
    'change_quartile': 'win.WINDOW_change_quartile',
    'placed_share': 'win.WINDOW_placed_share',
    'placed_share_year_before': 'one_before.WINDOW_placed_share',
    'placed_share_2019': 'BASE_2019.WINDOW_placed_share',
    'placed_share_2019_20': 'BASE_2019_20.WINDOW_placed_share',
    'placed_share_three_years': three_years ~ ' / nullif('
        ~ 'one_before.WINDOW_count / nullif(one_before.WINDOW_placed_share, 0)'
        ~ ' + two_before.WINDOW_count / nullif(two_before.WINDOW_placed_share, 0)'
        ~ ' + three_before.WINDOW_count / nullif(three_before.WINDOW_placed_share, 0), 0)',
} %}
-- Twelve months, also those of a financial year that has come to its March, are divided by the residents of their middle.
{% set of_middle = "span.held_in = 'rolling_12' or ("
    ~ "span.held_in = 'financial_year_to_date' and extract(month from win.month_start_date) = 3)" %}
with spanned as (
    select
        win.area_code,
        area.area_name,
        area.area_type,
        win.measure_code,
        measure.measure_name,
        span.window_kind,
        win.month_start_date,
        win.sex,
        win.age_band,
        measure.rate_per,
        area.residents_caveat,
        {% for name, expression in held.items() %}
        case span.held_in
            {% for window in windows %}
            {% set base = 'of' if window == 'rolling_12' else 'in' %}
            when '{{ window }}' then {{ expression | replace('WINDOW', window) | replace('BASE', base) }}
            {% endfor %}
        end as {{ name }},
        {% endfor %}
        {% for name, relation, column in [
            ('denominator', 'win', 'residents'),
            ('denominator_year', 'win', 'residents_year'),
            ('london_denominator', 'london', 'residents'),
            ('london_denominator_year', 'london', 'residents_year'),
            ('half_residents', 'half', 'residents'),
            ('rank_basis', 'win', 'rank_basis'),
        ] %}
        case when {{ of_middle }} then {{ relation }}.rolling_12_{{ column }} else {{ relation }}.{{ column }} end as {{ name }},
        {% endfor %}
        win.break_month_start_date,
        win.hard_break_month_start_date,
        case span.window_kind
            {% for kind, _, months, _ in spans %}
            when '{{ kind }}' then {{ months }}
            {% endfor %}
        end as months,
        case span.window_kind
            {% for kind, _, _, is_ended in spans if is_ended != 'true' %}
            when '{{ kind }}' then {{ is_ended }}
            {% endfor %}
            else true
        end as is_ended,
        {% for column in ['chart_centre', 'chart_lower', 'chart_upper', 'chart_signal'] %}
        case when span.window_kind = 'month' then win.{{ column }} end as {{ column }},
        {% endfor %}
        case when span.window_kind = 'month' then win.value_note end as value_note,
        of_unknown.value_note as unknown_note,
        win.unknown_month_start_date,
        win.source_release,
        win.is_provisional,
        win.typical_revision_percent,
        win.typical_revision_editions
    from {{ ref('fct_window') }} as win
    inner join {{ ref('dim_area') }} as area on win.area_code = area.area_code
    inner join {{ ref('dim_measure') }} as measure on win.measure_code = measure.measure_code
    -- Each of one row: aggregated, it stays a search by the key (PostgreSQL would read every month of the table to answer for one), and is left
    -- out where nobody asks for it.
    {% for name, (area_code, month, columns) in others.items() %}
    left join
        lateral (
            select
            {% for column in columns %}
                max(other.{{ column }}) as {{ column }}{{ ',' if not loop.last }}
            {% endfor %}
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
        ) as {{ name }}
        on true
    {% endfor %}
    cross join
        (
            values
            {% for kind, window, _, _ in spans %}
            ('{{ kind }}', '{{ window }}'){{ ',' if not loop.last }}
            {% endfor %}
        ) as span (window_kind, held_in)
)

select
    area_code,
    area_name,
    area_type,
    measure_code,
    measure_name,
    window_kind,
    month_start_date,
    (month_start_date - make_interval(months => months - 1))::date as window_start_date,
    (month_start_date + interval '1 month' - interval '1 day')::date as window_end_date,
    sex,
    age_band,
    window_count,
    denominator,
    denominator_year,
    rate_per,
    case when denominator is not null then residents_caveat end as residents_caveat,
    count_year_before,
    count_2019,
    count_2019_20,
    mean_three_years,
    london_count,
    london_denominator,
    london_denominator_year,
    half_count::double precision / nullif(half_residents, 0) * rate_per as inner_outer_rate,
    rank_in_london,
    rank_basis,
    level_quartile,
    change_quartile,
    break_month_start_date,
    hard_break_month_start_date,
    placed_share,
    placed_share_year_before,
    placed_share_2019,
    placed_share_2019_20,
    placed_share_three_years,
    months,
    chart_centre,
    chart_lower,
    chart_upper,
    chart_signal,
    case when window_count is null then unknown_note else value_note end as value_note,
    source_release,
    is_provisional,
    typical_revision_percent,
    typical_revision_editions
from spanned
where
    is_ended
    and (
        window_count is not null
        -- A window that holds a month without a figure has none, and says why.
        or unknown_month_start_date > (month_start_date - make_interval(months => months))::date
    )
