select
    win.month_start_date,
    coalesce(win.hard_break_month_start_date > (win.month_start_date - interval '11 months')::date, false) as holds_break,
    {{ explored_window('rolling_12', 'rolling_12_count', 12) }}
