-- Which files of which force stand for a month; and between the first and the last month of a dataset, which do not, known or not.
with parts as (
    select
        dataset,
        replace(substr(part, 9), '-', '_') as force_code,
        to_date(left(part, 7), 'YYYY-MM') as month_start_date,
        load_id,
        release_date,
        left(sha256, 8) as sha
    from {{ ref('stg_ops__load') }}
    where source = 'police_uk'
),

expected as (
    select
        span.dataset,
        forces.force_code,
        months.month_start_date::date as month_start_date
    from (
        select
            dataset,
            min(month_start_date) as first_month,
            max(month_start_date) as last_month
        from parts
        group by dataset
    ) as span
    cross join (values ('metropolitan'), ('city_of_london'), ('btp')) as forces (force_code)
    cross join lateral generate_series(
        span.first_month::timestamp, span.last_month::timestamp, interval '1 month'
    ) as months (month_start_date)
)

select
    expected.dataset,
    expected.force_code,
    expected.month_start_date,
    parts.load_id,
    parts.release_date,
    parts.sha,
    case when parts.load_id is not null then 'loaded' when gap.note is not null then 'known_gap' else 'missing' end as state,
    case when parts.load_id is null then gap.note end as gap_note
from expected
left join parts
    on
        expected.dataset = parts.dataset
        and expected.force_code = parts.force_code
        and expected.month_start_date = parts.month_start_date
left join {{ ref('known_gap') }} as gap
    on
        gap.source = 'police_uk'
        and expected.dataset = gap.dataset
        and expected.force_code = gap.part
        and expected.month_start_date between gap.first_month and gap.last_month
