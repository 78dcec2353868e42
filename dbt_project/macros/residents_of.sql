{#- Twelve months, also those of a financial year that has come to its March, are divided by the residents of their middle. -#}
{% macro residents_of(relation, kind, year='') -%}
    {%- if kind in ('rolling_12', 'calendar_year', 'financial_year') -%}
        {{ relation }}.rolling_12_residents{{ year }}
    {%- elif kind == 'financial_year_to_date' -%}
        case
            when extract(month from win.month_start_date) = 3 then {{ relation }}.rolling_12_residents{{ year }}
            else {{ relation }}.residents{{ year }}
        end
    {%- else -%}
        {{ relation }}.residents{{ year }}
    {%- endif -%}
{%- endmacro %}
