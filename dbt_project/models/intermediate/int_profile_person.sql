-- People of the profile's measures in one vocabulary of sex, age and ethnicity: what is not known is a category of its own.
with homicides as (
    select
        measure.measure_code,
        person.area_code,
        person.month_start_date,
        person.sex,
        person.age_band,
        person.ethnicity,
        measure.ethnicity_basis,
        person.person_count
    from {{ ref('int_mps_homicide_person') }} as person
    inner join {{ ref('victim_profile_measure') }} as measure
        on
            case measure.measure_code
                when 'mps_homicide_victims' then person.dataset = 'homicide_victims'
                when 'mps_homicide_victims_knife' then person.method_of_killing = 'knife_or_sharp_implement'
                when 'mps_homicide_victims_shooting' then person.method_of_killing = 'shooting'
                when 'mps_homicide_victims_domestic_abuse' then person.is_domestic_abuse
                when 'mps_homicide_accused' then person.dataset = 'homicide_accused'
                else false
            end
),

searches as (
    select
        'police_uk_people_searched' as measure_code,
        search.area_code,
        search.month_start_date,
        search.sex,
        search.age_band,
        basis.ethnicity,
        basis.ethnicity_basis,
        search.search_count as person_count
    from {{ ref('int_police_uk_search') }} as search
    cross join
        lateral (
            values
            ('self_defined', search.ethnicity), ('officer_observed', search.officer_defined_ethnicity)
        ) as basis (ethnicity_basis, ethnicity)
    where search.is_of_person and search.scope = 'together'
),

covered as (
    select distinct
        load_id,
        month_start_date
    from {{ ref('int_safestats_event_month') }}
    where measure_code = 'safestats_las_violence_dispatches'
),

patients as (
    select
        event.measure_code,
        event.area_code,
        event.month_start_date,
        patient.sex,
        patient.age_band,
        'all' as ethnicity,
        'not_split' as ethnicity_basis,
        1 as person_count
    from {{ ref('int_safestats_event') }} as event
    inner join {{ ref('stg_safestats__ambulance_patient') }} as patient
        on event.load_id = patient.load_id and event.row_number = patient.row_number
    -- As int_safestats_event_month: what a file says of another month than its own is not the whole of that month.
    inner join covered on event.load_id = covered.load_id and event.month_start_date = covered.month_start_date
    where event.measure_code = 'safestats_las_violence_dispatches'
),

whole as (
    {% for model in ['int_mps_dashboard_month', 'int_safestats_ambulance_month'] %}
    select
        counted.measure_code,
        counted.area_code,
        counted.month_start_date,
        'all' as sex,
        'all' as age_band,
        'all' as ethnicity,
        'not_split' as ethnicity_basis,
        counted.month_count as person_count
    from {{ ref(model) }} as counted
    inner join {{ ref('victim_profile_measure') }} as measure on counted.measure_code = measure.measure_code
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

together as (
    {% for part in ['homicides', 'searches', 'patients', 'whole'] %}
    select
        measure_code,
        area_code,
        month_start_date,
        sex,
        age_band,
        ethnicity,
        ethnicity_basis,
        person_count
    from {{ part }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
)

select
    measure_code,
    area_code,
    month_start_date,
    case when sex in ('unknown', 'not_recorded') or sex is null then 'unknown' else sex end as sex,
    case
        when age_band in ('unknown', 'not_recorded') or age_band is null then 'unknown'
        when age_band = 'under_10' then '0-9'
        when age_band = 'over_34' then '35+'
        else age_band
    end as age_band,
    case
        when ethnicity in ('declined', 'not_stated') then 'not_stated'
        when ethnicity in ('unknown', 'not_recorded') or ethnicity is null then 'unknown'
        else ethnicity
    end as ethnicity,
    ethnicity_basis,
    sum(person_count)::bigint as person_count
from together
group by 1, 2, 3, 4, 5, 6, 7
