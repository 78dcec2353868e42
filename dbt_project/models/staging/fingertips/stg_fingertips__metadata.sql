select
    _load_id as load_id,
    indicator_id,
    btrim(regexp_replace(indicator_name, '\s+', ' ', 'g')) as indicator_name,
    nullif(definition, '') as definition,
    nullif(data_source, '') as data_source,
    nullif(caveats, '') as caveats,
    nullif(disclosure_control, '') as disclosure_control,
    nullif(unit, '') as unit,
    nullif(value_type, '') as value_type,
    nullif(year_type, '') as year_type,
    nullif(polarity, '') as polarity
from {{ source('raw_fingertips', 'fingertips__metadata') }}
