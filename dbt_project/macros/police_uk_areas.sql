{% macro police_uk_named_areas(relation) -%}
    {#- The boroughs that names of LSOAs begin with, for codes of neither vintage: a name is looked at once, and those of known codes never. -#}
    named as (
        select
            names.lsoa_name,
            aliases.area_code
        from (
            select distinct lsoa_name from {{ relation }}
            where lsoa_code not in (select lsoas.lsoa_code from {{ ref('lsoa_borough') }} as lsoas)
        ) as names
        inner join {{ ref('area_aliases') }} as aliases
            on
                aliases.source = 'police_uk'
                and regexp_replace({{ normalised_label('names.lsoa_name') }}, ' [0-9]{3}[a-z]{1,2}$', '')
                = {{ normalised_label('aliases.published_name') }}
    )
{%- endmacro %}

{% macro police_uk_area_of(row) -%}
    {#-
        Where a row lies, by police_uk_area_joins: by its LSOA's code in either vintage; else by the borough the LSOA's name begins with;
        else it is elsewhere in Great Britain; without a code it has no place.
    -#}
    coalesce(
        lookup.area_code, named.area_code, case when {{ row }}.lsoa_code ~ '^[A-Z][0-9]{8}$' then 'OUTSIDE_LONDON' else 'UNALLOCATED' end
    )
{%- endmacro %}

{% macro police_uk_area_joins(row) -%}
left join {{ ref('lsoa_borough') }} as lookup on {{ row }}.lsoa_code = lookup.lsoa_code
left join named on lookup.lsoa_code is null and {{ row }}.lsoa_name = named.lsoa_name
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
