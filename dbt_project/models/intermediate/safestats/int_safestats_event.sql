-- Restricted: one row is one event. No role but the transformer's and the gate's reads this schema.
{% set datasets = [
    'ambulance_incidents', 'btp_crime', 'ed_istv', 'ed_ecds', 'tfl_driver_incidents', 'fire_incidents', 'mps_crime',
] %}
with events as (
    {% for dataset in datasets %}
    select
        dataset,
        load_id,
        row_number,
        published_category,
        event_date,
        event_at,
        time_quality,
        borough_area_code,
        lsoa_code
    from {{ ref('stg_safestats__' ~ dataset) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
)

select
    events.dataset,
    events.load_id,
    events.row_number,
    codes.code_label,
    codes.measure_code,
    events.event_date,
    date_trunc('month', events.event_date)::date as month_start_date,
    events.event_at,
    events.time_quality,
    coalesce(lsoa.area_code, events.borough_area_code, 'UNALLOCATED') as area_code,
    events.lsoa_code is not null as is_geocoded,
    -- Of an assault at home the place is where the victim lives: its borough and nothing finer. A place whose code no list has may be one.
    case when injury.dataset is null or place.code_group not in ('home', 'unknown') then events.lsoa_code end as lsoa_code
from events
-- The LSOA is the finer place: where it is one of London, 2011 or 2021, it says the borough.
left join {{ ref('lsoa_borough') }} as lsoa on events.lsoa_code = lsoa.lsoa_code
left join {{ ref('safestats_code') }} as codes
    on
        events.dataset = codes.dataset
        and {{ normalised_label('events.published_category') }} = {{ normalised_label('codes.published_code') }}
left join {{ ref('stg_safestats__ed_injury') }} as injury
    on events.load_id = injury.load_id and events.row_number = injury.row_number
left join {{ ref('safestats_code') }} as place
    on
        injury.dataset || '_place' = place.dataset
        and {{ normalised_label('injury.published_place') }} = {{ normalised_label('place.published_code') }}
