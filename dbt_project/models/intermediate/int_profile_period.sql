-- The years and rolling windows of each measure that are held, and how much of each.
with measure as (
    select * from {{ ref('victim_profile_measure') }}
),

newest as (
    select
        covered.measure_code,
        case when measure.is_rare then 36 else 12 end as window_months,
        min(covered.month_start_date) as first_month,
        max(covered.month_start_date) as last_month
    from {{ ref('int_profile_month') }} as covered
    inner join measure on covered.measure_code = measure.measure_code
    group by covered.measure_code, measure.is_rare
),

wanted as (
    select distinct
        covered.measure_code,
        year.period_kind,
        year.first_month,
        (year.first_month + interval '11 months')::date as last_month,
        false as may_be_part
    from {{ ref('int_profile_month') }} as covered
    cross join
        lateral (
            values
            ('calendar_year', date_trunc('year', covered.month_start_date)::date),
            -- Three months earlier lies in the calendar year that a financial year is named after.
            (
                'financial_year',
                (date_trunc('year', covered.month_start_date - interval '3 months') + interval '3 months')::date
            )
        ) as year (period_kind, first_month)
    union all
    -- The window to the newest month, and to the same month of each year before: year against year, and no window a month.
    select
        newest.measure_code,
        'rolling_' || newest.window_months || '_months' as period_kind,
        (newest.last_month - make_interval(years => years_back, months => newest.window_months - 1))::date as first_month,
        (newest.last_month - make_interval(years => years_back))::date as last_month,
        years_back = 0 as may_be_part
    from newest
    cross join generate_series(0, 60) as years_back
    where newest.last_month - make_interval(years => years_back) >= newest.first_month
)

select
    wanted.measure_code,
    wanted.period_kind,
    wanted.first_month as period_start_date,
    (wanted.last_month + interval '1 month' - interval '1 day')::date as period_end_date,
    count(*)::integer as months_held,
    -- The newest of the editions: one speaks for most months, and a row an edition would say no more.
    max(covered.source_release) as source_release
from wanted
inner join {{ ref('int_profile_month') }} as covered
    on
        wanted.measure_code = covered.measure_code
        and covered.month_start_date between wanted.first_month and wanted.last_month
group by wanted.measure_code, wanted.period_kind, wanted.first_month, wanted.last_month, wanted.may_be_part
having
    wanted.may_be_part
    or count(*) = extract(year from age(wanted.last_month, wanted.first_month)) * 12
    + extract(month from age(wanted.last_month, wanted.first_month)) + 1
