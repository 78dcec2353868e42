{% macro police_uk_areas(relation) -%}
    {#-
        Places each LSOA of a table once and not once per row. By its code in either vintage; else by the borough its name begins with; else it
        is elsewhere in Great Britain; without a code it has no place.
    -#}
    lsoas as (
        select distinct
            lsoa_code,
            lsoa_name
        from {{ relation }}
    ),

    areas as (
        select
            lsoas.lsoa_code,
            lsoas.lsoa_name,
            case
                when lookup.area_code is not null then lookup.area_code
                when aliases.area_code is not null then aliases.area_code
                when lsoas.lsoa_code ~ '^[A-Z][0-9]{8}$' then 'OUTSIDE_LONDON'
                else 'UNALLOCATED'
            end as area_code
        from lsoas
        left join {{ ref('lsoa_borough') }} as lookup on lsoas.lsoa_code = lookup.lsoa_code
        left join {{ ref('area_aliases') }} as aliases
            on
                aliases.source = 'police_uk'
                and {{ normalised_label("regexp_replace(lsoas.lsoa_name, ' [0-9]{3}[A-Z]{1,2}$', '')") }}
                = {{ normalised_label('aliases.published_name') }}
    )
{%- endmacro %}

{% macro police_uk_codes(relation, column, label_list) -%}
    {#- The code of each label of a column, looked up once per label. -#}
    (
        select
            labels.published_label,
            codes.code
        from (select distinct {{ column }} as published_label from {{ relation }}) as labels
        inner join {{ ref('police_uk_label') }} as codes
            on
                codes.label_list = '{{ label_list }}'
                and {{ normalised_label('labels.published_label') }} = {{ normalised_label('codes.published_label') }}
    )
{%- endmacro %}
