{% test finite_in_range(model, column_name, minimum=none, maximum=none) %}
-- NaN is greater than every number in PostgreSQL, so a bound alone lets it through from below.
select {{ column_name }} as found
from {{ model }}
where
    {{ column_name }}::float8 in ('NaN', 'Infinity', '-Infinity')
    {%- if minimum is not none %}
    or {{ column_name }} < {{ minimum }}
    {%- endif %}
    {%- if maximum is not none %}
    or {{ column_name }} > {{ maximum }}
    {%- endif %}
{% endtest %}
