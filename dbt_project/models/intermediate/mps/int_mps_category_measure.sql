-- UNION, not UNION ALL: a category that is its own group (POSSESSION OF WEAPONS) counts towards that measure once.
with category as (
    select
        category_vintage,
        {{ normalised_label('published_major') }} as major_label,
        {{ normalised_label('published_minor') }} as minor_label,
        measure_code,
        group_measure_code,
        series_measure_code,
        is_zero_when_absent
    from {{ ref('mps_category') }}
)

select
    category_vintage,
    major_label,
    minor_label,
    measure_code,
    is_zero_when_absent
from category
union
select
    category_vintage,
    major_label,
    minor_label,
    group_measure_code,
    is_zero_when_absent
from category
where group_measure_code is not null
union
select
    category_vintage,
    major_label,
    minor_label,
    series_measure_code,
    is_zero_when_absent
from category
where series_measure_code is not null
union
select
    category_vintage,
    major_label,
    minor_label,
    'mps_all_offences' as measure_code,
    is_zero_when_absent
from category
