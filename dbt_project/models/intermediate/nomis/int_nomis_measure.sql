with bands as (
    select
        age_band,
        first_age,
        last_age
    from (
        values ('0-17', 0, 17), ('0-24', 0, 24), ('10-17', 10, 17), ('10-24', 10, 24), ('13-19', 13, 19), ('16-64', 16, 64),
        ('18-24', 18, 24), ('0-39', 0, 39)
    ) as band (age_band, first_age, last_age)
),

banded as (
    select
        found.area_code,
        found.period_kind,
        found.period_start_date,
        found.period_end_date,
        found.measure_code,
        found.sex,
        bands.age_band,
        found.ethnicity,
        sum(found.numerator) as numerator,
        null::numeric as denominator,
        sum(found.value) as value,
        null::text as value_note,
        min(found.source_release) as source_release,
        bool_or(found.is_provisional) as is_provisional
    from {{ ref('int_nomis_value') }} as found
    inner join bands
        on case when found.age_band ~ '^\d+$' then found.age_band::integer end between bands.first_age and bands.last_age
    where found.measure_code = 'nomis_population'
    group by
        found.area_code,
        found.period_kind,
        found.period_start_date,
        found.period_end_date,
        found.measure_code,
        found.sex,
        bands.age_band,
        found.ethnicity,
        bands.first_age,
        bands.last_age
    -- Half a band would be taken for the whole.
    having count(found.value) = bands.last_age - bands.first_age + 1
),

placed as (
    select
        area_code,
        period_kind,
        period_start_date,
        period_end_date,
        measure_code,
        sex,
        age_band,
        ethnicity,
        numerator,
        denominator,
        value,
        value_note,
        source_release,
        is_provisional
    from {{ ref('int_nomis_value') }}
    union all
    select * from banded
),

summed as (
    select
        aggregate.area_code,
        placed.period_kind,
        placed.period_start_date,
        placed.period_end_date,
        placed.measure_code,
        placed.sex,
        placed.age_band,
        placed.ethnicity,
        sum(placed.value) as value,
        min(placed.source_release) as source_release,
        bool_or(placed.is_provisional) as is_provisional
    from placed
    inner join {{ ref('measures') }} as measure on placed.measure_code = measure.measure_code
    left join {{ ref('boroughs') }} as borough on placed.area_code = borough.borough_code
    cross join
        lateral (
            values
            ('LONDON_32', 32, borough.borough_code is not null),
            ('LONDON_33', 33, borough.borough_code is not null or placed.area_code = 'E09000001'),
            ('INNER', 13, borough.ons_inner_outer = 'inner'),
            ('OUTER', 19, borough.ons_inner_outer = 'outer')
        ) as aggregate (area_code, members, is_member)
    where measure.is_summable_over_areas and aggregate.is_member
    group by
        aggregate.area_code,
        aggregate.members,
        placed.period_kind,
        placed.period_start_date,
        placed.period_end_date,
        placed.measure_code,
        placed.sex,
        placed.age_band,
        placed.ethnicity
    having count(placed.value) = aggregate.members
)

select
    area_code,
    period_kind,
    period_start_date,
    period_end_date,
    measure_code,
    sex,
    age_band,
    ethnicity,
    numerator,
    denominator,
    value,
    value_note,
    source_release,
    is_provisional
from placed
union all
select
    summed.area_code,
    summed.period_kind,
    summed.period_start_date,
    summed.period_end_date,
    summed.measure_code,
    summed.sex,
    summed.age_band,
    summed.ethnicity,
    summed.value as numerator,
    null::numeric as denominator,
    summed.value,
    null::text as value_note,
    summed.source_release,
    summed.is_provisional
from summed
-- The publisher's own figure of London stands where there is one.
left join placed as published
    on
        summed.area_code = published.area_code
        and summed.period_kind = published.period_kind
        and summed.period_start_date = published.period_start_date
        and summed.measure_code = published.measure_code
        and summed.sex = published.sex
        and summed.age_band = published.age_band
        and summed.ethnicity = published.ethnicity
where published.area_code is null
