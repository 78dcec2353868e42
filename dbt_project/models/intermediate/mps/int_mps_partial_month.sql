-- The oldest column of a ward or LSOA file is sometimes a month that had all but left the window (40 offences, then 73,000).
with opening as (
    {% for level in ['ward', 'lsoa'] %}
    {% for kind in ['historical', 'recent'] %}
    select
        load_id,
        first_month_start_date as month_start_date,
        sum(offence_counts[1]) as offence_count,
        sum(offence_counts[2]) as next_month_offence_count
    from {{ ref('stg_mps__' ~ level ~ '_' ~ kind) }}
    group by load_id, first_month_start_date
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    load_id,
    month_start_date,
    offence_count,
    next_month_offence_count
from opening
where offence_count < 0.5 * next_month_offence_count
