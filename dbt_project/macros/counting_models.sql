{#- The source and the model of each table that counts by area and month, its editions already resolved: what is counted is listed here alone. -#}
{% macro counting_models() -%}
{% set counts = [
    ('mps', 'int_mps_borough_month'),
    ('mps', 'int_mps_composite_month'),
    ('mps', 'int_mps_dashboard_month'),
    ('mps', 'int_mps_homicide_month'),
    ('mps', 'int_mps_vawg_month'),
    ('safestats', 'int_safestats_ambulance_month'),
    ('safestats', 'int_safestats_event_month'),
] %}
{{ return(counts) }}
{%- endmacro %}
