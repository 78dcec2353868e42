with months as (
    select
        month_start_date::date as month_start_date,
        extract(year from month_start_date)::integer as calendar_year,
        extract(month from month_start_date)::integer as month_of_year,
        -- The financial year starts in April: three months earlier lies in the calendar year it is named after.
        extract(year from month_start_date - interval '3 months')::integer as financial_year,
        extract(month from month_start_date - interval '3 months')::integer as month_of_financial_year
    from generate_series(timestamp '2000-01-01', timestamp '2039-12-01', interval '1 month') as generated (month_start_date)
)

select
    month_start_date,
    (month_start_date + interval '1 month' - interval '1 day')::date as month_end_date,
    to_char(month_start_date, 'YYYY-MM') as month_code,
    to_char(month_start_date, 'FMMonth YYYY') as month_name,
    extract(day from month_start_date + interval '1 month' - interval '1 day')::integer as days_in_month,
    month_of_year,
    calendar_year,
    (month_of_year + 2) / 3 as calendar_quarter,
    calendar_year || ' Q' || (month_of_year + 2) / 3 as calendar_quarter_label,
    make_date(financial_year, 4, 1) as financial_year_start_date,
    financial_year || '/' || to_char(make_date(financial_year + 1, 1, 1), 'YY') as financial_year_label,
    (month_of_financial_year + 2) / 3 as financial_quarter,
    month_of_financial_year
from months
