{% set minimum_count = 10 %}
{% set level = 0.05 %}

-- Rates by the residents of the index of deprivation that has the LSOA: a code in both vintages is one place in both, and the newer speaks.
with lsoa_residents as (
    select distinct on (lsoa_code)
        lsoa_code,
        residents,
        residents_year
    from {{ ref('int_deprivation_lsoa') }}
    where residents > 0
    order by lsoa_code asc, residents_year desc
),

residents as (
    select
        'lsoa' as area_level,
        lsoa_code as small_area_code,
        residents,
        residents_year
    from lsoa_residents
    union all
    select
        'ward' as area_level,
        ward_code as small_area_code,
        residents,
        residents_year
    from {{ ref('int_nomis_ward_residents') }}
)

select
    judged.area_level,
    judged.small_area_code,
    judged.small_area_name,
    judged.area_code,
    judged.lsoa_vintage,
    case judged.area_level when 'ward' then judged.small_area_code else lsoas.ward_code end as ward_code,
    case judged.area_level when 'ward' then judged.small_area_name else lsoas.ward_name end as ward_name,
    judged.measure_code,
    judged.window_start_date,
    judged.window_end_date,
    judged.window_count as count_12_months,
    case when not judged.is_previous_partial then judged.previous_window_count end as previous_count_12_months,
    judged.rank_in_london::integer as rank_in_london,
    judged.rank_in_borough::integer as rank_in_borough,
    'count' as rank_basis,
    case when not judged.is_previous_partial then judged.previous_rank_in_london end::integer as previous_rank_in_london,
    case when not judged.is_previous_partial then judged.previous_rank_in_borough end::integer as previous_rank_in_borough,
    round(100.0 * judged.window_count / nullif(judged.borough_count, 0), 3)::double precision as share_of_borough_percent,
    round(100.0 * judged.borough_count_to_here / nullif(judged.borough_count, 0), 2)::double precision
        as cumulative_share_of_borough_percent,
    round(100.0 * judged.london_count_to_here / nullif(judged.london_count, 0), 2)::double precision
        as cumulative_share_of_london_percent,
    {% for scope in ['borough', 'london'] %}
    case
        when judged.window_count = 0 then null
        when judged.{{ scope }}_count_before < 0.25 * judged.{{ scope }}_count then 25
        when judged.{{ scope }}_count_before < 0.5 * judged.{{ scope }}_count then 50
        else 100
    end::integer as {{ scope }}_harm_band_percent,
    {% endfor %}
    judged.class_in_borough,
    judged.class_in_london,
    case when judged.p_value is not null then 'exact conditional test of two Poisson counts, two-sided' end as change_test,
    judged.p_value::double precision as change_p_value,
    judged.p_in_borough::double precision as change_p_adjusted_in_borough,
    judged.p_in_london::double precision as change_p_adjusted_in_london,
    case
        when judged.is_comparable is not true then null
        when judged.p_value is null
            then 'Fewer than {{ minimum_count }} offences in the 24 months: not tested.'
        else
            'From ' || judged.previous_window_count || ' to ' || judged.window_count || ': '
            || case
                when judged.p_in_borough > {{ level }} then 'within chance among the places of the borough'
                when judged.window_count > judged.previous_window_count then 'a rise beyond chance among the places of the borough'
                else 'a fall beyond chance among the places of the borough'
            end
            || ' (adjusted p '
            || case when judged.p_in_borough < 0.001 then '< 0.001' else '= ' || round(judged.p_in_borough::numeric, 3) end
            || ').'
    end as change_in_words,
    residents.residents,
    residents.residents_year,
    round(1000.0 * judged.window_count / residents.residents, 2)::double precision as rate_per_1000,
    round(
        (1000 * marts.poisson_lower(judged.window_count::double precision, 0.95) / residents.residents)::numeric, 2
    )::double precision as rate_per_1000_lower_95,
    round(
        (1000 * marts.poisson_upper(judged.window_count::double precision, 0.95) / residents.residents)::numeric, 2
    )::double precision as rate_per_1000_upper_95,
    judged.window_count < {{ minimum_count }} as is_below_minimum_count,
    judged.break_reason is not null as has_series_break,
    judged.is_comparable,
    judged.break_effect_percent,
    nullif(concat_ws('; ', judged.break_reason, {{ break_effect_in_words('judged.break_effect_percent') }}), '') as break_reason,
    nullif(
        concat_ws(
            ' ',
            case when judged.previous_window_count is null then 'The 12 months before are not all there: no class.' end,
            case
                when judged.is_window_partial
                    then 'LSOAs changed vintage in these 12 months and this one was split or merged: a part is counted.'
            end,
            case
                when judged.is_previous_partial
                    then 'LSOAs changed vintage and this one was split or merged: nothing to compare with.'
            end,
            case
                when
                    judged.previous_window_count is not null
                    and not (judged.is_comparable or judged.is_window_partial or judged.is_previous_partial)
                    then 'The 12 months before cannot be compared (break_reason): no class.'
            end,
            case when residents.residents is not null then caveats.residents_caveat end
        ), ''
    ) as note,
    judged.source_release,
    judged.is_provisional
from {{ ref('report_hotspot_class') }} as judged
left join residents
    on
        judged.area_level = residents.area_level
        and judged.small_area_code = residents.small_area_code
        and not judged.is_window_partial
left join {{ ref('lsoa_borough') }} as lsoas
    on judged.area_level = 'lsoa' and judged.small_area_code = lsoas.lsoa_code
left join {{ ref('residents_caveat') }} as caveats on judged.area_code = caveats.area_code
