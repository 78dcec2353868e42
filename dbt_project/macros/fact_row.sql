{#
  One shape for the facts of every mart, so that they can stand in one table: what a kind of fact does not have is null.
  `columns` gives an expression by name; a name that is not listed here is an error.
#}
{% macro fact_row(columns) -%}
    {%- set shape = [
        ('area_code', 'text'),
        ('fact_code', 'text'),
        ('window_kind', 'text'),
        ('period_start_date', 'date'),
        ('period_end_date', 'date'),
        ('numerator', 'bigint'),
        ('denominator', 'bigint'),
        ('denominator_year', 'integer'),
        ('value', 'double precision'),
        ('lower_95', 'double precision'),
        ('upper_95', 'double precision'),
        ('count_year_before', 'bigint'),
        ('change_percent', 'numeric'),
        ('change_on_2019_percent', 'numeric'),
        ('share_of_london_percent', 'numeric'),
        ('london_value', 'double precision'),
        ('similar_areas_value', 'double precision'),
        ('rank_in_london', 'smallint'),
        ('significance', 'text'),
        ('status', 'text'),
        ('caveat', 'text'),
        ('is_significant', 'boolean'),
        ('effect_percent', 'double precision'),
        ('sentence', 'text'),
        ('source_release', 'text'),
        ('is_provisional', 'boolean'),
    ] -%}
    {%- for name in columns if name not in shape | map(attribute=0) | list -%}
        {{ exceptions.raise_compiler_error(name ~ ' is no column of a fact: macros/fact_row.sql lists them') }}
    {%- endfor -%}
    {%- for name, type in shape %}
    ({{ columns.get(name, 'null') }})::{{ type }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
