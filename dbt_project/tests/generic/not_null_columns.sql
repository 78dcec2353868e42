{% test not_null_columns(model, columns) %}
-- One pass for all columns of a table: a node a column costs more than the check.
select {{ columns | join(', ') }}
from {{ model }}
where {{ columns | join(' is null or ') }} is null
{% endtest %}
