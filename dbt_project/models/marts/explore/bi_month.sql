select
    win.month_start_date,
    {{ explored_window('month', 'month_count', 1) }}
