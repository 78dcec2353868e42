{% set spans = [
    ('month', 'month', 1, 'true'),
    ('rolling_3', 'rolling_3', 3, 'true'),
    ('rolling_6', 'rolling_6', 6, 'true'),
    ('rolling_12', 'rolling_12', 12, 'true'),
    ('financial_year_to_date', 'financial_year_to_date',
        '((extract(month from win.month_start_date)::integer + 8) % 12) + 1', 'true'),
    ('calendar_year', 'rolling_12', 12, 'extract(month from win.month_start_date) = 12'),
    ('financial_year', 'rolling_12', 12, 'extract(month from win.month_start_date) = 3'),
] %}
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
-- Of each comparison: the count it is made with, and from when on a break parts the two.
{% set twelve = "spanned.window_kind in ('rolling_12', 'calendar_year', 'financial_year')" %}
{% set comparisons = {
    'year_before': ['spanned.count_year_before', "(spanned.window_start_date - interval '1 year')::date"],
    '2019': [
        'spanned.count_2019',
        "case when " ~ twelve ~ " then date '2019-01-01' else (make_date(2019, extract(month from spanned.month_start_date)::integer, 1)
        - make_interval(months => spanned.months - 1))::date end"
    ],
    '2019_20': [
        'spanned.count_2019_20',
        "case when " ~ twelve ~ " then date '2019-04-01' else (make_date(2019 + (extract(month from spanned.month_start_date) < 4)::integer,
        extract(month from spanned.month_start_date)::integer, 1) - make_interval(months => spanned.months - 1))::date end"
    ],
    'three_years': ['spanned.mean_three_years', "(spanned.window_start_date - interval '3 years')::date"],
} %}
with spanned as (
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
            offset 0 -- noqa: AM09
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
),

compared as (
    select
        spanned.*,
        {% for name, (count, since) in comparisons.items() %}
        {{ is_comparable(
            'spanned.hard_break_month_start_date', since, 'spanned.window_count', count, 'spanned.placed_share', 'spanned.placed_share_' ~ name
        ) }} as is_comparable_on_{{ name }},
        {% endfor %}
        case
            when spanned.count_year_before is not null
                then {{ break_effect_percent('spanned.placed_share', 'spanned.placed_share_year_before') }}
        end as break_effect_percent
    from spanned
)

