{% macro mps_area_of(relation, label) -%}
    {#- The area of each spelling that a file has in some column: labels are normalised once each, not once a row. -#}
    select
        spelling.label,
        aliases.area_code
    from (select distinct {{ label }} as label from {{ relation }}) as spelling
    inner join {{ ref('area_aliases') }} as aliases
        on {{ normalised_label('spelling.label') }} = {{ normalised_label('aliases.published_name') }}
    where aliases.source = 'mps'
{%- endmacro %}
