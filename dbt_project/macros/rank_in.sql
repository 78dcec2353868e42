{#
  Ranks of many columns of one group without a sorting of its rows for each: `ordered` collects the values once, `rank_in` looks one up.
  As rank() over (… order by column desc nulls last) for those that have a value: 1 is the highest, equal ones share a rank.
#}
{% macro ordered(column) -%}
    array_agg({{ column }} order by {{ column }}) filter (where {{ column }} is not null)
{%- endmacro %}

{#- `values` is what `ordered` gave for the group, `value` one of them or null, whose rank is null. -#}
{% macro rank_in(values, value) -%}
    (1 + cardinality({{ values }}) - width_bucket({{ value }}, {{ values }}))
{%- endmacro %}

{#- The quarter of the group a value lies in, 1 the highest, by the middle of the places that equal ones share; null for fewer than eight. -#}
{% macro quarter_in(values, value) -%}
    case
        when cardinality({{ values }}) >= 8
            then (
                (5 * cardinality({{ values }}) + 3 - 2 * (width_bucket({{ value }}, {{ values }}) + array_position({{ values }}, {{ value }})))
                / cardinality({{ values }})
            )::smallint
    end
{%- endmacro %}
