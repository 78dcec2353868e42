{% set minimum_count = 10 %}

with counts as (
    select
        measure_code,
        small_area_code,
        window_count
    from {{ ref('int_small_area_window') }}
    where area_level = 'lsoa' and window_count > 0
),

lsoas as (
    select index_lsoa.*
    from {{ ref('int_deprivation_lsoa') }} as index_lsoa
    inner join {{ ref('boroughs') }} as borough on index_lsoa.area_code = borough.borough_code
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
    from {{ ref('report_deprivation_lsoa_window') }} as chosen
    inner join lsoas on chosen.index_code = lsoas.index_code
    cross join
        lateral (
            values ('national', lsoas.national_quintile), ('london', lsoas.london_quintile)
        ) as bases (quintile_basis, quintile)
    left join counts
        on chosen.measure_code = counts.measure_code and lsoas.lsoa_code = counts.small_area_code
),

-- By borough: fifths of the 32 by their average score, where nobody counts by LSOA; what differs within a borough is lost.

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
        select
            place_level,
            measure_code,
            index_code,
            domain,
            quintile_basis,
            quintile,
            area_code,
            offence_count,
            residents,
            residents_year
        from {{ ref('report_deprivation_borough') }}
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
)

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
