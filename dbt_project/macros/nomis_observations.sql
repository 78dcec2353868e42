{% macro nomis_observations(relation, dimensions) -%}
    {#- Every dataset of NOMIS has the same columns but for its own dimensions, so one body serves all views. -#}
    select
        observations._load_id as load_id,
        observations._row_number as row_number,
        nullif(observations.date, '') as date_code,
        btrim(observations.date_name) as date_name,
        observations.geography_code as published_area_code,
        btrim(observations.geography_name) as published_area_name,
        aliases.area_code,
        {% for place in range(3) %}
        {% if place < dimensions | length %}
        '{{ dimensions[place] }}'::text as dimension_{{ place + 1 }},
        nullif(observations.{{ dimensions[place] }}, '') as code_{{ place + 1 }},
        nullif({{ normalised_label('observations.' ~ dimensions[place] ~ '_name') }}, '') as name_{{ place + 1 }},
        {% else %}
        null::text as dimension_{{ place + 1 }},
        null::text as code_{{ place + 1 }},
        null::text as name_{{ place + 1 }},
        {% endif %}
        {% endfor %}
        nullif(observations.measures, '') as measures_code,
        nullif({{ normalised_label('observations.measures_name') }}, '') as measures_name,
        nullif(observations.obs_value, '')::numeric as published_value,
        nullif(observations.obs_status, '') as status_code,
        nullif(btrim(observations.obs_status_name), '') as status_name,
        nullif(regexp_replace(upper(btrim(observations.obs_conf)), '^FALSE$', 'F'), '') as confidentiality
    from {{ relation }} as observations
    left join {{ ref('area_aliases') }} as aliases
        on aliases.source = 'nomis' and observations.geography_code = aliases.published_name
{%- endmacro %}
