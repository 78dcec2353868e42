{% set at_least_percent = 98 %}
{% set minimum_count = 10 %}
{% set borough_measures = [
    'mps_all_offences', 'mps_violence_with_injury', 'mps_violence_without_injury_incl_stalking', 'mps_robbery_personal',
    'mps_weapons_possession', 'mps_rape', 'mps_other_sexual_offences', 'mps_knife_crime', 'mps_knife_crime_with_injury',
    'mps_gun_crime', 'safestats_las_assaults', 'safestats_las_knife_injuries',
] %}

-- By LSOA: the newest index that has the LSOAs which the counts are of. An index of the other vintage lacks those that were split or
-- merged, and falls below the share asked for: that is how vintages are kept apart, and the share is said.
with counts as (
    select
        measure_code,
        small_area_code,
        area_code,
        window_start_date,
        window_end_date,
        window_count,
        source_release,
        is_provisional
    from {{ ref('int_small_area_window') }}
    where area_level = 'lsoa' and window_count > 0
),

located as (
    select
        measure_code,
        min(window_start_date) as window_start_date,
        min(window_end_date) as window_end_date,
        min(source_release) as source_release,
        bool_or(is_provisional) as is_provisional,
        sum(window_count) as located_count
    from counts
    group by measure_code
),

lsoas as (
    select index_lsoa.*
    from {{ ref('int_deprivation_lsoa') }} as index_lsoa
    inner join {{ ref('boroughs') }} as borough on index_lsoa.area_code = borough.borough_code
),

matched as (
    select
        counts.measure_code,
        lsoas.index_code,
        sum(counts.window_count) as matched_count
    from counts
    inner join lsoas on counts.small_area_code = lsoas.lsoa_code and lsoas.domain = 'imd'
    group by counts.measure_code, lsoas.index_code
),

chosen as (
    select distinct on (located.measure_code)
        located.*,
        matched.index_code,
        round(100.0 * matched.matched_count / located.located_count, 2) as coverage_percent
    from located
    inner join matched on located.measure_code = matched.measure_code
    where 100.0 * matched.matched_count >= {{ at_least_percent }} * located.located_count
    order by located.measure_code asc, matched.index_code desc
),

lsoa_cells as (
    select
        'lsoa' as place_level,
        chosen.measure_code,
        chosen.index_code,
        lsoas.domain,
        bases.quintile_basis,
        bases.quintile,
        lsoas.area_code,
        coalesce(counts.window_count, 0) as offence_count,
        lsoas.residents,
        lsoas.residents_year
    from chosen
    inner join lsoas on chosen.index_code = lsoas.index_code
    cross join
        lateral (
            values ('national', lsoas.national_quintile), ('london', lsoas.london_quintile)
        ) as bases (quintile_basis, quintile)
    left join counts
        on chosen.measure_code = counts.measure_code and lsoas.lsoa_code = counts.small_area_code
),

-- By borough: fifths of the 32 by their average score, where nobody counts by LSOA; what differs within a borough is lost.
scored as (
    select
        area_code,
        6 - ntile(5) over (order by value asc, area_code desc) as quintile
    from (
        select
            fact.area_code,
            fact.value,
            count(*) over () as boroughs
        from {{ ref('fct_measure') }} as fact
        inner join {{ ref('dim_borough') }} as borough on fact.area_code = borough.borough_code
        where
            fact.measure_code = 'fingertips_imd_2019_score'
            and fact.sex = 'all'
            and fact.age_band = 'all'
            and fact.ethnicity = 'all'
            and fact.value is not null
            and fact.period_start_date = (
                select max(newest.period_start_date) from {{ ref('fct_measure') }} as newest
                where newest.measure_code = 'fingertips_imd_2019_score'
            )
    ) as values_of_boroughs
    where boroughs = 32
),

monthly as (
    select
        fact.measure_code,
        fact.area_code,
        fact.period_start_date,
        fact.value,
        fact.source_release,
        fact.is_provisional,
        max(fact.period_start_date) over (partition by fact.measure_code) as window_end_month
    from {{ ref('fct_measure') }} as fact
    inner join scored on fact.area_code = scored.area_code
    where
        fact.measure_code in (
            {% for measure in borough_measures %}
            '{{ measure }}'{{ ',' if not loop.last }}
            {% endfor %}
        )
        and fact.period_kind = 'month'
        and fact.sex = 'all'
        and fact.age_band = 'all'
        and fact.ethnicity = 'all'
),

