-- Of the rows of a measure's month, how many lack what a figure would go by: an area, an age, a sex, an ethnicity, an hour. Restricted.
with covered as (
    select distinct
        load_id,
        month_start_date
    from {{ ref('int_safestats_event_month') }}
),

counted as (
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
),

-- The largest series of a delivery stands for all of its rows.
sized as (
    select
        counted.source,
        counted.dataset,
        counted.scope,
        counted.series_code,
        counted.measure_code,
        counted.month_start_date,
        counted.dimension,
        counted.is_of_measure,
        counted.row_count,
        coalesce(counted.unplaced_count, 0) as unplaced_count,
        limits.limit_percent,
        limits.minimum_rows,
        limits.rows_name,
        limits.lacking,
        first_value(counted.row_count) over delivery as delivery_row_count,
        first_value(coalesce(counted.unplaced_count, 0)) over delivery as delivery_unplaced_count
    from counted
    inner join {{ ref('unplaced_limit') }} as limits
        on counted.source = limits.source and counted.dataset = limits.dataset and counted.dimension = limits.dimension
    window
        delivery as (
            partition by counted.source, counted.dataset, counted.scope, counted.month_start_date, counted.dimension
            order by counted.row_count desc, coalesce(counted.unplaced_count, 0) desc, counted.measure_code asc
        )
),

-- Of a handful of rows one would decide: what is rare is judged by the whole delivery it is a part of.
measured as (
    select
        sized.*,
        case when sized.row_count >= sized.minimum_rows then sized.row_count else sized.delivery_row_count end as of_rows,
        case when sized.row_count >= sized.minimum_rows then sized.unplaced_count else sized.delivery_unplaced_count end as lacking_rows
    from sized
),

judged as (
    select
        measured.*,
        100.0 * measured.lacking_rows > measured.limit_percent * measured.of_rows as is_over_limit
    from measured
),

-- Where the owner's rule lets no small count out, neither does a share that would tell one.
worded as (
    select
        judged.*,
        case
            when not judged.is_over_limit then null
            else
                case
                    when coalesce(dataset.publish_rule, 'none') <> 'open' then 'More than ' || judged.limit_percent
                    else
                        least(
                            round(100.0 * judged.lacking_rows / judged.of_rows),
                            case when judged.lacking_rows < judged.of_rows then 99 else 100 end
                        )::text
                end
                || ' % of '
                || case
                    when judged.source = 'mps' or judged.scope = 'metropolitan' then 'the Metropolitan Police''s '
                    when judged.scope = 'city_of_london' then 'the City of London Police''s '
                    when judged.scope = 'btp' then 'British Transport Police''s '
                    else 'the '
                end
                || judged.rows_name || ' of ' || to_char(judged.month_start_date, 'FMMonth YYYY') || ' have no ' || judged.lacking
                || ': no figure by ' || replace(judged.dimension, '_', ' ') || '.'
        end as note
    from judged
    left join {{ ref('int_dataset') }} as dataset on judged.source = dataset.source and judged.dataset = dataset.dataset
),

-- A sum of forces without one of them is not the sum.
together as (
    select
        worded.*,
        worded.scope = 'together'
        and coalesce(bool_or(worded.is_over_limit) filter (where worded.scope <> 'together') over of_forces, false) as lacks_a_force,
        string_agg(worded.note, ' ') filter (where worded.scope <> 'together') over of_forces as note_of_forces
    from worded
    window
        of_forces as (
            partition by worded.source, worded.dataset, worded.series_code, worded.month_start_date, worded.dimension
        )
)

select
    source,
    dataset,
    scope,
    measure_code,
    month_start_date,
    dimension,
    is_of_measure,
    row_count::bigint as row_count,
    unplaced_count::bigint as unplaced_count,
    round(100.0 * unplaced_count / nullif(row_count, 0), 2)::numeric(5, 2) as unplaced_percent,
    limit_percent,
    coalesce(is_over_limit, false) or lacks_a_force as is_withheld,
    case when lacks_a_force then note_of_forces else note end as note
from together
