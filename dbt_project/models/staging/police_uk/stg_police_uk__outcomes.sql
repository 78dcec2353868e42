with {{ police_uk_named_areas(source('raw_police_uk', 'police_uk__outcomes')) }}

select
    results._load_id as load_id,
    results._row_number as row_number,
    results.crime_id,
    forces.code as force_code,
    to_date(results.month, 'YYYY-MM') as month_start_date,
    {{ police_uk_area_of('results') }} as area_code,
    types.code as outcome_code
from {{ source('raw_police_uk', 'police_uk__outcomes') }} as results
{{ police_uk_area_joins('results') }}
left join {{ police_uk_codes(source('raw_police_uk', 'police_uk__outcomes'), 'reported_by', 'force') }} as forces
    on results.reported_by = forces.published_label
left join {{ police_uk_codes(source('raw_police_uk', 'police_uk__outcomes'), 'outcome_type', 'outcome') }} as types
    on results.outcome_type = types.published_label
