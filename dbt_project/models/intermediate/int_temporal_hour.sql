-- London's clock: on the last Sunday of March there is no hour 1, on the last of October there are two.
with span as (
    select
        min(month_start_date) as first_date,
        (max(month_start_date) + interval '1 month' - interval '1 day')::date as last_date
    from {{ ref('int_temporal_event') }}
),

lived as (
    select
        clock.local_time::date as local_date,
        extract(hour from clock.local_time)::integer as local_hour,
        count(*)::integer as hours
    from span
    cross join
        lateral (
            select instant at time zone 'UTC' at time zone 'Europe/London' as local_time
            from generate_series(span.first_date - interval '1 day', span.last_date + interval '2 days', interval '1 hour') as instant
        ) as clock
    where clock.local_time::date between span.first_date and span.last_date
    group by clock.local_time::date, extract(hour from clock.local_time)
),

covered as (
    select
        min(first_date) as first_date,
        max(last_date) as last_date
    from {{ ref('school_holiday') }}
)

select
    lived.local_date,
    date_trunc('month', lived.local_date)::date as month_start_date,
    lived.local_hour,
    lived.hours,
    extract(isodow from lived.local_date)::integer as weekday,
    case
        when lived.local_date not between covered.first_date and covered.last_date then null
        when bool_or(holiday.day_kind = 'bank_holiday') then 'bank_holiday'
        when extract(isodow from lived.local_date) > 5 then 'weekend'
        when bool_or(holiday.day_kind = 'school_holiday') then 'school_holiday'
        else 'school_day'
    end as day_kind,
    -- The nights of Friday, Saturday and Sunday: five hours back, a night lies on the day it began.
    (lived.local_hour >= 20 or lived.local_hour < 5)
    and extract(isodow from lived.local_date + make_time(lived.local_hour, 0, 0) - interval '5 hours') >= 5 as is_night_time_economy
from lived
cross join covered
left join {{ ref('school_holiday') }} as holiday on lived.local_date between holiday.first_date and holiday.last_date
group by lived.local_date, lived.local_hour, lived.hours, covered.first_date, covered.last_date
