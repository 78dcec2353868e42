-- The rungs are z-scores of the boroughs that the mart ranks; those without a rank have none.
with newest as (
    select
        d.area_code, d.measure_code, m.measure_name, d.theme, d.period_kind, d.period_start_date, d.period_end_date, d.value, d.lower_95_limit,
        d.upper_95_limit, d.london_value, d.england_value, d.z_score, d.rank_in_london, d.boroughs_ranked, d.polarity, d.compared_to_london,
        d.compared_to_england, d.trend, d.note, d.is_provisional, d.source_release
    from marts.rpt_drivers as d
    inner join marts.dim_measure as m on d.measure_code = m.measure_code
    where d.is_newest_period
),

rungs as (
    select
        measure_code,
        min(z_score) as lowest_z_score,
        min(z_score) filter (where rank_in_london <= 24) as z_score_ranked_24,
        min(z_score) filter (where rank_in_london <= 16) as z_score_ranked_16,
        min(z_score) filter (where rank_in_london <= 8) as z_score_ranked_8,
        max(z_score) as highest_z_score
    from newest
    where z_score is not null
    group by measure_code
)

select
    n.*, r.lowest_z_score, r.z_score_ranked_24, r.z_score_ranked_16, r.z_score_ranked_8, r.highest_z_score
from newest as n
left join rungs as r on n.measure_code = r.measure_code
where n.area_code = any(%(areas)s)
order by n.area_code, n.theme, n.measure_name
