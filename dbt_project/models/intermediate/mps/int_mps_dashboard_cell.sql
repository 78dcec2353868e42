-- Borough rows alone: the wards' rows are the same offences again. A left join keeps a subject the seed does not know: the not_null test on
-- measure_code then names it and stops the night.
with published as (
    {% for dataset in ['tno', 'knife', 'other'] %}
    select
        '{{ dataset }}' as file_kind,
        load_id,
        month_start_date,
        area_code,
        published_type,
        published_subtype,
        published_measure,
        sum(recorded_count) as recorded_count
    from {{ ref('stg_mps__dashboard_' ~ dataset) }}
    where is_borough_row
    group by load_id, month_start_date, area_code, published_type, published_subtype, published_measure
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

subject as (
    select
        published_type,
        published_subtype,
        offences_measure_code,
        outcomes_measure_code
    from {{ ref('mps_dashboard_subject') }}
),

-- What is notifiable counts towards one total; what is not counts towards nothing.
total as (
    select
        published_group,
        published_subgroup,
        is_notifiable
    from {{ ref('mps_tno_category') }}
),

measured as (
    select
        published.load_id,
        published.month_start_date,
        published.area_code,
        case
            when published.file_kind = 'tno' and total.published_group is null then null
            when published.file_kind = 'tno' and counted.counted = 'offences' then 'mps_tno'
            when published.file_kind = 'tno' and counted.counted = 'positive_outcomes' then 'mps_tno_outcomes'
            when counted.counted = 'offences' then subject.offences_measure_code
            when counted.counted = 'positive_outcomes' then subject.outcomes_measure_code
        end as measure_code,
        published.recorded_count
    from published
    left join {{ ref('mps_dashboard_count') }} as counted
        on {{ normalised_label('published.published_measure') }} = {{ normalised_label('counted.published_measure') }}
    left join subject
        on
            published.file_kind <> 'tno'
            and {{ normalised_label('published.published_type') }} = {{ normalised_label('subject.published_type') }}
            and {{ normalised_label('published.published_subtype') }} = {{ normalised_label('subject.published_subtype') }}
    left join total
        on
            published.file_kind = 'tno'
            and {{ normalised_label('published.published_type') }} = {{ normalised_label('total.published_group') }}
            and {{ normalised_label('published.published_subtype') }} = {{ normalised_label('total.published_subgroup') }}
    where total.is_notifiable is not false
)

select
    load_id,
    measure_code,
    area_code,
    month_start_date,
    sum(recorded_count) as recorded_count
from measured
group by load_id, measure_code, area_code, month_start_date
