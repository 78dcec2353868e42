{% set under_25 = "person.age_band in ('0-12', '13-19', '20-24', '0-9', '10-14', '15-19')" %}
{% set knife = "person.method_of_killing = 'knife_or_sharp_implement'" %}
with measure (dataset, measure_code) as (
    values
    ('homicide_victims', 'mps_homicide_victims'),
    ('homicide_victims', 'mps_homicide_victims_under_25'),
    ('homicide_victims', 'mps_homicide_victims_knife'),
    ('homicide_victims', 'mps_homicide_victims_knife_under_25'),
    ('homicide_victims', 'mps_homicide_victims_shooting'),
    ('homicide_victims', 'mps_homicide_victims_blunt_implement'),
    ('homicide_victims', 'mps_homicide_victims_physical_assault'),
    ('homicide_victims', 'mps_homicide_victims_other_method'),
    ('homicide_victims', 'mps_homicide_victims_method_unknown'),
    ('homicide_victims', 'mps_homicide_victims_domestic_abuse'),
    ('homicide_victims', 'mps_homicide_victims_non_domestic'),
    ('homicide_victims', 'mps_homicide_victims_non_domestic_under_25'),
    ('homicide_accused', 'mps_homicide_accused'),
    ('homicide_accused', 'mps_homicide_accused_under_25')
),

counted as (
    select
        measure.measure_code,
        person.area_code,
        person.month_start_date,
        sum(person.person_count) as month_count
    from {{ ref('int_mps_homicide_person') }} as person
    inner join measure
        on
            person.dataset = measure.dataset
            and case measure.measure_code
                when 'mps_homicide_victims_under_25' then {{ under_25 }}
                when 'mps_homicide_victims_knife' then {{ knife }}
                when 'mps_homicide_victims_knife_under_25' then {{ knife }} and {{ under_25 }}
                when 'mps_homicide_victims_shooting' then person.method_of_killing = 'shooting'
                when 'mps_homicide_victims_blunt_implement' then person.method_of_killing = 'blunt_implement'
                when 'mps_homicide_victims_physical_assault' then person.method_of_killing = 'physical_assault'
                when 'mps_homicide_victims_other_method' then person.method_of_killing = 'other'
                when 'mps_homicide_victims_method_unknown' then person.method_of_killing = 'unknown'
                when 'mps_homicide_victims_domestic_abuse' then person.is_domestic_abuse
                when 'mps_homicide_victims_non_domestic' then not person.is_domestic_abuse
                when 'mps_homicide_victims_non_domestic_under_25' then not person.is_domestic_abuse and {{ under_25 }}
                when 'mps_homicide_accused_under_25' then {{ under_25 }}
                else true
            end
    group by measure.measure_code, person.area_code, person.month_start_date
),

-- A file lists people: a borough without one in a month had none.
covered_area as (
    select
        winner.dataset,
        boroughs.borough_code as area_code
    from (select distinct dataset from {{ ref('int_mps_homicide_winner') }}) as winner
    cross join {{ ref('boroughs') }} as boroughs
    union
    select
        dataset,
        area_code
    from {{ ref('int_mps_homicide_person') }}
)

select
    measure.measure_code,
    covered_area.area_code,
    winner.month_start_date,
    winner.load_id,
    winner.source_release,
    winner.is_provisional,
    coalesce(counted.month_count, 0)::bigint as month_count
from {{ ref('int_mps_homicide_winner') }} as winner
inner join measure on winner.dataset = measure.dataset
inner join covered_area on winner.dataset = covered_area.dataset
left join counted
    on
        measure.measure_code = counted.measure_code
        and covered_area.area_code = counted.area_code
        and winner.month_start_date = counted.month_start_date
