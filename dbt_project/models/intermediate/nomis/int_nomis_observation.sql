{% set datasets = [
    'population',
    'claimant_count',
    'annual_population_survey',
    'jobs_density',
    'earnings_residents',
    'earnings_workplace',
    'census_ethnic_group',
    'census_household_deprivation',
    'census_economic_activity',
    'census_qualifications',
] %}

with published as (
    {% for dataset in datasets %}
    select
        '{{ dataset }}' as dataset,
        *
    from {{ ref('stg_nomis__' ~ dataset) }}
    where area_code is not null
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

names as (
    select distinct
        dataset,
        date_name,
        date_code,
        -- The Annual Population Survey names its first and last month and is coded by the last.
        regexp_match(date_name, '^([A-Z][a-z]{2}) (\d{4})-([A-Z][a-z]{2}) (\d{4})$') as span
    from published
),

periods as (
    select
        dataset,
        date_name,
        date_code,
        case
            when span is not null then to_date(span[1] || span[2], 'MonYYYY')
            when dataset like 'census%' then make_date(left(coalesce(date_code, date_name), 4)::integer, 3, 1)
            when date_code ~ '^\d{4}-\d{2}$' then to_date(date_code, 'YYYY-MM')
            when coalesce(date_code, date_name) ~ '^\d{4}$' then make_date(coalesce(date_code, date_name)::integer, 1, 1)
            -- A spreadsheet that saved the file again writes January 2018 as Jan-18.
            when date_name ~ '^[A-Z][a-z]{2}-\d{2}$' then to_date(date_name, 'Mon-YY')
            when date_name ~ '^[A-Z][a-z]+ \d{4}$' then to_date(left(date_name, 3) || right(date_name, 4), 'MonYYYY')
        end as period_start_date,
        case
            when span is not null then (to_date(span[3] || span[4], 'MonYYYY') + interval '1 month' - interval '1 day')::date
            -- Census Day.
            when dataset like 'census%' then make_date(left(coalesce(date_code, date_name), 4)::integer, 3, 21)
        end as period_end_date,
        case
            when span is not null then 'rolling_year'
            when dataset like 'census%' then 'census_day'
            when coalesce(date_code, date_name) ~ '^\d{4}$' then 'calendar_year'
            else 'month'
        end as period_kind
    from names
)

select
    published.dataset,
    published.load_id,
    load.release_date,
    load.landed_at,
    load.sha256,
    load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release,
    published.area_code,
    published.published_area_name,
    periods.period_kind,
    periods.period_start_date,
    coalesce(
        periods.period_end_date,
        (
            periods.period_start_date
            + case periods.period_kind when 'calendar_year' then interval '1 year' else interval '1 month' end
            - interval '1 day'
        )::date
    ) as period_end_date,
    published.dimension_1,
    published.code_1,
    published.name_1,
    published.dimension_2,
    published.code_2,
    published.name_2,
    published.dimension_3,
    published.code_3,
    published.name_3,
    concat_ws(
        '|',
        published.dataset,
        coalesce(published.code_1, ''),
        coalesce(published.name_1, ''),
        coalesce(published.code_2, ''),
        coalesce(published.name_2, ''),
        coalesce(published.code_3, ''),
        coalesce(published.name_3, '')
    ) as cell,
    case
        when published.measures_code in ('21001') or published.measures_name = 'numerator' then 'numerator'
        when published.measures_code in ('21002') or published.measures_name = 'denominator' then 'denominator'
        when published.measures_code in ('21003', '20701') or published.measures_name like 'conf%' then 'precision'
        else 'value'
    end as part,
    published.published_value,
    published.status_code,
    published.status_name,
    published.confidentiality,
    -- Only a normal value that is free for publication is a value.
    coalesce(published.status_code = 'A', published.status_name = 'Normal Value', true)
    and coalesce(published.confidentiality = 'F', true) as is_normal
from published
inner join periods
    on
        published.dataset = periods.dataset and published.date_name = periods.date_name
        and published.date_code is not distinct from periods.date_code
inner join {{ ref('stg_ops__load') }} as load on published.load_id = load.load_id
-- The calendar begins in 2000.
where (periods.period_start_date < date '2000-01-01') is not true
