select distinct on (metadata.indicator_id)
    metadata.indicator_id,
    metadata.indicator_name,
    metadata.unit,
    metadata.value_type,
    metadata.year_type
from {{ ref('stg_fingertips__metadata') }} as metadata
inner join {{ ref('stg_ops__load') }} as load on metadata.load_id = load.load_id
order by
    metadata.indicator_id asc,
    load.release_date desc,
    load.landed_at desc,
    load.sha256 desc
