with {{ police_uk_named_areas(source('raw_police_uk', 'police_uk__street')) }}

select
    crimes._load_id as load_id,
    crimes._row_number as row_number,
    nullif(crimes.crime_id, '') as crime_id,
    forces.code as force_code,
    to_date(crimes.month, 'YYYY-MM') as month_start_date,
    crimes.longitude,
    crimes.latitude,
    {{ police_uk_area_of('crimes') }} as area_code,
    types.code as crime_type_code
from {{ source('raw_police_uk', 'police_uk__street') }} as crimes
{{ police_uk_area_joins('crimes') }}
left join {{ police_uk_codes(source('raw_police_uk', 'police_uk__street'), 'reported_by', 'force') }} as forces
    on crimes.reported_by = forces.published_label
left join {{ police_uk_codes(source('raw_police_uk', 'police_uk__street'), 'crime_type', 'crime_type') }} as types
    on crimes.crime_type = types.published_label
