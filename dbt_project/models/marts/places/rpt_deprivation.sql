with spans as (
    select
        'lsoa' as place_level,
        measure_code,
        window_start_date,
        window_end_date,
        coverage_percent,
        source_release,
        is_provisional
    from {{ ref('report_deprivation_lsoa_window') }}
    union all
    select distinct
        'borough' as place_level,
        measure_code,
        window_start_date,
        window_end_date,
        100 as coverage_percent,
        source_release,
        is_provisional
    from {{ ref('report_deprivation_borough') }}
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
from {{ ref('report_deprivation_quintile') }} as ratios
inner join spans on ratios.place_level = spans.place_level and ratios.measure_code = spans.measure_code
left join broken on ratios.place_level = broken.place_level and ratios.measure_code = broken.measure_code
