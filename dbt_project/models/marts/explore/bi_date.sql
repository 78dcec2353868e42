select
    day.date::date as date,
    month.month_start_date,
    month.month_name,
    month.month_of_year,
    month.calendar_year,
    month.calendar_quarter_label as calendar_quarter,
    month.financial_year_label as financial_year,
    extract(isodow from day.date)::integer as day_of_week,
    to_char(day.date, 'FMDay') as day_name
from {{ ref('dim_month') }} as month
cross join lateral generate_series(month.month_start_date, month.month_end_date, interval '1 day') as day (date)
