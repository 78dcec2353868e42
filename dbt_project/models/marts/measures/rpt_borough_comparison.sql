-- The newest twelve months of each measure, side by side. The lines of the funnel agree with significance_against_london of every count.
with newest as materialized (
    select
        measure_code,
        max(month_start_date) as month_start_date
    from {{ ref('fct_window') }}
    -- London has a figure as soon as a borough has one.
    where area_code = 'LONDON_32' and sex = 'all' and age_band = 'all' and rolling_12_count is not null
    group by measure_code
),

compared as (
    select
        report.*,
        report.london_rate / report.rate_per * report.denominator as expected_count
    from newest
    cross join
        lateral (
            select borough.*
            from {{ ref('rpt_borough_measure') }} as borough
            where
                newest.measure_code = borough.measure_code
                and newest.month_start_date = borough.month_start_date
                and borough.window_kind = 'rolling_12'
                and borough.sex = 'all'
                and borough.age_band = 'all'
                and borough.area_type = 'borough'
            -- Measure by measure by the key: without it PostgreSQL works out every month for the newest of each. The key gives the rows, which need no order.
            limit all offset 0 -- noqa: AM09
        ) as report
),

rungs as (
    select
        measure_code,
        min(rate) as lowest_rate,
        min(rate) filter (where rank_in_london <= 24) as rate_ranked_24,
        min(rate) filter (where rank_in_london <= 16) as rate_ranked_16,
        min(rate) filter (where rank_in_london <= 8) as rate_ranked_8,
        max(rate) as highest_rate
    from compared
    where rank_basis = 'rate'
    group by measure_code
)

select
    compared.area_code,
    compared.area_name,
    compared.measure_code,
    compared.measure_name,
    compared.window_start_date,
    compared.window_end_date,
    compared.window_count,
    compared.denominator,
    compared.denominator_year,
    compared.london_denominator_year,
    compared.rate_per,
    compared.rate,
    compared.rate_lower_95,
    compared.rate_upper_95,
    compared.london_rate,
    compared.similar_areas_rate,
    compared.rank_in_london,
    compared.rank_basis,
    compared.share_of_london_percent,
    compared.significance_against_london,
    compared.expected_count,
    {% for name, confidence in [('95', '0.95'), ('998', '0.998')] %}
    {% for side in ['lower', 'upper'] %}
    marts.funnel_{{ side }}(compared.expected_count, {{ confidence }}) / nullif(compared.denominator, 0) * compared.rate_per
        as funnel_{{ side }}_{{ name }},
    {% endfor %}
    {% endfor %}
    rungs.lowest_rate,
    rungs.rate_ranked_24,
    rungs.rate_ranked_16,
    rungs.rate_ranked_8,
    rungs.highest_rate,
    compared.count_year_before,
    compared.change_on_year_before_percent,
    compared.is_comparable_on_year_before,
    compared.residents_caveat,
    compared.value_note,
    compared.source_release,
    compared.is_provisional
from compared
left join rungs on compared.measure_code = rungs.measure_code
