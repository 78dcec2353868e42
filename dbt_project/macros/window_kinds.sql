{#- Kinds of window of rpt_borough_measure: name, the columns of fct_window that hold it, its months, and which months end one. -#}
{% macro window_kinds() -%}
    {{ return([
        ('month', 'month', 1, 'true'),
        ('rolling_3', 'rolling_3', 3, 'true'),
        ('rolling_6', 'rolling_6', 6, 'true'),
        ('rolling_12', 'rolling_12', 12, 'true'),
        ('financial_year_to_date', 'financial_year_to_date',
            '((extract(month from win.month_start_date)::integer + 8) % 12) + 1', 'true'),
        ('calendar_year', 'rolling_12', 12, 'extract(month from win.month_start_date) = 12'),
        ('financial_year', 'rolling_12', 12, 'extract(month from win.month_start_date) = 3'),
    ]) }}
{%- endmacro %}
