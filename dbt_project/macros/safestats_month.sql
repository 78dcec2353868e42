{% macro safestats_month(column) -%}
    {#- First day of a month as the ambulance workbook writes it: May 2016, May2016 or a date; null for anything else. -#}
    case
        when {{ column }} ~ '^20[0-9]{2}-[0-9]{2}-[0-9]{2}$' then date_trunc('month', {{ column }}::date)::date
        when {{ column }} ~ '^[A-Z][a-z]{2} ?20[0-9]{2}$' then to_date(replace({{ column }}, ' ', ''), 'MonYYYY')
    end
{%- endmacro %}
