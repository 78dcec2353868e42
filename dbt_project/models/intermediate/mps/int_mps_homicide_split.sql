-- Victims by sex and age band, with London's sums: every combination that any month has, in every month, zeros written out.
with victims as (
    select
        area_code,
        month_start_date,
        sex,
        age_band,
        sum(person_count) as victim_count
    from {{ ref('int_mps_homicide_person') }}
    where dataset = 'homicide_victims'
    group by area_code, month_start_date, sex, age_band
),

split as (
    select
        coalesce(sex, 'all') as sex,
        coalesce(age_band, 'all') as age_band
    from victims
    group by grouping sets ((sex, age_band), (sex), (age_band))
),

member as (
    select
        borough_code as area_code,
        borough_code as of_area_code
    from {{ ref('boroughs') }}
    union
    select
        area_code,
        area_code as of_area_code
    from victims
    union all
    select
        aggregate.area_code,
        boroughs.borough_code as of_area_code
    from {{ ref('boroughs') }} as boroughs
    cross join lateral (values ('LONDON_32'), (upper(boroughs.ons_inner_outer))) as aggregate (area_code)
),

counted as (
    select
        member.area_code,
        victims.month_start_date,
        coalesce(victims.sex, 'all') as sex,
        coalesce(victims.age_band, 'all') as age_band,
        sum(victims.victim_count) as victim_count
    from victims
    inner join member on victims.area_code = member.of_area_code
    group by
        grouping sets (
            (member.area_code, victims.month_start_date, victims.sex, victims.age_band),
            (member.area_code, victims.month_start_date, victims.sex),
            (member.area_code, victims.month_start_date, victims.age_band)
        )
),

area as (
    select distinct area_code from member
)

select
    area.area_code,
    'month' as period_kind,
    winner.month_start_date as period_start_date,
    (winner.month_start_date + interval '1 month' - interval '1 day')::date as period_end_date,
    'mps_homicide_victims' as measure_code,
    split.sex,
    split.age_band,
    'all' as ethnicity,
    coalesce(counted.victim_count, 0) as numerator,
    null::numeric as denominator,
    coalesce(counted.victim_count, 0) as value,
    null::text as value_note,
    winner.source_release,
    winner.is_provisional
from {{ ref('int_mps_homicide_winner') }} as winner
cross join area
cross join split
left join counted
    on
        area.area_code = counted.area_code
        and winner.month_start_date = counted.month_start_date
        and split.sex = counted.sex
        and split.age_band = counted.age_band
where winner.dataset = 'homicide_victims'
