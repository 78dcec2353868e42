{% macro residents_in_words(population) -%}
    {#- Of whom a rate is, by dim_measure.denominator_population (sex:ages): `residents`, `female residents`, `residents aged under 25`, `residents aged 1 to 24`. -#}
    case when {{ population }} like 'all:%' then '' else split_part({{ population }}, ':', 1) || ' ' end
    || 'residents'
    || case
        when {{ population }} like '%:all' then ''
        when {{ population }} like '%:0-%' then ' aged under ' || (substring({{ population }} from '-([0-9]+)$')::integer + 1)
        else ' aged ' || replace(replace(split_part({{ population }}, ':', 2), '-', ' to '), '+', ' and over')
    end
{%- endmacro %}
