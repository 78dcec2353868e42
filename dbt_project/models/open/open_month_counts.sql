select
    fact.measure_code,
    fact.period_start_date,
    md5(string_agg(fact.area_code || '=' || trim_scale(fact.value), ' ' order by fact.area_code)) as counts_hash,
    bool_or(fact.value between 1 and 7) as has_small
from {{ ref('fct_measure') }} as fact
inner join {{ ref('dim_area') }} as area on fact.area_code = area.area_code
inner join {{ ref('dim_measure') }} as measure on fact.measure_code = measure.measure_code
inner join {{ ref('open_source_rule') }} as ruled on measure.source = ruled.source and measure.publish_rule = ruled.publish_rule
where
    ruled.publish_rule = 'suppress_1_to_7_round_5'
    and fact.period_kind = 'month'
    and fact.value is not null
    and fact.sex = 'all'
    and fact.age_band = 'all'
    and fact.ethnicity = 'all'
    and (area.is_in_london_32 or area.area_type = 'city_of_london')
group by fact.measure_code, fact.period_start_date
