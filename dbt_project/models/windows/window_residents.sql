-- Of a year that is not out, the nearest earlier one; of a year before all of them, none.
with wanted as (
    select distinct
        residents_sex as sex,
        residents_age_band as age_band,
        case when residents_age_band = 'all' then 0 else substring(residents_age_band from '^(\d+)')::integer end as first_age,
        case
            when residents_age_band ~ '^(all|\d+\+)$' then 90
            else substring(residents_age_band from '^\d+-(\d+)$')::integer
        end as last_age
    from {{ ref('window_series') }}
    -- A band in words (not recorded, over 34) has no residents that could be told.
    where residents_age_band ~ '^(all|\d+(\+|-\d+))$'
),

estimate as (
    select
        single.area_code,
        single.year,
        wanted.sex,
        wanted.age_band,
        sum(single.residents)::bigint as residents
    from wanted
    inner join {{ ref('int_population') }} as single
        on
            wanted.sex = single.sex
            and single.age_band ~ '^\d+\+?$'
            and rtrim(single.age_band, '+')::integer between wanted.first_age and wanted.last_age
    group by single.area_code, single.year, wanted.sex, wanted.age_band, wanted.first_age, wanted.last_age
    -- Half a band would be taken for the whole.
    having count(*) = wanted.last_age - wanted.first_age + 1
),

years as (
    select distinct extract(year from month_start_date)::integer as year
    from {{ ref('dim_month') }}
),

of_year as (
    select distinct on (estimate.area_code, estimate.sex, estimate.age_band, years.year)
        estimate.area_code,
        estimate.sex,
        estimate.age_band,
        years.year,
        estimate.year as residents_year,
        estimate.residents
    from years
    inner join estimate on years.year >= estimate.year
    order by estimate.area_code asc, estimate.sex asc, estimate.age_band asc, years.year asc, estimate.year desc
)

select
    area_code,
    sex,
    age_band,
    year,
    residents_year,
    residents
from of_year
union all
-- A borough whose residents are not known where those of another are: its row says so.
select
    borough.area_code,
    known.sex,
    known.age_band,
    known.year,
    null as residents_year,
    null as residents
from (
    select distinct
        of_year.sex,
        of_year.age_band,
        of_year.year
    from of_year
    inner join {{ ref('dim_area') }} as area on of_year.area_code = area.area_code and area.is_in_london_32
) as known
inner join {{ ref('dim_area') }} as borough on borough.is_in_london_32
where not exists (
    select from of_year
    where
        of_year.area_code = borough.area_code
        and of_year.sex = known.sex
        and of_year.age_band = known.age_band
        and of_year.year = known.year
)
