{% set searches = source('raw_police_uk', 'police_uk__stop_and_search') %}
-- The stamp is in UTC and the month is London's: a file begins an hour before its month in summer.
select
    searches._load_id as load_id,
    searches._row_number as row_number,
    searches.searched_at::timestamptz as searched_at,
    date_trunc('month', searches.searched_at::timestamptz at time zone 'Europe/London')::date as month_start_date,
    searches.longitude,
    searches.latitude,
    coalesce(ages.code, 'not_recorded') as age_band,
    coalesce(groups.code, 'not_recorded') as ethnicity,
    coalesce(observed.code, 'not_recorded') as officer_defined_ethnicity,
    coalesce(genders.code, 'not_recorded') as sex,
    lower(btrim(coalesce(searches.search_type, ''))) <> 'vehicle search' as is_of_person,
    coalesce(results.code, 'not_recorded') as outcome_code
from {{ searches }} as searches
left join {{ police_uk_codes(searches, 'age_range', 'age_range') }} as ages
    on searches.age_range = ages.published_label
left join {{ police_uk_codes(searches, 'self_defined_ethnicity', 'ethnicity') }} as groups
    on searches.self_defined_ethnicity = groups.published_label
left join
    {{ police_uk_codes(searches, 'officer_defined_ethnicity', 'officer_ethnicity') }} as observed
    on searches.officer_defined_ethnicity = observed.published_label
left join {{ police_uk_codes(searches, 'gender', 'gender') }} as genders
    on searches.gender = genders.published_label
left join {{ police_uk_codes(searches, 'outcome', 'stop_outcome') }} as results
    on searches.outcome = results.published_label
