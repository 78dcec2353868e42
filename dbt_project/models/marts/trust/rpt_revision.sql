-- One line a source whose earlier releases stand in raw: monthly counts, and values of any period.
{% set counts = ['int_mps_borough_revision', 'int_mps_dashboard_revision', 'int_safestats_ambulance_revision'] %}
{% set values = ['int_fingertips_revision', 'int_nomis_revision'] %}
with revised as (
    {% for model in counts %}
    select
        measure_code,
        area_code,
        'month' as period_kind,
        month_start_date as period_start_date,
        'all' as sex,
        'all' as age_band,
        'all' as ethnicity,
        compared_with,
        earlier_release,
        earlier_count::numeric as earlier_value,
        source_release,
        month_count::numeric as value
    from {{ ref(model) }}
    union all
    {% endfor %}
    {% for model in values %}
    select
        measure_code,
        area_code,
        period_kind,
        period_start_date,
        sex,
        age_band,
        ethnicity,
        compared_with,
        earlier_release,
        earlier_value,
        source_release,
        value
    from {{ ref(model) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
)

select
    revised.measure_code,
    revised.area_code,
    revised.period_kind,
    revised.period_start_date,
    revised.sex,
    revised.age_band,
    revised.ethnicity,
    revised.compared_with,
    revised.earlier_release,
    revised.earlier_value::double precision as earlier_value,
    revised.source_release,
    revised.value::double precision as value,
    (revised.value - revised.earlier_value)::double precision as difference,
    round(100 * (revised.value - revised.earlier_value) / nullif(revised.earlier_value, 0), 2)::double precision as difference_percent
from revised
-- What fct_measure gives no figure of has no revision of it.
left join {{ ref('int_unplaced_share') }} as unplaced
    on
        revised.period_kind = 'month'
        and revised.area_code <> 'UNALLOCATED'
        and revised.measure_code = unplaced.measure_code
        and revised.period_start_date = unplaced.month_start_date
        and unplaced.dimension = 'area'
where unplaced.is_withheld is not true
