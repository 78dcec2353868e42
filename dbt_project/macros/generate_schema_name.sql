{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- Schema names are agreed across the project, so dbt must not prefix them with its target's. -#}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
