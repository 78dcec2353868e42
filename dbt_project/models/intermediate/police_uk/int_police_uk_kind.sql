-- Which measure each kind of row counts into, and by which splits.
select
    'street' as dataset,
    code as kind_code,
    code as measure_suffix,
    'all' as age_band,
    'all' as ethnicity
from {{ ref('police_uk_label') }}
where label_list = 'crime_type'
union all
-- Anti-social behaviour is no crime.
select
    'street' as dataset,
    code as kind_code,
    'all_crime' as measure_suffix,
    'all' as age_band,
    'all' as ethnicity
from {{ ref('police_uk_label') }}
where label_list = 'crime_type' and code <> 'anti_social_behaviour'
union all
select distinct
    'outcomes' as dataset,
    codes.code as kind_code,
    suffixes.measure_suffix,
    'all' as age_band,
    'all' as ethnicity
from {{ ref('police_uk_label') }} as codes
-- What is still open, and what is not known, is no outcome and stands in the last outcomes of crimes alone.
inner join lateral (values ('outcomes'), ('outcomes_' || codes.code)) as suffixes (measure_suffix)
    on suffixes.measure_suffix = 'outcomes' or codes.code not in ('open', 'not_known')
where codes.label_list = 'outcome'
union all
select
    'stop_and_search' as dataset,
    'stop_and_search' as kind_code,
    'stop_and_search' as measure_suffix,
    splits.age_band,
    splits.ethnicity
from (
    select
        'all' as age_band,
        'all' as ethnicity
    union all
    select distinct
        code as age_band,
        'all' as ethnicity
    from {{ ref('police_uk_label') }}
    where label_list = 'age_range'
    union all
    select distinct
        'all' as age_band,
        code as ethnicity
    from {{ ref('police_uk_label') }}
    where label_list = 'ethnicity'
    union all
    select
        'not_recorded' as age_band,
        'all' as ethnicity
    union all
    select
        'all' as age_band,
        'not_recorded' as ethnicity
) as splits
