-- An age leaves raw as a band of five years and no otherwise.
select
    _load_id as load_id,
    _row_number as row_number,
    case
        when coalesce(age, '') = '' or age::numeric::integer > 120 then 'unknown'
        when age::numeric::integer >= 90 then '90+'
        else age::numeric::integer / 5 * 5 || '-' || age::numeric::integer / 5 * 5 + 4
    end as age_band,
    case upper(left(btrim(coalesce(sex, '')), 1))
        when 'M' then 'male'
        when 'F' then 'female'
        else 'unknown'
    end as sex
from {{ source('raw_safestats', 'safestats__ambulance_incidents') }}
