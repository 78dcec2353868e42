-- A month counts once a file about it has come, and the events of that month alone: what a file says of others is not the whole of them.
with covered as (
    select distinct on (load.dataset, load.part)
        load.dataset,
        to_date(load.part, 'YYYY-MM') as month_start_date,
        load.load_id,
        load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release
    from {{ ref('stg_ops__load') }} as load
    where load.source = 'safestats' and load.part <> ''
    order by load.dataset asc, load.part asc, load.release_date desc, load.landed_at desc, load.load_id desc
),

measures as (
    select distinct
        dataset,
        measure_code
    from {{ ref('safestats_code') }}
    where measure_code is not null
    union all
    select distinct
        'ambulance_incidents' as dataset,
        measure_code
    from {{ ref('safestats_ambulance_measure') }}
),

areas as (
    select borough_code as area_code from {{ ref('boroughs') }}
    union all
    select area_code
    from {{ ref('other_areas') }}
    where area_code in ('E09000001', 'UNALLOCATED', 'OUTSIDE_LONDON')
),

counted as (
    select
        load_id,
        measure_code,
        month_start_date,
        area_code,
        count(*) as month_count
    from {{ ref('int_safestats_event') }}
    where measure_code is not null
    group by load_id, measure_code, month_start_date, area_code
    union all
    -- Measures of the ambulance feed that overlap: a dispatch may count towards several, and an age that is not known towards none below an age.
    select
        event.load_id,
        also.measure_code,
        event.month_start_date,
        event.area_code,
        count(*) as month_count
    from {{ ref('int_safestats_event') }} as event
    inner join {{ ref('stg_safestats__ambulance_patient') }} as patient
        on event.load_id = patient.load_id and event.row_number = patient.row_number
    inner join {{ ref('safestats_ambulance_measure') }} as also
        on
            event.code_label = also.code_label
            and (also.sex is null or patient.sex = also.sex)
            and (also.below_age is null or substring(patient.age_band from '^\d+')::integer < also.below_age)
    where event.dataset = 'ambulance_incidents'
    group by event.load_id, also.measure_code, event.month_start_date, event.area_code
)

select
    measures.measure_code,
    areas.area_code,
    covered.month_start_date,
    covered.load_id,
    covered.source_release,
    false as is_provisional,
    coalesce(counted.month_count, 0)::bigint as month_count
from covered
inner join measures on covered.dataset = measures.dataset
cross join areas
left join counted
    on
        covered.load_id = counted.load_id
        and measures.measure_code = counted.measure_code
        and covered.month_start_date = counted.month_start_date
        and areas.area_code = counted.area_code
