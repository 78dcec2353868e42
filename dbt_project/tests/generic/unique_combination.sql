{% test unique_combination(model, expressions) %}
-- GROUP BY takes nulls for equal, which a primary key could not even hold.
select
    {{ expressions | join(', ') }},
    count(*) as times
from {{ model }}
group by {{ expressions | join(', ') }}
having count(*) > 1
{% endtest %}
