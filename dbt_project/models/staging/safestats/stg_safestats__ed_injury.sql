-- What hurt and where, as the departments coded it.
select
    'ed_istv' as dataset,
    _load_id as load_id,
    _row_number as row_number,
    site_code,
    btrim(coalesce(category, '')) as published_weapon,
    btrim(coalesce(place_type, '')) as published_place
from {{ source('raw_safestats', 'safestats__ed_istv') }}
union all
select
    'ed_ecds' as dataset,
    _load_id as load_id,
    _row_number as row_number,
    site_code,
    btrim(coalesce(mechanism_snomed, '')) as published_weapon,
    btrim(coalesce(place_snomed, '')) as published_place
from {{ source('raw_safestats', 'safestats__ed_ecds') }}
