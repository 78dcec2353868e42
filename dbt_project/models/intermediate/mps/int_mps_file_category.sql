-- A left join keeps a category the seed does not know: the not_null test on measure_code then names it and stops the night.
with published as (
    select distinct
        load_id,
        published_major,
        published_minor
    from {{ ref('stg_mps__borough_historical') }}
    union
    select distinct
        load_id,
        published_major,
        published_minor
    from {{ ref('stg_mps__borough_recent') }}
)

select
    published.load_id,
    published.published_major,
    published.published_minor,
    category_measure.measure_code
from published
inner join {{ ref('int_mps_release') }} as release on published.load_id = release.load_id
left join {{ ref('int_mps_category_measure') }} as category_measure
    on
        release.category_vintage = category_measure.category_vintage
        and {{ normalised_label('published.published_major') }} = category_measure.major_label
        and {{ normalised_label('published.published_minor') }} = category_measure.minor_label
