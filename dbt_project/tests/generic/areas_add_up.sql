{% test areas_add_up(model, total, parts) %}
-- Both sides are summed by the same model from the same boroughs; a borough of no or of two parts would show here.
select
    measure_code,
    period_start_date,
    sum(value) filter (where area_code = '{{ total }}') as total_value,
    sum(value) filter (where area_code in ('{{ parts | join("', '") }}')) as parts_value
from {{ model }}
where area_code in ('{{ total }}', '{{ parts | join("', '") }}')
group by measure_code, period_start_date
having
    sum(value) filter (where area_code = '{{ total }}')
    is distinct from sum(value) filter (where area_code in ('{{ parts | join("', '") }}'))
{% endtest %}