borough_windows as (
    select
        measure_code,
        (window_end_month - interval '11 months')::date as window_start_date,
        (window_end_month + interval '1 month' - interval '1 day')::date as window_end_date,
        max(source_release) as source_release,
        bool_or(is_provisional) as is_provisional
    from monthly
    where period_start_date > window_end_month - interval '12 months'
    group by measure_code, window_end_month
    -- 32 boroughs in each of 12 months, or none at all.
    having count(value) = 32 * 12
),

borough_counts as (
    select
        measure_code,
        area_code,
        sum(value)::bigint as window_count
    from monthly
    where period_start_date > window_end_month - interval '12 months'
    group by measure_code, area_code
),

population as materialized (
    select
        area_code,
        year,
        residents
    from {{ ref('int_population') }}
    where sex = 'all' and age_band = 'all'
),

-- The newest residents that are not of a later year than the counts.
population_year as (
    select
        windows.measure_code,
        max(population.year) as year
    from borough_windows as windows
    inner join population
        on population.area_code = 'LONDON_32' and population.year <= extract(year from windows.window_end_date)
    group by windows.measure_code
),

borough_cells as (
    select
        'borough' as place_level,
        windows.measure_code,
        'imd_2019' as index_code,
        'imd' as domain,
        'london' as quintile_basis,
        scored.quintile,
        scored.area_code,
        counted.window_count as offence_count,
        population.residents,
        population.year as residents_year
    from borough_windows as windows
    inner join borough_counts as counted on windows.measure_code = counted.measure_code
    inner join scored on counted.area_code = scored.area_code
    left join population_year on windows.measure_code = population_year.measure_code
    left join population
        on scored.area_code = population.area_code and population_year.year = population.year
),

quintiles as (
    select
        place_level,
        measure_code,
        index_code,
        domain,
        quintile_basis,
        coalesce(area_code, 'LONDON_32') as area_code,
        quintile,
        count(*) as place_count,
        sum(offence_count) as numerator,
        -- Residents of most of a quintile would be taken for all.
        case when count(residents) = count(*) then sum(residents) end as denominator,
        min(residents_year) as denominator_year
    from (
        select * from lsoa_cells
        union all
        select * from borough_cells
    ) as cells
    group by place_level, measure_code, index_code, domain, quintile_basis, quintile, grouping sets ((), (area_code))
    having grouping(area_code) = 1 or place_level = 'lsoa'
),

-- Each quintile's place on the scale of residents from the least deprived (0) to the most (1): the middle of its share.
placed as (
    select
        *,
        sum(numerator) over area as area_numerator,
        sum(denominator) over area as area_denominator,
        count(denominator) over area as known_quintiles,
        (
            sum(denominator) over (area order by quintile desc rows between unbounded preceding and current row)
            - denominator / 2.0
        ) / nullif(sum(denominator) over area, 0) as middle
    from quintiles
    window area as (partition by place_level, measure_code, domain, quintile_basis, area_code)
),

-- The slope of the regression of rates on that scale, weighted by residents; its mean is 1/2 by construction.
compared as (
    select
        *,
        case
            when known_quintiles = 5 and area_numerator >= {{ minimum_count }}
                then
                    1000 * sum((middle - 0.5) * numerator) over area
                    / nullif(sum(denominator * (middle - 0.5) * (middle - 0.5)) over area, 0)
        end as slope_index,
        1000.0 * area_numerator / nullif(area_denominator, 0) as overall_rate,
        max(numerator) filter (where quintile = 1) over area as most_deprived_numerator,
        max(denominator) filter (where quintile = 1) over area as most_deprived_denominator,
        max(numerator) filter (where quintile = 5) over area as least_deprived_numerator,
        max(denominator) filter (where quintile = 5) over area as least_deprived_denominator
    from placed
    window area as (partition by place_level, measure_code, domain, quintile_basis, area_code)
),

