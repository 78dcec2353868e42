{% set boroughs_at_least = 20 %}

with panel as (
    select
        weights.measure_code,
        weights.sex,
        weights.age_band,
        weights.theme,
        measure.source,
        measure.polarity,
        measure.denominator is not null as is_rate
    from {{ ref('driver_weight') }} as weights
    inner join {{ ref('dim_measure') }} as measure on weights.measure_code = measure.measure_code
),

-- An indicator of one age is of that age whole; one of several has All ages or is not in the panel.
whole_age as (
    select
        measure_code,
        case
            when bool_or(published_age = 'All ages') then 'All ages'
            when count(distinct published_age) = 1 then min(published_age)
        end as published_age
    from {{ ref('fct_indicator') }}
    where is_headline
    group by measure_code
),

health as (
    select distinct on (found.area_code, found.measure_code, found.period_kind, found.period_start_date)
        found.area_code,
        found.measure_code,
        found.period_kind,
        found.period_start_date,
        found.period_end_date,
        found.value,
        found.lower_95_limit,
        found.upper_95_limit,
        found.count as numerator,
        nullif(found.denominator, 0) as denominator,
        found.value_note,
        found.includes_city_of_london,
        found.is_force_wide,
        found.source_release,
        false as is_provisional
    from {{ ref('fct_indicator') }} as found
    inner join whole_age
        on found.measure_code = whole_age.measure_code and found.published_age = whole_age.published_age
    where found.is_headline and found.published_sex in ('Persons', 'Not applicable')
    order by
        found.area_code asc,
        found.measure_code asc,
        found.period_kind asc,
        found.period_start_date asc,
        found.time_period_sortable asc,
        found.time_period asc,
        found.published_sex desc
),

work as (
    select
        fact.area_code,
        fact.measure_code,
        fact.period_kind,
        fact.period_start_date,
        fact.period_end_date,
        fact.value,
        fact.value - precise.half_width_95 as lower_95_limit,
        fact.value + precise.half_width_95 as upper_95_limit,
        fact.numerator,
        fact.denominator,
        fact.value_note,
        false as includes_city_of_london,
        false as is_force_wide,
        fact.source_release,
        fact.is_provisional
    from {{ ref('fct_measure') }} as fact
    inner join panel
        on
            fact.measure_code = panel.measure_code
            and fact.sex = panel.sex
            and fact.age_band = panel.age_band
            and panel.source = 'nomis'
    left join {{ ref('int_nomis_value') }} as precise
        on
            fact.measure_code = precise.measure_code
            and fact.area_code = precise.area_code
            and fact.period_kind = precise.period_kind
            and fact.period_start_date = precise.period_start_date
            and fact.sex = precise.sex
            and fact.age_band = precise.age_band
            and fact.ethnicity = precise.ethnicity
    where fact.ethnicity = 'all'
),

found as (
    select * from health
    union all
    select * from work
),

valued as (
    select
        found.*,
        panel.theme,
        panel.polarity,
        panel.is_rate,
        area.area_type = 'borough' and found.value is not null and not found.is_force_wide as is_ranked,
        max(found.value) filter (where found.area_code = 'LONDON_33') over period as london_value,
        max(found.value) filter (where found.area_code = 'E92000001') over period as england_value,
        max(found.period_start_date) over (partition by found.measure_code, found.period_kind) as newest_start_date
    from found
    inner join panel on found.measure_code = panel.measure_code
    inner join {{ ref('dim_area') }} as area on found.area_code = area.area_code
    where area.area_type in ('borough', 'city_of_london', 'country') or found.area_code = 'LONDON_33'
    window period as (partition by found.measure_code, found.period_kind, found.period_start_date)
),

ranked as (
    select
        *,
        count(*) filter (where is_ranked) over period as boroughs_ranked,
        avg(value) filter (where is_ranked) over period as borough_mean,
        stddev_pop(value) filter (where is_ranked) over period as borough_deviation,
        case when is_ranked then rank() over (period order by is_ranked desc, value desc) end as rank_in_london
    from valued
    window period as (partition by measure_code, period_kind, period_start_date)
)

select
    ranked.area_code,
    ranked.measure_code,
    ranked.theme,
    ranked.period_kind,
    ranked.period_start_date,
    ranked.period_end_date,
    ranked.period_start_date = ranked.newest_start_date as is_newest_period,
    ranked.value,
    ranked.lower_95_limit,
    ranked.upper_95_limit,
    ranked.numerator,
    ranked.denominator,
    ranked.london_value,
    ranked.england_value,
    case
        when ranked.is_ranked and ranked.boroughs_ranked >= {{ boroughs_at_least }}
            then round((ranked.value - ranked.borough_mean) / nullif(ranked.borough_deviation, 0), 2)
    end::double precision as z_score,
    case when ranked.boroughs_ranked >= {{ boroughs_at_least }} then ranked.rank_in_london end::integer as rank_in_london,
    case
        when not ranked.is_ranked or ranked.boroughs_ranked < {{ boroughs_at_least }} then null
        when ranked.is_rate then 'rate'
        else 'value'
    end as rank_basis,
    ranked.boroughs_ranked::integer as boroughs_ranked,
    ranked.polarity,
    {% for place, code in [('london', 'LONDON_33'), ('england', 'E92000001')] %}
    case
        when ranked.is_force_wide or ranked.area_code in ({{ "'LONDON_33', " if place == 'london' }}'E92000001') then null
        when ranked.lower_95_limit > ranked.{{ place }}_value then 'higher'
        when ranked.upper_95_limit < ranked.{{ place }}_value then 'lower'
        when ranked.lower_95_limit <= ranked.{{ place }}_value and ranked.upper_95_limit >= ranked.{{ place }}_value then 'similar'
    end as compared_to_{{ place }},
    {% endfor %}
    before.value as previous_value,
    ranked.value - before.value as change,
    round(100 * (ranked.value - before.value) / nullif(before.value, 0), 2)::double precision as change_percent,
    case
        when ranked.lower_95_limit > before.upper_95_limit then 'up'
        when ranked.upper_95_limit < before.lower_95_limit then 'down'
        when ranked.lower_95_limit <= before.upper_95_limit and ranked.upper_95_limit >= before.lower_95_limit then 'no clear change'
    end as trend,
    ranked.includes_city_of_london,
    ranked.is_force_wide,
    coalesce(ranked.value_note, case when ranked.value is null then 'The publisher gives no value and no reason.' end) as note,
    ranked.source_release,
    ranked.is_provisional
from ranked
-- The period that ended the day before: windows that overlap are never compared. Of a day of the year, the one a year before.
left join ranked as before
    on
        ranked.area_code = before.area_code
        and ranked.measure_code = before.measure_code
        and ranked.period_kind = before.period_kind
        and case
            when ranked.period_kind like 'on\_%' then (ranked.period_end_date - interval '1 year')::date
            else ranked.period_start_date - 1
        end = before.period_end_date
        and not (ranked.is_force_wide or before.is_force_wide)
