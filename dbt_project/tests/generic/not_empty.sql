{% test not_empty(model) %}
-- Every other test passes on a table without rows.
select 1 as is_empty
where not exists (select 1 from {{ model }})
{% endtest %}
