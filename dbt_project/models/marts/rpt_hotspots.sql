{% set minimum_count = 10 %}
{% set hot_share = 0.25 %}

-- Rates by the residents of the index of deprivation that has the LSOA: a code in both vintages is one place in both, and the newer speaks.
with residents as (
    select distinct on (lsoa_code)
        lsoa_code,
        residents,
        residents_year
    from {{ ref('int_deprivation_lsoa') }}
    where residents > 0
    order by lsoa_code asc, residents_year desc
),

-- Peers, places of the same count, are taken together: no place is hot and its equal not.
ranked as (
    select
        *,
        sum(window_count) over (partition by area_level, measure_code) as london_count,
        sum(window_count) over (partition by area_level, measure_code, area_code) as borough_count,
        sum(window_count) over in_london as london_count_to_here,
        sum(window_count) over in_borough as borough_count_to_here,
        sum(window_count) over in_london
        - window_count * count(*) over (partition by area_level, measure_code, window_count) as london_count_before,
        sum(window_count) over in_borough
        - window_count * count(*) over (partition by area_level, measure_code, area_code, window_count) as borough_count_before,
        rank() over in_london as rank_in_london,
        rank() over in_borough as rank_in_borough,
        sum(previous_window_count) over (partition by area_level, measure_code) as previous_london_count,
        sum(previous_window_count) over (partition by area_level, measure_code, area_code) as previous_borough_count,
        sum(previous_window_count) over previous_in_london
        - previous_window_count * count(*) over (partition by area_level, measure_code, previous_window_count)
            as previous_london_count_before,
        sum(previous_window_count) over previous_in_borough
        - previous_window_count * count(*) over (partition by area_level, measure_code, area_code, previous_window_count)
            as previous_borough_count_before,
        case when previous_window_count is not null then rank() over previous_in_london end as previous_rank_in_london,
        case when previous_window_count is not null then rank() over previous_in_borough end as previous_rank_in_borough
    from {{ ref('int_small_area_window') }}
    where window_count is not null
    window
        in_london as (partition by area_level, measure_code order by window_count desc),
        in_borough as (partition by area_level, measure_code, area_code order by window_count desc),
        previous_in_london as (partition by area_level, measure_code order by previous_window_count desc nulls last),
        previous_in_borough as (
            partition by area_level, measure_code, area_code order by previous_window_count desc nulls last
        )
),

judged as (
    select
        *,
        window_count >= {{ minimum_count }} and london_count_before < {{ hot_share }} * london_count as is_hot_in_london,
        window_count >= {{ minimum_count }} and borough_count_before < {{ hot_share }} * borough_count as is_hot_in_borough,
        previous_window_count >= {{ minimum_count }}
        and previous_london_count_before < {{ hot_share }} * previous_london_count as was_hot_in_london,
        previous_window_count >= {{ minimum_count }}
        and previous_borough_count_before < {{ hot_share }} * previous_borough_count as was_hot_in_borough,
        previous_window_count is not null and not is_window_partial and not is_previous_partial as is_comparable
    from ranked
)

select
    judged.area_level,
    judged.small_area_code,
    judged.small_area_name,
    judged.area_code,
    judged.lsoa_vintage,
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
    {% for scope in ['borough', 'london'] %}
    case
        when not judged.is_comparable then null
        when judged.is_hot_in_{{ scope }} and judged.was_hot_in_{{ scope }} then 'persistent'
        when judged.is_hot_in_{{ scope }} then 'emerging'
        when judged.was_hot_in_{{ scope }} then 'former'
        else 'none'
    end as class_in_{{ scope }},
    {% endfor %}
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
    coalesce(area_breaks.break_reason, all_breaks.break_reason) is not null as has_series_break,
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
            case when residents.residents is not null then caveats.residents_caveat end
        ), ''
    ) as note,
    judged.source_release,
    judged.is_provisional
from judged
left join residents
    on judged.area_level = 'lsoa' and judged.small_area_code = residents.lsoa_code and not judged.is_window_partial
left join {{ ref('residents_caveat') }} as caveats on judged.area_code = caveats.area_code
left join {{ ref('int_series_break_month') }} as all_breaks
    on
        judged.measure_code = all_breaks.measure_code
        and date_trunc('month', judged.window_end_date)::date = all_breaks.month_start_date
        and all_breaks.scope_area_code = 'all'
left join {{ ref('int_series_break_month') }} as area_breaks
    on
        judged.measure_code = area_breaks.measure_code
        and date_trunc('month', judged.window_end_date)::date = area_breaks.month_start_date
        and judged.area_code = area_breaks.scope_area_code
