{% set spans = window_kinds() %}
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
with compared as (
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
    from {{ ref('report_borough_window') }} as spanned
),

alike as (
    select
        borough_code,
        array_agg(similar_area_code) as area_codes
    from {{ ref('dim_similar_area') }}
    group by borough_code
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
                when count(one.window_count) = cardinality(alike.area_codes) and count(one.residents) = cardinality(alike.area_codes)
                    then sum(one.window_count)::double precision / nullif(sum(one.residents), 0) * spanned.rate_per
            end
        from {{ ref('fct_window') }} as other
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
        where
            spanned.measure_code = other.measure_code
            and spanned.month_start_date = other.month_start_date
            and other.area_code = any(alike.area_codes)
            and spanned.sex = other.sex
            and spanned.age_band = other.age_band
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
    spanned.typical_revision_editions,
    (select kind.data_kind from {{ ref('dim_data_kind') }} as kind) as data_kind
from compared as spanned
left join alike on spanned.area_code = alike.borough_code
