-- Only a count can be ruled. What is derived from counts (a rate, a share) would let them be worked out again, a window of months the
-- month that it has and the next one has not, a split its sisters: under this rule months of no sex, age or ethnicity are let out, and
-- a rule for anything else has to come with it.
select
    fact.area_code,
    area.area_name,
    fact.period_kind,
    fact.period_start_date,
    fact.period_end_date,
    fact.measure_code,
    measure.measure_name,
    measure.unit,
    fact.sex,
    fact.age_band,
    fact.ethnicity,
    case
        when ruled.publish_rule = 'open' then fact.value
        when kept.is_let_out then marts_open.publishable(fact.value, ruled.publish_rule)
    end as value,
    (ruled.publish_rule is distinct from 'open') and fact.value is not null
    and (not kept.is_let_out or marts_open.publishable(fact.value, ruled.publish_rule) is null) as is_suppressed,
    coalesce(ruled.publish_rule, 'none') as publish_rule,
    fact.value_note,
    fact.is_provisional,
    measure.caveat,
    measure.licence,
    measure.attribution,
    (select kind.data_kind from {{ ref('dim_data_kind') }} as kind) as data_kind,
    case
        when fact.value is null then '[x]'
        when ruled.publish_rule = 'open' then trim_scale(fact.value)::text
        when kept.is_let_out then coalesce(trim_scale(marts_open.publishable(fact.value, ruled.publish_rule))::text, '[c]')
        else '[c]'
    end as value_label,
    coalesce(ruled.publish_rule, 'none') as rule_code
from {{ ref('fct_measure') }} as fact
inner join {{ ref('dim_area') }} as area on fact.area_code = area.area_code
inner join {{ ref('dim_measure') }} as measure on fact.measure_code = measure.measure_code
left join {{ ref('open_source_rule') }} as ruled on measure.source = ruled.source and measure.publish_rule = ruled.publish_rule
left join {{ ref('open_withheld_total') }} as withheld
    on
        fact.area_code = withheld.area_code
        and fact.period_start_date = withheld.period_start_date
        and fact.measure_code = withheld.measure_code
cross join
    lateral (
        values (
            fact.denominator is null
            and (fact.value is not distinct from fact.numerator)
            and fact.period_kind = 'month'
            and fact.sex = 'all'
            and fact.age_band = 'all'
            and fact.ethnicity = 'all'
            -- A total of 0 is that of parts which are told as 0 anyway.
            and (withheld.area_code is null or fact.value = 0)
        )
    ) as kept (is_let_out)
