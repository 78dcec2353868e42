{% test areas_add_up(model, total, parts) %}
-- Both sides are summed by the same model from the same boroughs; a borough of no or of two parts would show here.
-- A borough that its publisher withholds leaves its part and the total without a row. Counts may lack a part in which nothing was
-- counted. So a total that stands is the sum of the parts that stand, which a total of withheld ones is not, and one is missing only
-- where a part is.
with side as (
    select
        measure_code,
        period_kind,
        period_start_date,
        sex,
        age_band,
        ethnicity,
        sum(value) filter (where area_code = '{{ total }}') as total_value,
        sum(value) filter (where area_code <> '{{ total }}') as parts_value,
        count(value) filter (where area_code <> '{{ total }}') as part_count
    from {{ model }}
    where area_code in ('{{ total }}', '{{ parts | join("', '") }}')
    group by measure_code, period_kind, period_start_date, sex, age_band, ethnicity
)

select
    split_part(measure_code, '_', 1) as source,
    measure_code,
    '{{ total }}' as area_code,
    period_kind,
    period_start_date,
    sex,
    age_band,
    ethnicity,
    total_value,
    parts_value
from side
where
    (total_value is not null or part_count = {{ parts | length }})
    and total_value is distinct from parts_value
{% endtest %}