ratios as (
    select
        *,
        case
            when most_deprived_numerator >= {{ minimum_count }} and least_deprived_numerator >= {{ minimum_count }}
                then
                    most_deprived_numerator * least_deprived_denominator
                    / nullif(least_deprived_numerator * most_deprived_denominator, 0)
        end as ratio,
        case
            when most_deprived_numerator >= {{ minimum_count }} and least_deprived_numerator >= {{ minimum_count }}
                then
                    exp(
                        marts.normal_deviate(0.95) * sqrt(
                            1 / most_deprived_numerator::double precision + 1 / least_deprived_numerator::double precision
                        )
                    )
        end as ratio_factor
    from compared
),

spans as (
    select
        'lsoa' as place_level,
        measure_code,
        window_start_date,
        window_end_date,
        coverage_percent,
        source_release,
        is_provisional
    from chosen
    union all
    select
        'borough' as place_level,
        measure_code,
        window_start_date,
        window_end_date,
        100 as coverage_percent,
        source_release,
        is_provisional
    from borough_windows
),

broken as (
    select distinct
        spans.place_level,
        spans.measure_code
    from spans
    inner join {{ ref('series_break') }} as step
        on
            spans.measure_code = step.measure_code
            and step.area_code is null
            and step.break_kind <> 'restated'
            and spans.window_start_date < step.break_month
            and spans.window_end_date >= step.break_month
)

select
    ratios.place_level,
    ratios.area_code,
    ratios.measure_code,
    spans.window_start_date,
    spans.window_end_date,
    ratios.index_code,
    ratios.domain,
    ratios.quintile_basis,
    ratios.quintile::integer as quintile,
    ratios.place_count::integer as place_count,
    ratios.numerator::bigint as numerator,
    ratios.denominator::bigint as denominator,
    case when ratios.denominator is not null then ratios.denominator_year end::integer as denominator_year,
    round(1000.0 * ratios.numerator / nullif(ratios.denominator, 0), 4)::double precision as rate_per_1000,
    round(
        (1000 * marts.poisson_lower(ratios.numerator::double precision, 0.95) / nullif(ratios.denominator, 0))::numeric, 4
    )::double precision as rate_per_1000_lower_95,
    round(
        (1000 * marts.poisson_upper(ratios.numerator::double precision, 0.95) / nullif(ratios.denominator, 0))::numeric, 4
    )::double precision as rate_per_1000_upper_95,
    round(100.0 * ratios.numerator / nullif(ratios.area_numerator, 0), 2)::double precision as share_of_count_percent,
    round(100.0 * ratios.denominator / nullif(ratios.area_denominator, 0), 2)::double precision as share_of_residents_percent,
    round(ratios.ratio, 3)::double precision as ratio_most_to_least_deprived,
    round((ratios.ratio::double precision / ratios.ratio_factor)::numeric, 3)::double precision as ratio_lower_95,
    round((ratios.ratio::double precision * ratios.ratio_factor)::numeric, 3)::double precision as ratio_upper_95,
    round(ratios.slope_index, 3)::double precision as slope_index_per_1000,
    -- One figure under two names for a release: relative_index is the old one.
    {% for name in ['slope_index_over_mean', 'relative_index'] %}
    round(ratios.slope_index / nullif(ratios.overall_rate, 0), 3)::double precision as {{ name }},
    {% endfor %}
    -- The mean of the scale is 1/2, so the line is half the slope above the overall rate at one end and half below at the other.
    case
        when ratios.slope_index < 2 * ratios.overall_rate
            then round((ratios.overall_rate + ratios.slope_index / 2) / nullif(ratios.overall_rate - ratios.slope_index / 2, 0), 3)
    end::double precision as relative_index_of_inequality,
    spans.coverage_percent::double precision as located_share_percent,
    broken.measure_code is not null as has_series_break,
    nullif(
        concat_ws(
            ' ',
            case when ratios.denominator is null then 'No residents: the copy of the index that was loaded has none.' end,
            case
                when ratios.known_quintiles < 5 and ratios.denominator is not null
                    then 'Not every quintile has a place here: no slope.'
            end
        ), ''
    ) as note,
    spans.source_release,
    spans.is_provisional
from ratios
inner join spans on ratios.place_level = spans.place_level and ratios.measure_code = spans.measure_code
left join broken on ratios.place_level = broken.place_level and ratios.measure_code = broken.measure_code
