select
    win.month_start_date,
    {{ explored_window('rolling_12', 'rolling_12_count', 12) }}
