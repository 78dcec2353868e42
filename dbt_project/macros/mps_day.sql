{% macro mps_day(column) -%}
    {#- A day as the police write it: dd/mm/yyyy, ISO, or Mon-yy and its like for a month. Of a day never month first. -#}
    case
        when {{ column }} ~ '^\d{2}/\d{2}/\d{4}' then to_date(left({{ column }}, 10), 'DD/MM/YYYY')
        when {{ column }} ~ '^\d{4}-\d{2}-\d{2}' then to_date(left({{ column }}, 10), 'YYYY-MM-DD')
        when {{ column }} ~ '^\d{4}-\d{2}$' then to_date({{ column }}, 'YYYY-MM')
        when {{ column }} ~ '^\d{2}/\d{4}$' then to_date({{ column }}, 'MM/YYYY')
        when {{ column }} ~* '^[a-z]{3}[a-z]*[- ]\d{2}$' then to_date(left({{ column }}, 3) || ' 20' || right({{ column }}, 2), 'Mon YYYY')
        when {{ column }} ~* '^[a-z]{3}[a-z]*[- ]\d{4}$' then to_date(left({{ column }}, 3) || ' ' || right({{ column }}, 4), 'Mon YYYY')
    end
{%- endmacro %}
