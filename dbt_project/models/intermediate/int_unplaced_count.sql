-- Of the rows of a measure's month, how many lack what a figure would go by: an area, an age, a sex, an ethnicity, an hour. Restricted.
with covered as (
    select distinct
        load_id,
        month_start_date
    from {{ ref('int_safestats_event_month') }}
)

{% for source, model in counting_models() %}
select
    '{{ source }}' as source,
    split_part(source_release, ' ', 1) as dataset,
    'all' as scope,
    measure_code as series_code,
    measure_code,
    month_start_date,
    'area' as dimension,
    false as is_of_measure,
    sum(month_count) as row_count,
    sum(month_count) filter (where area_code = 'UNALLOCATED') as unplaced_count
from {{ ref(model) }}
-- London as published holds what has no borough.
where area_code <> 'LONDON_PUBLISHED'
group by split_part(source_release, ' ', 1), measure_code, month_start_date
union all
{% endfor %}
select
    'police_uk' as source,
    figure.dataset,
    figure.scope,
    figure.measure_suffix as series_code,
    figure.measure_code,
    figure.period_start_date as month_start_date,
    by_what.dimension,
    false as is_of_measure,
    sum(figure.value) as row_count,
    sum(figure.value) filter (where by_what.member in ('UNALLOCATED', 'not_recorded')) as unplaced_count
from {{ ref('int_police_uk_month') }} as figure
cross join
    lateral (
        values
        ('area', figure.area_code, figure.age_band = 'all' and figure.ethnicity = 'all'),
        ('age', figure.age_band, figure.age_band <> 'all'),
        ('ethnicity', figure.ethnicity, figure.ethnicity <> 'all')
    ) as by_what (dimension, member, is_split)
where by_what.is_split and figure.area_code not in ('LONDON_32', 'INNER', 'OUTER')
group by figure.dataset, figure.scope, figure.measure_suffix, figure.measure_code, figure.period_start_date, by_what.dimension
union all
select
    measure.source,
    btrim(split_part(measure.datasets, ',', 1)) as dataset,
    'all' as scope,
    person.measure_code as series_code,
    person.measure_code,
    person.month_start_date,
    by_what.dimension,
    false as is_of_measure,
    sum(person.person_count) as row_count,
    sum(person.person_count) filter (where by_what.member = 'unknown') as unplaced_count
from {{ ref('int_profile_person') }} as person
inner join {{ ref('victim_profile_measure') }} as profile on person.measure_code = profile.measure_code
inner join {{ ref('measures') }} as measure on person.measure_code = measure.measure_code
cross join
    lateral (
        values
        ('sex', person.sex, person.ethnicity_basis = profile.ethnicity_basis),
        ('age', person.age_band, person.ethnicity_basis = profile.ethnicity_basis),
        ('ethnicity', person.ethnicity, person.ethnicity_basis = profile.ethnicity_basis),
        (person.ethnicity_basis || '_ethnicity', person.ethnicity, person.ethnicity_basis <> profile.ethnicity_basis)
    ) as by_what (dimension, member, is_split)
where by_what.is_split and by_what.member <> 'all'
group by measure.source, measure.datasets, person.measure_code, person.month_start_date, by_what.dimension
union all
-- Measures that count people of an age or a sex: of whom it is not known, is in none of them.
select
    'mps' as source,
    person.dataset,
    'all' as scope,
    measure.measure_code as series_code,
    measure.measure_code,
    person.month_start_date,
    'age' as dimension,
    true as is_of_measure,
    sum(person.person_count) as row_count,
    sum(person.person_count) filter (where person.age_band = 'unknown') as unplaced_count
from {{ ref('int_mps_homicide_person') }} as person
inner join {{ ref('measures') }} as measure
    on person.dataset = measure.datasets and measure.measure_code like 'mps\_homicide\_%\_under\_25'
group by person.dataset, measure.measure_code, person.month_start_date
union all
select
    'safestats' as source,
    'ambulance_incidents' as dataset,
    'all' as scope,
    also.measure_code as series_code,
    also.measure_code,
    event.month_start_date,
    by_what.dimension,
    true as is_of_measure,
    count(*) as row_count,
    count(*) filter (where by_what.member = 'unknown') as unplaced_count
from {{ ref('int_safestats_event') }} as event
inner join covered on event.load_id = covered.load_id and event.month_start_date = covered.month_start_date
inner join {{ ref('stg_safestats__ambulance_patient') }} as patient
    on event.load_id = patient.load_id and event.row_number = patient.row_number
inner join {{ ref('safestats_ambulance_measure') }} as also on event.code_label = also.code_label
cross join
    lateral (
        values ('sex', patient.sex, also.sex is not null), ('age', patient.age_band, also.below_age is not null)
    ) as by_what (dimension, member, is_asked)
where event.dataset = 'ambulance_incidents' and by_what.is_asked
group by also.measure_code, event.month_start_date, by_what.dimension
union all
select
    measure.source,
    measure.datasets as dataset,
    'all' as scope,
    event.measure_code as series_code,
    event.measure_code,
    event.month_start_date,
    'hour' as dimension,
    false as is_of_measure,
    sum(event.event_count) as row_count,
    sum(event.event_count) filter (where event.local_hour is null) as unplaced_count
from {{ ref('int_temporal_event') }} as event
inner join {{ ref('measures') }} as measure on event.measure_code = measure.measure_code
group by measure.source, measure.datasets, event.measure_code, event.month_start_date
