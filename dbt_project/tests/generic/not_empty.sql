{% test not_empty(model, source=none) %}
-- Every other test passes on a table without rows. One that a source alone fills may be empty until a file of it is loaded.
select 1 as is_empty
where
    not exists (select 1 from {{ model }})
    {% if source %}
    and exists (select 1 from {{ ref('stg_ops__load') }} as load where load.source = '{{ source }}')
    {% endif %}
{% endtest %}
