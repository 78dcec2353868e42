select
    (win.month_start_date - interval '11 months')::date as year_start_date,
    extract(year from win.month_start_date - interval '11 months')::integer || '/' || to_char(win.month_start_date, 'YY')
        as financial_year,
    {{ explored_window('rolling_12', 'year_count', 12, 'extract(month from win.month_start_date) = 3') }}
