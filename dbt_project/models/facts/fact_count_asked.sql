-- A fact of London may be of a measure of its own, which is told of London as published; the pack's is then of the boroughs alone.
select
    pack.fact_code,
    pack.template,
    pack.rate_per,
    pack.noun_of_one,
    told_of.area_kind,
    told_of.measure_code,
    told_of.name,
    case told_of.area_kind when 'london' then 'LONDON_PUBLISHED' else 'LONDON_32' end as london_area_code,
    case told_of.area_kind when 'london' then told_of.name else pack.noun end as noun
from {{ ref('fact_pack') }} as pack
cross join
    lateral (
        values
        (case when pack.london_measure_code is null then 'all' else 'boroughs' end, pack.measure_code, pack.name),
        ('london', pack.london_measure_code, pack.london_name)
    ) as told_of (area_kind, measure_code, name)
where pack.template in ('level', 'change', 'rank') and told_of.measure_code is not null
