-- The columns that count street crime by LSOA and no others: what stg_police_uk__street looks up for every row is looked up here once a group.
select
    _load_id as load_id,
    lsoa_code,
    lsoa_name,
    crime_type as published_crime_type,
    last_outcome_category as published_last_outcome
from {{ source('raw_police_uk', 'police_uk__street') }}
