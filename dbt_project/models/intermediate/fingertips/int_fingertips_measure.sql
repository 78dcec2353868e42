-- Headline values as rows of the fact table. An indicator of one age is not split by age, whatever its age is.
with ages as (
    select
        indicator_id,
        case
            when bool_or(published_age = 'All ages') then 'All ages'
            when count(distinct published_age) = 1 then min(published_age)
        end as whole_age
    from {{ ref('int_fingertips_value') }}
    where is_headline
    group by indicator_id
),

headlines as (
    select
        found.*,
        case found.published_sex when 'Male' then 'male' when 'Female' then 'female' else 'all' end as sex,
        case
            when found.published_age = ages.whole_age then 'all'
            else lower(btrim(regexp_replace(found.published_age, '\s*(yrs|years)$', '')))
        end as age_band
    from {{ ref('int_fingertips_value') }} as found
    inner join ages on found.indicator_id = ages.indicator_id
    -- A force's value under each of its boroughs would be ranked and added up.
    where
        found.is_headline
        and found.measure_code is not null
        and not found.is_force_wide
        -- The calendar begins in 2000.
        and found.period_start_date >= date '2000-01-01'
)

select distinct on (area_code, period_kind, period_start_date, measure_code, sex, age_band)
    area_code,
    period_kind,
    period_start_date,
    period_end_date,
    measure_code,
    sex,
    age_band,
    'all' as ethnicity,
    count as numerator,
    nullif(denominator, 0) as denominator,
    value,
    case when value is null then coalesce(value_note, 'The publisher gives no value and no reason.') else value_note end as value_note,
    source_release,
    false as is_provisional,
    indicator_id,
    published_sex,
    published_age,
    time_period,
    time_period_sortable
from headlines
order by
    area_code asc,
    period_kind asc,
    period_start_date asc,
    measure_code asc,
    sex asc,
    age_band asc,
    (published_sex = 'Persons') desc
