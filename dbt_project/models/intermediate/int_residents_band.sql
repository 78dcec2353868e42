-- Residents of the ages in which publishers count people, summed from single years. Half a band would be taken for the whole.
with bands (age_band, first_age, last_age) as (
    values
    ('0-9', 0, 9), ('0-12', 0, 12), ('0-24', 0, 24), ('1-24', 1, 24), ('10-17', 10, 17), ('13-19', 13, 19), ('18-24', 18, 24),
    {% for age in range(0, 90, 5) %}
    ('{{ age }}-{{ age + 4 }}', {{ age }}, {{ age + 4 }}),
    {% endfor %}
    ('25-34', 25, 34), ('35-44', 35, 44), ('45-54', 45, 54), ('55-64', 55, 64), ('35+', 35, 90), ('65+', 65, 90), ('90+', 90, 90)
),

single_years as (
    select
        area_code,
        year,
        sex,
        replace(age_band, '+', '')::integer as age,
        residents
    from {{ ref('int_population') }}
    where age_band ~ '^\d+$' or age_band = '90+'
)

select
    single_years.area_code,
    single_years.year,
    single_years.sex,
    bands.age_band,
    sum(single_years.residents)::bigint as residents
from single_years
inner join bands on single_years.age between bands.first_age and bands.last_age
group by single_years.area_code, single_years.year, single_years.sex, bands.age_band, bands.first_age, bands.last_age
having count(*) = bands.last_age - bands.first_age + 1
union all
select
    area_code,
    year,
    sex,
    age_band,
    residents
from {{ ref('int_population') }}
where age_band = 'all'
