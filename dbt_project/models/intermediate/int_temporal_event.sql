-- Restricted, though already counts: how many events of a measure fell on a day and in an hour of London. An hour that is not known is null.
with covered as (
    select distinct
        measure_code,
        load_id,
        month_start_date
    from {{ ref('int_safestats_event_month') }}
)

select
    event.measure_code,
    event.area_code,
    event.month_start_date,
    event.event_date as local_date,
    case
        when event.time_quality in ('exact', 'hour', 'repeated_hour')
            then extract(hour from event.event_at at time zone 'Europe/London')
    end::integer as local_hour,
    event.time_quality,
    count(*)::integer as event_count
from {{ ref('int_safestats_event') }} as event
-- As int_safestats_event_month: what a file says of another month than its own is not the whole of that month.
inner join covered
    on
        event.measure_code = covered.measure_code
        and event.load_id = covered.load_id
        and event.month_start_date = covered.month_start_date
group by 1, 2, 3, 4, 5, 6
union all
select
    'police_uk_' || case when scope <> 'together' then scope || '_' else '' end || 'stop_and_search' as measure_code,
    area_code,
    month_start_date,
    (utc_hour at time zone 'UTC' at time zone 'Europe/London')::date as local_date,
    extract(hour from utc_hour at time zone 'UTC' at time zone 'Europe/London')::integer as local_hour,
    'exact' as time_quality,
    sum(search_count)::integer as event_count
from {{ ref('int_police_uk_search') }}
group by 1, 2, 3, 4, 5
