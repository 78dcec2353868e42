-- The month is that of the file: what a file says late of an earlier month is told as late, and not as that month's.
with files as (
    select
        dataset,
        load_id,
        to_date(part, 'YYYY-MM') as month_start_date
    from {{ ref('stg_ops__load') }}
    where source = 'safestats' and part <> ''
),

fields as (
    select
        files.dataset,
        files.month_start_date,
        found.load_id,
        found.row_number,
        found.site_code,
        found.geocode_confidence,
        found.field_name,
        found.is_given
    from {{ ref('stg_safestats__event_field') }} as found
    inner join files on found.load_id = files.load_id
),

events as (
    select
        fields.dataset,
        fields.month_start_date,
        fields.site_code,
        fields.geocode_confidence,
        event.month_start_date < fields.month_start_date as is_late,
        event.time_quality,
        event.area_code = 'UNALLOCATED' as is_unplaced,
        event.is_geocoded
    from fields
    inner join {{ ref('int_safestats_event') }} as event
        on fields.load_id = event.load_id and fields.row_number = event.row_number
    where fields.field_name = 'event_time'
),

sites as (
    select distinct
        dataset,
        site_code
    from fields
),

-- Of a site that submitted in some month, a month without is a row of 0; of a feed without sites, the month's file says it all.
calendar as (
    select distinct
        files.dataset,
        files.month_start_date,
        sites.site_code
    from files
    inner join sites on files.dataset = sites.dataset
),

checks as (
    select
        dataset,
        site_code,
        month_start_date,
        'completeness' as quality_code,
        field_name,
        count(*) filter (where is_given) as numerator,
        count(*) as denominator
    from fields
    group by dataset, site_code, month_start_date, field_name
    union all
    select
        events.dataset,
        events.site_code,
        events.month_start_date,
        found.quality_code,
        'all' as field_name,
        count(*) filter (where found.is_so) as numerator,
        count(*) as denominator
    from events
    cross join
        lateral (
            values
            ('late', events.is_late),
            ('unplaced', events.is_unplaced),
            ('geocoded', events.is_geocoded),
            ('default_midnight', events.time_quality = 'default_midnight'),
            ('no_time', events.time_quality = 'date_only'),
            ('hour_only', events.time_quality = 'hour'),
            ('impossible_hour', events.time_quality = 'impossible_hour')
        ) as found (quality_code, is_so)
    group by events.dataset, events.site_code, events.month_start_date, found.quality_code
    union all
    select
        dataset,
        site_code,
        month_start_date,
        'geocode_confidence' as quality_code,
        case
            when geocode_confidence is null then 'not_given'
            when geocode_confidence !~ '^[0-9]+(\.[0-9]+)?$' then 'no_number'
            when geocode_confidence::numeric >= 0.8 then '0.8_and_over'
            when geocode_confidence::numeric >= 0.5 then '0.5_to_0.8'
            else 'under_0.5'
        end as field_name,
        count(*) as numerator,
        sum(count(*)) over (partition by dataset, site_code, month_start_date) as denominator
    from events
    where dataset = 'ed_istv'
    group by dataset, site_code, month_start_date, field_name
    union all
    select
        calendar.dataset,
        calendar.site_code,
        calendar.month_start_date,
        'submitted' as quality_code,
        'all' as field_name,
        count(events.dataset) as numerator,
        null as denominator
    from calendar
    left join events
        on
            calendar.dataset = events.dataset
            and calendar.site_code = events.site_code
            and calendar.month_start_date = events.month_start_date
    group by calendar.dataset, calendar.site_code, calendar.month_start_date
)

select
    dataset,
    site_code,
    month_start_date,
    quality_code,
    field_name,
    numerator::bigint as numerator,
    denominator::bigint as denominator
from checks
