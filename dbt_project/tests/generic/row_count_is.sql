{% test row_count_is(model, row_count) %}
select count(*) as found
from {{ model }}
having count(*) <> {{ row_count }}
{% endtest %}
