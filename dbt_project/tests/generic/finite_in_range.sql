{% test finite_in_range(model, column_name, minimum=0, maximum=1e14) %}
-- NaN is greater than every number in PostgreSQL: both bounds are needed to keep it and the infinities out.
select {{ column_name }} as found
from {{ model }}
where not {{ column_name }} between {{ minimum }} and {{ maximum }}
{% endtest %}
