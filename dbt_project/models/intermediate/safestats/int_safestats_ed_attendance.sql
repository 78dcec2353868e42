-- Restricted: cells of one. The assaults that int_safestats_event_month counts, by who treated, what hurt and where.
with injury as (
    select
        event.measure_code,
        event.load_id,
        event.month_start_date,
        event.area_code,
        coded.site_code,
        coded.published_weapon,
        coded.published_place,
        coded.dataset || case when coded.dataset = 'ed_ecds' then '_mechanism' else '' end as weapon_list,
        coded.dataset || '_place' as place_list,
        count(*) as attendance_count
    from {{ ref('stg_safestats__ed_injury') }} as coded
    inner join {{ ref('int_safestats_event') }} as event
        on coded.load_id = event.load_id and coded.row_number = event.row_number
    where event.measure_code is not null
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9
),

-- As int_safestats_event_month: what a file says of another month than its own is not the whole of that month.
covered as (
    select distinct
        measure_code,
        load_id,
        month_start_date,
        source_release
    from {{ ref('int_safestats_event_month') }}
)

select
    injury.measure_code,
    injury.site_code,
    injury.area_code,
    injury.month_start_date,
    -- A code that no list has (the national ones are not public) stays as it was given: it is not guessed.
    {% for field in ['weapon', 'place'] %}
    coalesce({{ field }}.code_label, nullif(injury.published_{{ field }}, ''), 'Unknown') as {{ field }},
    coalesce(
        {{ field }}.code_group, case injury.published_{{ field }} when '' then 'unknown' else 'code_not_listed' end
    ) as {{ field }}_group,
    {% endfor %}
    covered.source_release,
    sum(injury.attendance_count)::bigint as attendance_count
from injury
inner join covered
    on
        injury.measure_code = covered.measure_code
        and injury.load_id = covered.load_id
        and injury.month_start_date = covered.month_start_date
{% for field in ['weapon', 'place'] %}
left join {{ ref('safestats_code') }} as {{ field }}
    on
        injury.{{ field }}_list = {{ field }}.dataset
        and {{ normalised_label('injury.published_' ~ field) }} = {{ normalised_label(field ~ '.published_code') }}
{% endfor %}
group by 1, 2, 3, 4, 5, 6, 7, 8, 9
