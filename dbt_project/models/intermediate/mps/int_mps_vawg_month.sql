with winner as (
    select distinct on (covered.month_start_date)
        covered.month_start_date::date as month_start_date,
        load.load_id,
        load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release
    from {{ ref('stg_ops__load') }} as load
    cross join
        lateral generate_series(load.first_month_start_date::timestamp, load.last_month_start_date::timestamp, interval '1 month')
            as covered (month_start_date)
    where load.source = 'mps' and load.dataset = 'vawg'
    order by
        covered.month_start_date asc,
        load.release_date desc,
        load.landed_at desc,
        load.load_id desc
),

-- The same offences stand in the sheets by place and by class; those by age and by ethnic group count victims.
labelled as (
    select
        winner.load_id,
        winner.month_start_date,
        published.is_offence_by_place,
        published.area_code,
        published.crimsec_group,
        published.vawg_offence,
        sum(published.recorded_count) as recorded_count
    from winner
    inner join {{ ref('stg_mps__vawg') }} as published
        on
            winner.load_id = published.load_id
            and winner.month_start_date = published.month_start_date
            and (published.is_offence_by_place or published.is_offence_by_class)
    group by
        winner.load_id,
        winner.month_start_date,
        published.is_offence_by_place,
        published.area_code,
        published.crimsec_group,
        published.vawg_offence
),

offence as (
    select
        labelled.load_id,
        labelled.month_start_date,
        labelled.is_offence_by_place,
        labelled.area_code,
        labelled.recorded_count,
        class.measure_code as class_measure_code,
        named.measure_code as offence_measure_code,
        named.published_value is not null as is_offence_known
    from labelled
    left join {{ ref('mps_vawg_class') }} as class
        on class.field = 'group' and {{ normalised_label('labelled.crimsec_group') }} = {{ normalised_label('class.published_value') }}
    left join {{ ref('mps_vawg_class') }} as named
        on named.field = 'offence' and {{ normalised_label('labelled.vawg_offence') }} = {{ normalised_label('named.published_value') }}
),

sheet as (
    select
        load_id,
        month_start_date,
        is_offence_by_place,
        bool_and(class_measure_code is not null) as is_classed,
        bool_and(area_code is not null) as is_placed,
        bool_and(is_offence_known) as is_every_offence_known
    from offence
    group by load_id, month_start_date, is_offence_by_place
),

-- One sheet speaks for all of London, and one for the boroughs: today's sheet by place has no classes, and the one by class no boroughs.
told as (
    (
        select distinct on (load_id, month_start_date)
            *,
            false as is_by_area
        from sheet
        where is_classed
        order by load_id asc, month_start_date asc, is_offence_by_place asc
    )
    union all
    (
        select distinct on (load_id, month_start_date)
            *,
            true as is_by_area
        from sheet
        where is_classed and is_placed
        order by load_id asc, month_start_date asc, is_offence_by_place desc
    )
),

counted as (
    select
        'mps_vawg_dashboard_offences' as measure_code,
        place.area_code,
        offence.load_id,
        offence.month_start_date,
        offence.recorded_count
    from offence
    cross join lateral (values (offence.area_code), ('LONDON_PUBLISHED')) as place (area_code)
    where offence.is_offence_by_place
    union all
    select
        counts.measure_code,
        case when told.is_by_area then offence.area_code else 'LONDON_PUBLISHED' end as area_code,
        offence.load_id,
        offence.month_start_date,
        offence.recorded_count
    from offence
    inner join told
        on
            offence.load_id = told.load_id
            and offence.month_start_date = told.month_start_date
            and offence.is_offence_by_place = told.is_offence_by_place
    cross join
        lateral (
            values
            (offence.class_measure_code),
            (case when offence.class_measure_code <> 'mps_vawg_outside_offences' then 'mps_vawg_offences' end),
            (case when told.is_every_offence_known then offence.offence_measure_code end)
        ) as counts (measure_code)
    where counts.measure_code is not null
),

summed as (
    select
        measure_code,
        area_code,
        load_id,
        month_start_date,
        sum(recorded_count) as month_count
    from counted
    group by measure_code, area_code, load_id, month_start_date
),

area as (
    select
        load_id,
        area_code,
        area_code = 'LONDON_PUBLISHED' as is_london
    from summed
    union
    select
        loads.load_id,
        boroughs.borough_code as area_code,
        false as is_london
    from (select distinct load_id from offence) as loads
    cross join {{ ref('boroughs') }} as boroughs
),

class_measure as (
    select distinct
        measure_code,
        field = 'offence' as is_of_offence
    from {{ ref('mps_vawg_class') }}
    where measure_code is not null
    union all
    select
        'mps_vawg_offences' as measure_code,
        false as is_of_offence
),

-- What a month has a count of, and so a 0 where no row stands. Where one offence has a name nobody has declared, it may be any of those named.
covered as (
    select
        'mps_vawg_dashboard_offences' as measure_code,
        area.area_code,
        winner.load_id,
        winner.month_start_date
    from winner
    inner join area on winner.load_id = area.load_id
    union all
    select
        class_measure.measure_code,
        area.area_code,
        told.load_id,
        told.month_start_date
    from told
    inner join area on told.load_id = area.load_id and told.is_by_area <> area.is_london
    inner join class_measure on told.is_every_offence_known or not class_measure.is_of_offence
)

select
    covered.measure_code,
    covered.area_code,
    covered.month_start_date,
    covered.load_id,
    winner.source_release,
    winner.month_start_date > max(winner.month_start_date) over () - interval '{{ var('revised_months') }} months' as is_provisional,
    coalesce(summed.month_count, 0)::bigint as month_count
from covered
inner join winner on covered.load_id = winner.load_id and covered.month_start_date = winner.month_start_date
left join summed
    on
        covered.measure_code = summed.measure_code
        and covered.area_code is not distinct from summed.area_code
        and covered.load_id = summed.load_id
        and covered.month_start_date = summed.month_start_date