select
    spanned.area_code,
    spanned.area_name,
    spanned.area_type,
    spanned.measure_code,
    spanned.measure_name,
    spanned.window_kind,
    spanned.month_start_date,
    spanned.window_start_date,
    spanned.window_end_date,
    spanned.sex,
    spanned.age_band,
    spanned.window_count,
    spanned.denominator,
    spanned.denominator_year,
    spanned.rate_per,
    spanned.window_count::double precision / nullif(spanned.denominator, 0) * spanned.rate_per as rate,
    {% for name, confidence in [('95', '0.95'), ('998', '0.998')] %}
    {% for side in ['lower', 'upper'] %}
    marts.poisson_{{ side }}(spanned.window_count, {{ confidence }}) / nullif(spanned.denominator, 0)
    * spanned.rate_per as rate_{{ side }}_{{ name }},
    {% endfor %}
    {% endfor %}
    spanned.residents_caveat,
    spanned.count_year_before,
    {% for base in ['count_year_before', 'count_2019', 'count_2019_20', 'mean_three_years'] %}
    {% if base != 'count_year_before' %}
    {{ 'round(spanned.mean_three_years, 2)::numeric(14, 2) as mean_three_years' if base == 'mean_three_years' else 'spanned.' ~ base }},
    {% endif %}
    round(100.0 * (spanned.window_count - spanned.{{ base }}) / nullif(spanned.{{ base }}, 0), 2)::numeric(14, 2)
        as change_on_{{ base | replace('count_', '') | replace('mean_', '') }}_percent,
    {% endfor %}
    spanned.london_count,
    spanned.london_denominator,
    spanned.london_denominator_year,
    spanned.london_count::double precision / nullif(spanned.london_denominator, 0) * spanned.rate_per as london_rate,
    spanned.inner_outer_rate,
    -- Of all of them or of none: the events of a borough whose residents are not known are not divided among the others'.
    (
        select
            case
                when count(*) = count(one.window_count) and count(*) = count(one.residents)
                    then sum(one.window_count)::double precision / nullif(sum(one.residents), 0) * spanned.rate_per
            end
        from {{ ref('dim_similar_area') }} as similar_to
        left join {{ ref('fct_window') }} as other
            on
                similar_to.similar_area_code = other.area_code
                and spanned.measure_code = other.measure_code
                and spanned.month_start_date = other.month_start_date
                and spanned.sex = other.sex
                and spanned.age_band = other.age_band
        cross join
            lateral (
                select
                    case spanned.window_kind
                        {% for kind, window, months, is_ended in spans %}
                        when '{{ kind }}' then other.{{ window }}_count
                        {% endfor %}
                    end as window_count,
                    case
                        when
                            spanned.window_kind in ('rolling_12', 'calendar_year', 'financial_year')
                            or (spanned.window_kind = 'financial_year_to_date' and spanned.months = 12)
                            then other.rolling_12_residents
                        else other.residents
                    end as residents
            ) as one
        where spanned.area_code = similar_to.borough_code
    ) as similar_areas_rate,
    spanned.rank_in_london,
    spanned.rank_basis,
    spanned.level_quartile,
    spanned.change_quartile,
    case
        when spanned.area_type = 'borough' or spanned.area_code in ('LONDON_32', 'INNER', 'OUTER')
            then round(100.0 * spanned.window_count / nullif(spanned.london_count, 0), 3)::numeric(7, 3)
    end as share_of_london_percent,
    (spanned.window_count::double precision / nullif(spanned.denominator, 0))
    / nullif(spanned.london_count::double precision / nullif(spanned.london_denominator, 0), 0) as location_quotient,
    case
        when spanned.area_type = 'borough'
            then
                marts.funnel_label(
                    spanned.window_count,
                    spanned.london_count::double precision / nullif(spanned.london_denominator, 0) * spanned.denominator
                )
    end as significance_against_london,
    spanned.chart_centre,
    spanned.chart_lower,
    spanned.chart_upper,
    spanned.chart_signal,
    -- The newest break up to the window's end decides: it lies inside, or between the window and what it is compared with.
    coalesce(spanned.break_month_start_date > spanned.window_start_date, false) as has_series_break,
    {% for name, (count, since) in comparisons.items() %}
    coalesce(spanned.break_month_start_date > {{ since }}, false) as has_break_on_{{ name }},
    {% endfor %}
    {% for name in comparisons %}
    spanned.is_comparable_on_{{ name }},
    {% endfor %}
    round(spanned.break_effect_percent::numeric, 2)::numeric(14, 2) as break_effect_percent,
    nullif(concat_ws(
        '; ',
        (
            select {{ breaks_in_words('breaks') }}
            from {{ ref('series_break') }} as breaks
            where
                breaks.measure_code = spanned.measure_code
                and (breaks.area_code is null or breaks.area_code = spanned.area_code)
                and breaks.break_month > (spanned.window_start_date - interval '1 year')::date
                and breaks.break_month <= spanned.month_start_date
        ),
        {{ break_effect_in_words('spanned.break_effect_percent') }}
    ), '') as break_reason,
    case
        when spanned.window_count is null then 'withheld'
        when spanned.hard_break_month_start_date > spanned.window_start_date then 'break_in_window'
        when not spanned.is_comparable_on_year_before then 'break_in_comparison'
        when spanned.is_provisional then 'provisional'
        else 'final'
    end as status,
    spanned.value_note,
    spanned.source_release,
    spanned.is_provisional,
    spanned.typical_revision_percent,
    spanned.typical_revision_editions
from compared as spanned
