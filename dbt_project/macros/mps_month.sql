{% macro mps_month(column) -%}
    {#- First day of the month that heads a column: 202405 as published; 2024-05, 2024-05-01, 05/2024, May-24 or May 2024 as a spreadsheet saves it. -#}
    case
        when {{ column }} ~ '^[0-9]{6}$' then to_date({{ column }}, 'YYYYMM')
        when {{ column }} ~ '^[0-9]{4}-' then to_date(left({{ column }}, 7), 'YYYY-MM')
        when {{ column }} ~ '^[0-9]{2}/' then to_date({{ column }}, 'MM/YYYY')
        else to_date(left({{ column }}, 3) || '20' || right({{ column }}, 2), 'MonYYYY')
    end
{%- endmacro %}
