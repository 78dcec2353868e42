-- The rungs are z-scores of the boroughs that rpt_drivers ranks; those without a rank have none.
with newest as (
    select *
    from {{ ref('rpt_drivers') }}
    where is_newest_period
),

rungs as (
    select
        measure_code,
        period_kind,
        min(z_score) as lowest_z_score,
        min(z_score) filter (where rank_in_london <= 24) as z_score_ranked_24,
        min(z_score) filter (where rank_in_london <= 16) as z_score_ranked_16,
        min(z_score) filter (where rank_in_london <= 8) as z_score_ranked_8,
        max(z_score) as highest_z_score
    from newest
    where z_score is not null
    group by measure_code, period_kind
)

select
    newest.area_code,
    area.area_name,
    newest.measure_code,
    measure.measure_name,
    newest.theme,
    newest.period_kind,
    newest.period_start_date,
    newest.period_end_date,
    newest.value,
    newest.lower_95_limit,
    newest.upper_95_limit,
    newest.london_value,
    newest.england_value,
    newest.z_score,
    newest.rank_in_london,
    newest.boroughs_ranked,
    newest.polarity,
    newest.compared_to_london,
    newest.compared_to_england,
    newest.trend,
    rungs.lowest_z_score,
    rungs.z_score_ranked_24,
    rungs.z_score_ranked_16,
    rungs.z_score_ranked_8,
    rungs.highest_z_score,
    newest.note,
    newest.is_provisional,
    newest.source_release
from newest
inner join {{ ref('dim_area') }} as area on newest.area_code = area.area_code
inner join {{ ref('dim_measure') }} as measure on newest.measure_code = measure.measure_code
left join rungs on newest.measure_code = rungs.measure_code and newest.period_kind = rungs.period_kind
