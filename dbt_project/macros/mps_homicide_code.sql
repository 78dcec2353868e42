{% macro mps_homicide_code(field, column) -%}
    {#- A label of the homicide files as its code, by the seed. -#}
    (
        select codes.code
        from {{ ref('mps_homicide_code') }} as codes
        where codes.field = '{{ field }}' and {{ normalised_label('codes.published_value') }} = {{ normalised_label(column) }}
    )
{%- endmacro %}
