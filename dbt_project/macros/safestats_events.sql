{% macro safestats_events(relation, dataset) -%}
    {#-
        Every event feed has the same columns under the names the loader gives them, so one body serves all views.
        A time is London's. What it is worth stands beside it: a clock that was set to midnight, an hour that never was, or was twice.
    -#}
    with spellings as (
        select distinct borough_name from {{ relation }}
    ),

    areas as (
        select
            spellings.borough_name,
            aliases.area_code
        from spellings
        inner join {{ ref('area_aliases') }} as aliases
            on {{ normalised_label('spellings.borough_name') }} = {{ normalised_label('aliases.published_name') }}
        where aliases.source = 'safestats'
    ),

    dated as (
        select
            _load_id as load_id,
            _row_number as row_number,
            category as published_category,
            borough_name,
            nullif(lsoa_code, '') as lsoa_code,
            case
                when event_date like '%/%' then to_date(event_date, 'DD/MM/YYYY') else event_date::date
            end as event_date,
            coalesce(event_time, '') as published_time,
            case
                when coalesce(event_time, '') = '' then null
                when event_time !~ ':' then make_time(event_time::integer, 0, 0)
                else event_time::time
            end as event_time
        from {{ relation }}
    ),

    placed_in_time as (
        select
            dated.*,
            dated.event_date + dated.event_time as local_time,
            (dated.event_date + dated.event_time) at time zone 'Europe/London' as instant
        from dated
    )

    select
        '{{ dataset }}' as dataset,
        events.load_id,
        events.row_number,
        events.published_category,
        events.event_date,
        case when events.instant at time zone 'Europe/London' = events.local_time then events.instant end as event_at,
        case
            when events.event_time is null then 'date_only'
            when events.instant at time zone 'Europe/London' <> events.local_time then 'impossible_hour'
            when events.published_time !~ ':' then 'hour'
            when events.event_time = time '00:00' then 'default_midnight'
            when
                events.local_time in (
                    (events.instant - interval '1 hour') at time zone 'Europe/London',
                    (events.instant + interval '1 hour') at time zone 'Europe/London'
                )
                then 'repeated_hour'
            else 'exact'
        end as time_quality,
        areas.area_code as borough_area_code,
        events.lsoa_code
    from placed_in_time as events
    left join areas on events.borough_name = areas.borough_name
{%- endmacro %}
