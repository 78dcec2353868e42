-- British Transport Police gives no outcome in any row: of its crimes nothing can be said.
with counted as (
    select
        'police_uk_' || files.force_code || '_' || types.crime_type_code as measure_code,
        sums.area_code,
        files.month_start_date,
        found.outcome_code,
        files.release_date,
        files.sha,
        sum(found.row_count) as crime_count
    from {{ ref('int_police_uk_last_outcome') }} as found
    inner join {{ ref('int_police_uk_force_month') }} as files on found.load_id = files.load_id and files.force_code <> 'btp'
    left join {{ ref('dim_borough') }} as borough on found.area_code = borough.borough_code
    cross join
        lateral (
            values
            (found.area_code),
            (case when borough.borough_code is not null then 'LONDON_32' end),
            (upper(borough.ons_inner_outer))
        ) as sums (area_code)
    cross join lateral (values ('all_crime'), (found.crime_type_code)) as types (crime_type_code)
    where
        sums.area_code is not null
        and found.crime_type_code <> 'anti_social_behaviour'
        and types.crime_type_code in ('all_crime', 'violence_and_sexual_offences', 'robbery', 'possession_of_weapons')
    group by 1, 2, 3, 4, 5, 6
),

cohort as (
    select
        measure_code,
        area_code,
        month_start_date,
        release_date,
        sha,
        sum(crime_count) as cohort_count
    from counted
    group by 1, 2, 3, 4, 5
),

-- Zeros are written out: no crime that was charged is an answer too.
outcome as (
    select distinct code as outcome_code from {{ ref('police_uk_label') }}
    where label_list = 'outcome'
    union all
    select 'not_given' as outcome_code
),

-- The crimes of a month of which too many have no area are told of no area.
dense as (
    select
        cohort.area_code,
        cohort.measure_code,
        cohort.month_start_date,
        outcome.outcome_code,
        case when unplaced.note is null then coalesce(counted.crime_count, 0) end::bigint as crime_count,
        case when unplaced.note is null then cohort.cohort_count end::bigint as cohort_count,
        cohort.release_date,
        cohort.sha,
        unplaced.note
    from cohort
    cross join outcome
    left join counted
        on
            cohort.measure_code = counted.measure_code
            and cohort.area_code = counted.area_code
            and cohort.month_start_date = counted.month_start_date
            and outcome.outcome_code = counted.outcome_code
    left join {{ ref('int_unplaced_share') }} as unplaced
        on
            cohort.area_code <> 'UNALLOCATED'
            and cohort.measure_code = unplaced.measure_code
            and cohort.month_start_date = unplaced.month_start_date
            and unplaced.dimension = 'area'
            and unplaced.is_withheld
)

select
    area_code,
    measure_code,
    month_start_date,
    outcome_code,
    crime_count,
    cohort_count,
    round(100.0 * crime_count / cohort_count, 3)::double precision as share_percent,
    {% for side in ['lower', 'upper'] %}
    round(
        (100 * marts.wilson_{{ side }}(crime_count::double precision, cohort_count::double precision, 0.95))::numeric, 3
    )::double precision as share_{{ side }}_95_percent,
    {% endfor %}
    -- An archive is of the month before its date. A file by itself tells of no later day than its month: how long it was followed is not known.
    nullif(
        (extract(year from release_date) - extract(year from month_start_date)) * 12
        + extract(month from release_date) - extract(month from month_start_date) - 1,
        0
    )::integer as months_followed,
    note as value_note,
    'street ' || release_date || ' sha256:' || sha as source_release
from dense
