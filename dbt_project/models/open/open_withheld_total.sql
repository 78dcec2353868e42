-- A total would let its suppressed parts be worked out: 7 suppressed boroughs of a half that is 7 are each 1. NHS Digital asks for no
-- second suppression below the nation (its methodology of September 2018); this goes further, because London's boroughs are few. What is
-- enough for one sum is said beside marts_open.tells_a_part; here is which sums there are.

-- One row per count of an area and month, with the least and the most that its own row tells of it.
with counted as (
    select
        fact.measure_code,
        fact.period_start_date as month,
        fact.area_code,
        fact.value,
        fact.value between 1 and 7 as is_small,
        case when fact.value = 0 then 0 when fact.value <= 7 then 1 else round(fact.value / 5) * 5 - 2 end as lowest,
        case when fact.value = 0 then 0 when fact.value <= 7 then 7 else round(fact.value / 5) * 5 + 2 end as highest,
        array_remove(
            array[
                upper(area.ons_inner_outer),
                case when area.is_in_london_32 then 'LONDON_32' end,
                case when area.is_in_london_32 or area.area_type = 'city_of_london' then 'LONDON_33' end
            ], null
        ) as totals
    from {{ ref('fct_measure') }} as fact
    inner join {{ ref('dim_area') }} as area on fact.area_code = area.area_code
    inner join {{ ref('dim_measure') }} as measure on fact.measure_code = measure.measure_code
    inner join {{ ref('open_source_rule') }} as ruled
        on measure.source = ruled.source and measure.publish_rule = ruled.publish_rule
    where
        ruled.publish_rule = 'suppress_1_to_7_round_5'
        and fact.period_kind = 'month'
        and fact.value is not null
        and fact.sex = 'all'
        and fact.age_band = 'all'
        and fact.ethnicity = 'all'
),

-- One row per total of areas: whether it tells none of its own parts, were it known to the unit.
total as (
    select
        parts.measure_code,
        parts.month,
        parts.area_code,
        whole.value,
        parts.small,
        whole.value = 0
        or (whole.value >= 8 and not marts_open.tells_a_part(parts.small, parts.lowest, whole.value, parts.highest)) as is_safe
    from (
        select
            counted.measure_code,
            counted.month,
            sums.area_code,
            count(*) filter (where counted.is_small) as small,
            sum(counted.lowest) as lowest,
            sum(counted.highest) as highest
        from counted
        cross join lateral unnest(counted.totals) as sums (area_code)
        group by counted.measure_code, counted.month, sums.area_code
    ) as parts
    inner join counted as whole
        on parts.measure_code = whole.measure_code and parts.month = whole.month and parts.area_code = whole.area_code
),

-- One row per measure and month: which totals may be told. The halves stand or fall together, for London less one is the other. London
-- is told once where the City is suppressed, for London with it less London without it is the City.
chosen as (
    select
        measure_code,
        month,
        coalesce(bool_and(is_safe) filter (where area_code in ('INNER', 'OUTER')), false) as halves,
        coalesce(bool_and(is_safe) filter (where area_code = 'LONDON_32'), false) as without_city,
        case
            when bool_and(is_safe) filter (where area_code = 'LONDON_32')
                then max(small) filter (where area_code = 'LONDON_33') = max(small) filter (where area_code = 'LONDON_32')
            else coalesce(bool_and(is_safe) filter (where area_code = 'LONDON_33'), false)
        end as with_city
    from total
    group by measure_code, month
),

-- One row per part of another measure and total of areas: what is left of the whole without the part.
left_over as (
    select
        pair.part_measure_code as measure_code,
        pair.measure_code as whole_code,
        part.month,
        sums.area_code,
        count(*) filter (where whole.is_small <> part.is_small) as small,
        sum(greatest(whole.lowest - part.highest, 0)) as lowest,
        sum(whole.highest - part.lowest) as highest
    from {{ ref('measure_part') }} as pair
    inner join counted as part on pair.part_measure_code = part.measure_code
    inner join counted as whole
        on pair.measure_code = whole.measure_code and part.month = whole.month and part.area_code = whole.area_code
    cross join lateral unnest(part.totals) as sums (area_code)
    group by pair.part_measure_code, pair.measure_code, part.month, sums.area_code
),

-- Where that rest would tell an area of which one of them is suppressed and the other is not, the part's total is withheld.
rest as (
    select
        left_over.measure_code,
        left_over.month,
        array_agg(distinct left_over.area_code) as areas
    from left_over
    inner join total as part
        on
            left_over.measure_code = part.measure_code
            and left_over.month = part.month
            and left_over.area_code = part.area_code
    inner join total as whole
        on left_over.whole_code = whole.measure_code and left_over.month = whole.month and left_over.area_code = whole.area_code
    where marts_open.tells_a_part(left_over.small, left_over.lowest, whole.value - part.value, left_over.highest)
    group by left_over.measure_code, left_over.month
)

select
    chosen.measure_code || told.suffix as measure_code,
    chosen.month as period_start_date,
    told.area_code
from chosen
left join rest on chosen.measure_code = rest.measure_code and chosen.month = rest.month
cross join
    lateral (
        values
        ('', 'INNER', chosen.halves and not coalesce(rest.areas && array['INNER', 'OUTER', 'LONDON_32'], false)),
        ('', 'OUTER', chosen.halves and not coalesce(rest.areas && array['INNER', 'OUTER', 'LONDON_32'], false)),
        ('', 'LONDON_32', chosen.without_city and not coalesce('LONDON_32' = any(rest.areas), false)),
        ('', 'LONDON_33', chosen.with_city and not coalesce('LONDON_33' = any(rest.areas), false)),
        -- What the publisher itself prints for London is the region, under a measure of its own name.
        ('_london', 'LONDON_PUBLISHED', chosen.with_city and not coalesce('LONDON_33' = any(rest.areas), false))
    ) as told (suffix, area_code, is_told)
where told.is_told is not true
