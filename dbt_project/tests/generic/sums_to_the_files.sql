{% test sums_to_the_files(model, count, source, dataset) %}
-- Each file that is loaded is counted once: its counts come to the rows that the loader put into raw.
select
    coalesce(counted.load_id, files.load_id) as load_id,
    counted.counted,
    files.rows_loaded
from (
    select
        load_id,
        sum({{ count }}) as counted
    from {{ model }}
    group by load_id
) as counted
full join (
    select
        load_id,
        rows_loaded
    from {{ ref('stg_ops__load') }}
    where source = '{{ source }}' and dataset = '{{ dataset }}'
) as files on counted.load_id = files.load_id
where counted.counted is distinct from files.rows_loaded
{% endtest %}
